"""The gate as it stands: by what the next night's claims of progress are judged."""

from __future__ import annotations

from dataclasses import dataclass

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE
from bonsai.gate import calibration
from bonsai.night.prepare import Claims, claims_tonight, form_tonight
from storage.tables import promotions_table


@dataclass(frozen=True, slots=True)
class GateTonight:
    """Policy and level of the next night, and where they come from."""

    base: str
    recipe: str
    "SHA-256 of all settings of base and recipe."
    claims: Claims
    form: str
    "Id of the form adapter; empty if none is known or usable."
    measured_from_form: bool
    "The bare base is champion and a form adapter is known."

    @property
    def minima(self) -> dict[str, float]:
        """Claim -> smallest gain that counts: bits/byte, or a share of right answers."""
        return {claim: getattr(self.claims.policy, name) for claim, name in calibration.MINIMA.items()}


def gate_tonight(b: Bonsai) -> GateTonight:
    """What holds tonight. Raises ConfigError when a form adapter is known and its base is not on this machine."""
    profile, claims = b.config.profiles[b.find_profile()], claims_tonight(b)
    form = form_tonight(b, claims.calibration)
    with b.database.reading() as con:
        champion = promotions_table.champion(con).adapter
    return GateTonight(
        base=profile.base.name,
        recipe=calibration.recipe_hash(profile.base, profile.recipe),
        claims=claims,
        form=form.adapter if form else "",
        measured_from_form=form is not None and champion == BASE,
    )
