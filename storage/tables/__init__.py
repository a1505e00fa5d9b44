"""One module a table: what is put in, looked up and listed."""
