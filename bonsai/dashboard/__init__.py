"""The dashboard: pages, made on the server, that show the loop and take a person's word on it.

app.py        what is put together, once                 security.py   what no request may do
web.py        one request: who, which language, a page   accounts.py   who may log in
routes_*.py   one file a part: read a form, call, answer pages.py      values -> what a template shows
charts.py     figures as SVG                             schedule.py   when the next night comes

The pages call the functions that the terminal calls, `bonsai.pipeline` and `bonsai.views`; no SQL stands here.
"""
