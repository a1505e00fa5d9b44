"""The pages, one file a room: each route reads a request, calls one function, and renders a template."""
