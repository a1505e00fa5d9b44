"""The command line: one module per noun; each command parses, calls one function, and shows the result."""
