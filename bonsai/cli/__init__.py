"""The terminal: one file a noun, each command parses, calls one function, and shows what it gave back."""
