"""How values look in the terminal."""
