"""The smallest gains that count, measured for one base and recipe on seeds that learned the same records.

Two seeds of one recipe differ, and neither is progress. A calibration (`bonsai.actions.calibration`) trains some and
fits the four minima of `Policy`: the gain beyond control that 97.5 % of further pairs of seeds stay below. It holds for
its base and recipe alone; without one, the values of `defaults.toml` [gate] are on the safe side. One JSON file for
each base and recipe lies in the home's `calibrations/`, or ships in `SHIPPED`. *Twins* (`bonsai.night.twin`), pairs of
seeds that cold nights trained, make a calibration by and by or keep one up to date; their files lie in
`calibrations/twins/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Report
from bonsai.gate.decision import Policy
from bonsai.gate.rules import claims_of, weigh
from bonsai.model.bases import Base
from bonsai.system.files import sha256_json, write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.train.plan import Recipe

Matrix = NDArray[np.float64]
QUANTILE = 0.975
"Share of the pairs of seeds whose absolute difference stays below the minimum."
MINIMA = {
    "bits_fixed": "min_gain_bits",
    "right_fixed": "min_gain_right",
    "bits_personal": "min_suite_gain_bits",
    "right_personal": "min_suite_gain_right",
}
"Claim -> the field of `Policy` with its minimum."
FEWEST_DEGREES = 2
"Degrees of freedom, one less than seeds, below which there is no spread to speak of."
SHIPPED = Path(__file__).parent / "calibrations"
"Calibrations of the bases in this package."


@dataclass(frozen=True, slots=True)
class Calibration:
    """Minimum gains of one base and recipe; units as in `Policy`."""

    base: str
    "Name of the base."
    recipe: str
    "`recipe_hash` of base and recipe."
    seeds: int
    min_gain_bits: float
    min_suite_gain_bits: float
    min_gain_right: float
    min_suite_gain_right: float
    made_at: str
    "ISO 8601, UTC."
    form: str = ""
    "Folder, relative to the home, of an adapter that learned the form of answers alone; empty without one."
    measured: tuple[str, ...] = tuple(MINIMA)
    "Claims that the seeds could be asked about; the others have the minimum of the settings."
    twins: int = 0
    "Nights whose second seed took part."

    def applied(self, policy: Policy) -> Policy:
        """The policy with the measured minima."""
        return replace(policy, **{MINIMA[claim]: getattr(self, MINIMA[claim]) for claim in self.measured})


def fit(base: Base, recipe: Recipe, gains: Mapping[str, Matrix], policy: Policy, made_at: str) -> Calibration:
    """Fit the minima from `seed_gains`. A claim without gains keeps the minimum of `policy`.

    Raises ValueError for fewer than three seeds, which have no spread to speak of.
    """
    seeds = len(next(iter(gains.values())))
    if seeds < 3:
        raise ValueError(f"{seeds} seeds are too few to fit a minimum; at least 3 are needed")
    fitted = {MINIMA[claim]: predicted_minimum(seed_spread(matrix), len(matrix)) for claim, matrix in gains.items()}
    minima = {name: fitted.get(name, getattr(policy, name)) for name in MINIMA.values()}
    return Calibration(
        base.name, recipe_hash(base, recipe), seeds, **minima, made_at=made_at, measured=tuple(sorted(gains))
    )


@dataclass(frozen=True, slots=True)
class Twin:
    """Two seeds that learned the same records in one night."""

    night: str
    gains: Mapping[str, float]
    "Claim -> gain beyond control of one over the other."
    made_at: str
    "ISO 8601, UTC."


def with_twins(
    found: Calibration | None, twins: Sequence[Twin], base: Base, recipe: Recipe, policy: Policy
) -> Calibration | None:
    """The calibration with the twins of later nights; one made of twins alone if there are enough of them.

    Each twin is one difference, whose variance is twice that of a seed: one more degree of freedom of the pooled
    spread. A claim that fewer than two differences tell about keeps the minimum of `policy`.
    """
    if not twins:
        return found
    minima, degrees = {name: getattr(policy, name) for name in MINIMA.values()}, {}
    for claim, name in MINIMA.items():
        known = found.seeds - 1 if found and claim in found.measured else 0
        squares = [one.gains[claim] ** 2 / 2 for one in twins if claim in one.gains]
        if known + len(squares) >= FEWEST_DEGREES:
            before = spread_of(getattr(found, name), known + 1) ** 2 * known if known else 0.0
            degrees[claim] = known + len(squares)
            spread = ((before + sum(squares)) / degrees[claim]) ** 0.5
            minima[name] = predicted_minimum(spread, degrees[claim] + 1)
    if not degrees:
        return found
    return Calibration(
        base.name,
        recipe_hash(base, recipe),
        max(degrees.values()) + 1,
        **minima,
        made_at=twins[-1].made_at,
        form=found.form if found else "",
        measured=tuple(sorted(degrees)),
        twins=len(twins),
    )


def seed_gains(
    fixed: Sequence[Report], personal: Sequence[Report], policy: Policy, left_out: frozenset[str] = frozenset()
) -> dict[str, Matrix]:
    """By claim, the gain beyond control of each seed (row) over each other (column), (seeds, seeds); NaN for itself.

    `fixed` and `personal` are the seeds' reports on the selection pool and the personal set (which may be empty), in
    the same order. Claims that lack questions, and the items in `left_out`, do not count.
    """
    count = len(fixed)
    quick = replace(policy.bootstrap, resamples=2)  # only means are read
    gains: dict[str, Matrix] = {}
    for i in range(count):
        for j in (other for other in range(count) if other != i):
            suite = ReportPair(personal[i], personal[j]) if personal else None
            for claim in claims_of(ReportPair(fixed[i], fixed[j]), suite, policy):
                gains.setdefault(claim.name, np.full((count, count), np.nan))[i, j] = weigh(claim, quick, left_out).mean
    return {name: matrix for name, matrix in gains.items() if np.isfinite(matrix).any()}


def seed_spread(gains: Matrix) -> float:
    """Standard deviation of one seed's effect, from the differences of all pairs, (seeds, seeds)."""
    effects = np.nanmean(gains, axis=1) * (len(gains) - 1) / len(gains)
    return float(effects.std(ddof=1))


