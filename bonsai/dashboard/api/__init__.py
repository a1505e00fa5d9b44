"""The REST API under /api/v1: the same things as the pages, for programs; and the page that describes it.

gate.py       who may come in: tokens, limits, repeated requests     models.py     what is said and answered
calling.py    one request: who calls, with which scope               problems.py   errors as RFC 9457 has them
document.py   the OpenAPI document in two languages                  reference.py  the same as a page
records.py, promotions.py, nights.py, overview.py                    one file a resource
"""

from bonsai.dashboard.api.programs import PATH, programs
from bonsai.dashboard.api.reference import router

__all__ = ["PATH", "programs", "router"]
