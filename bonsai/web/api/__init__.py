"""The REST API under /api/v1: the same things as the pages, for programs.

app.py        put together                                           middleware.py  tokens, limits, repeated requests
request.py    one request: who calls, with which scope               problems.py    errors as RFC 9457 has them
document.py   the OpenAPI document in two languages
records.py, promotions.py, nights.py, overview.py                    one file a resource
"""
