"""The gate as it stands: by what the next night's claims of progress are judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE
from bonsai.gate import calibration
from bonsai.i18n import TextLanguage, text
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


def origin(tonight: GateTonight, language: TextLanguage) -> str:
    """Where the minimum gains come from, as a sentence."""
    found = tonight.claims.calibration
    if found is None:
        return text("gate.uncalibrated", language, base=tonight.base)
    said = text("gate.calibrated", language, seeds=found.seeds, date=found.made_at[:10])
    return said + text("gate.twins", language, twins=found.twins) if found.twins else said


def minimum_rows(tonight: GateTonight, language: TextLanguage) -> list[tuple[str, str, str]]:
    """(claim, smallest gain that counts, what it was measured on) in words."""
    found, rows = tonight.claims.calibration, []
    for claim, value in tonight.minima.items():
        in_bits = claim.startswith("bits")
        unit = "gate.bits" if in_bits else "gate.points"
        measured = found is not None and claim in found.measured
        source = text(
            "gate.from_seeds" if measured else "gate.from_settings", language, seeds=found.seeds if found else 0
        )
        name = text(f"gate.claim_{claim}", language)
        rows.append((name, text(unit, language, value=value if in_bits else 100 * value), source))
    return rows


def other_lines(tonight: GateTonight, language: TextLanguage) -> list[str]:
    """The level of tonight's claims, the form adapter, and how many facts a claim needs, a sentence each."""
    claims, policy = tonight.claims, tonight.claims.policy
    looks, promoted = len(claims.looks), sum(claims.looks)
    values = {"share": policy.false_promotions, "looks": looks, "promoted": promoted}
    return [
        text("gate.level", language, level=_digits(claims.level), **values),
        text(f"gate.form_{_form_state(tonight)}", language, adapter=tonight.form[:10]),
        text("gate.facts", language, facts=policy.min_clusters, control=policy.min_control_clusters),
    ]


def floor_rows(tonight: GateTonight, language: TextLanguage) -> list[tuple[str, str]]:
    """(guard, share of the answers that must keep it) in words; retention last."""
    policy = tonight.claims.policy
    floors = {**asdict(policy.guard_floors), "retention": policy.retention_floor}
    return [(text(f"explain.rule_{name}", language), f"{share:.0%}") for name, share in floors.items()]


def _form_state(tonight: GateTonight) -> str:
    found = tonight.claims.calibration
    if tonight.form:
        return "used" if tonight.measured_from_form else "known"
    return "unusable" if found and found.form else "unknown"


def _digits(level: float) -> str:
    """Two digits, no exponent."""
    return f"{Decimal(f'{level:.2g}'):f}"
