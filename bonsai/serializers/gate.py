"""The gate as it stands -> `bonsai.schemas.gate`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from bonsai.gate.calibration import MINIMA, Calibration
from bonsai.queries.gate import GateTonight
from bonsai.schemas import gate as schemas


def calibration(made: Calibration) -> schemas.Calibration:
    """What was measured on seeds."""
    return schemas.Calibration(
        base=made.base,
        recipe=made.recipe,
        seeds=made.seeds,
        made_at=datetime.fromisoformat(made.made_at),
        minima=schemas.MinimumGains(**{claim: getattr(made, name) for claim, name in MINIMA.items()}),
        measured=list(made.measured),
        form=made.form,
    )


def gate_tonight(one: GateTonight) -> schemas.GateTonight:
    """By what the next night is judged."""
    claims, policy = one.claims, one.claims.policy
    return schemas.GateTonight(
        base=one.base,
        recipe=one.recipe,
        minima=schemas.MinimumGains(**one.minima),
        calibration=calibration(claims.calibration) if claims.calibration else None,
        level=claims.level,
        false_promotions=policy.false_promotions,
        looks=len(claims.looks),
        promoted=sum(claims.looks),
        form_adapter=one.form,
        measured_from_form=one.measured_from_form,
        min_clusters=policy.min_clusters,
        min_control_clusters=policy.min_control_clusters,
        floors={**asdict(policy.guard_floors), "retention": policy.retention_floor},
    )
