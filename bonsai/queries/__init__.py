"""What people look at: one read a function, from the database to values; nothing here changes anything."""
