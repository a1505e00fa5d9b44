"""A request refuses unknown fields, a response is frozen. Each `description` is a key of `i18n/*/api.toml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_ON_A_PAGE = 200


class RequestModel(BaseModel):
    """A request; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageRequest(RequestModel):
    """A page of a list."""

    limit: int = Field(50, ge=1, le=MOST_ON_A_PAGE, description="api.field_limit")
    cursor: str | None = Field(None, pattern="^[0-9A-Za-z._:-]{1,100}$", description="api.field_cursor")


class ResponseModel(BaseModel):
    """A response."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


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
