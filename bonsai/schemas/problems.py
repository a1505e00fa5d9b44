"""Problem details of a failed request (RFC 9457)."""

from __future__ import annotations

from pydantic import Field

from bonsai.schemas.base import ResponseModel


class ProblemError(ResponseModel):
    """One thing that is wrong with what was sent."""

    pointer: str = Field(description="api.field_pointer")
    detail: str = Field(description="api.field_detail")


class ProblemDetails(ResponseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="api.field_problem_type")
    title: str = Field(description="api.field_problem_title")
    status: int = Field(description="api.field_problem_status")
    detail: str = Field(description="api.field_detail")
    code: str = Field(description="api.field_code")
    errors: list[ProblemError] = Field(default_factory=list, description="api.field_errors")
