"""Everything that knows DuckDB or the disk.

One table, one `*_table.py` of plain functions over a connection; `connect.Database` opens it.
The stages (`bonsai.*`) never import this package; it imports their types.
"""