def predicted_minimum(spread: float, seeds: int) -> float:
    """What 97.5 % of further pairs of seeds stay below, if `spread` was estimated from `seeds` seeds: Student's t.

    The empirical quantile over ten seeds depends on the two most distant ones; this one uses all seeds, and
    grows as their number falls.
    """
    from scipy.special import stdtrit  # the quantile function of Student's t

    return float(stdtrit(seeds - 1, (1 + QUANTILE) / 2) * 2**0.5 * spread)


def spread_of(minimum: float, seeds: int) -> float:
    """The inverse of `predicted_minimum`: the spread that a minimum was made of."""
    return minimum / predicted_minimum(1.0, seeds)


def recipe_hash(base: Base, recipe: Recipe) -> str:
    """SHA-256 of all settings of a base and of a recipe."""
    return sha256_json({"base": to_values(base), "recipe": to_values(recipe)})


def path_of(folder: Path, base: str, recipe: str) -> Path:
    """The file of a calibration: `seedling-0a1b2c3d4e5f6071.json`."""
    return folder / f"{base.replace('/', '-')}-{recipe[:16]}.json"


def write(folder: Path, calibration: Calibration) -> Path:
    """Write a calibration atomically, over an earlier one of its base and recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, calibration.base, calibration.recipe)
    write_json_atomic(path, to_values(calibration))
    return path


def find(folders: Iterable[Path], base: Base, recipe: Recipe) -> Calibration | None:
    """The calibration of a base and recipe in the first folder that has one."""
    wanted = recipe_hash(base, recipe)
    paths = (path_of(folder, base.name, wanted) for folder in folders)
    found = (_read(path) for path in paths if path.is_file())
    return next((one for one in found if one.recipe == wanted), None)


def add_twin(folder: Path, base: Base, recipe: Recipe, twin: Twin) -> None:
    """Keep what a night's twin showed; a repeated night replaces its own."""
    path = _twins_file(folder, base, recipe)
    kept = [one for one in read_twins(folder, base, recipe) if one.night != twin.night]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(path, to_values([*kept, twin]))


def read_twins(folder: Path, base: Base, recipe: Recipe) -> list[Twin]:
    """The twins of this base and recipe, oldest first."""
    path = _twins_file(folder, base, recipe)
    return [from_values(Twin, one) for one in json.loads(path.read_text("utf-8"))] if path.is_file() else []


def _twins_file(folder: Path, base: Base, recipe: Recipe) -> Path:
    return path_of(folder / "twins", base.name, recipe_hash(base, recipe))


def read_all(folder: Path) -> list[Calibration]:
    """The calibrations of a folder."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Calibration:
    return from_values(Calibration, json.loads(path.read_text("utf-8")))
