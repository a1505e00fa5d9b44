"""The dashboard: server-rendered pages, and the REST API.

app.py        assembles the application                  security.py        headers, origins, body limits
request.py    one request: user, language, page          error_handlers.py  responses to failed requests
labels.py     labels that several pages share            form_recovery.py   typed text survives a failed request
charts.py     SVG charts                                 problems.py        refusals, checked query parameters

pages/        one module per area: reads a form, calls an action or a query, renders a template
presenters/   values -> what a template shows
api/          the same for programs

No SQL here.
"""
