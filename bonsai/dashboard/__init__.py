"""The dashboard: pages, made on the server, that show the loop and take a person's word on it.

app.py        what is put together, once                 security.py   what no request may do
web.py        one request: who, which language, a page   accounts.py   who may log in
words.py      words that several pages share             charts.py     figures as SVG
throttling.py who asks too often                         tokens.py     which programs may speak for whom
problems.py   what ends a request early

A folder a room (home, nights, promotions, api ...): routes.py reads a form, calls, answers; shown.py turns values
into what a template shows. Pages call the functions that the terminal calls, `bonsai.pipeline` and `bonsai.views`; no
SQL stands here.
"""
