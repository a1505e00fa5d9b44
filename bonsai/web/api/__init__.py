"""The REST API under /api/v1: what the pages offer, for programs.

app.py        assembles the API                              middleware.py  tokens, rate limits, idempotency keys
request.py    one request: client, scope, language           problems.py    errors as RFC 9457 problem details
document.py   the OpenAPI document in two languages

Every other module is one resource.
"""
