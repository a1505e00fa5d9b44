"""Everything that reads or writes DuckDB and the home's files.

Each table has one `*_table.py` of plain functions over a connection, which `connect.Database` opens.
The stages (`bonsai.*`) never import this package; it imports their types.
"""
