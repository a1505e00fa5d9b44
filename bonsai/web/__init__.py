"""The dashboard: pages made on the server, and the REST API.

app.py        what is put together, once                 security.py        what no request may do
request.py    one request: who, which language, a page   error_handlers.py  what a failed request answers
labels.py     words that several pages share             form_recovery.py   typed text survives a failed request
charts.py     figures as SVG                             problems.py        what ends a request early

pages/        one file a room: reads a form, calls an action or a query, renders a template
presenters/   values -> what a template shows
api/          the same for programs

No SQL stands here.
"""
