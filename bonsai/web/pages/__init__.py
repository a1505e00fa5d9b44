"""Pages, one module per area: each route reads a request, calls a query or an action, and renders a template."""
