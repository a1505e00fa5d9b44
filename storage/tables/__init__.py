"""One module for each table: inserts, lookups and lists."""
