"""Every setting, once: `defaults.toml` < `$BONSAI_HOME/bonsai.toml` < environment (`BONSAI_GATE__MODE=review`).

Parsed at the edge and passed on as plain values; unknown keys are errors, all reported at once.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
