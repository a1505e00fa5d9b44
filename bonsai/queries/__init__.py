"""Read-only queries: each reads the database and the home's files and returns plain values."""
