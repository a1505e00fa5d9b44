"""Simulated nights: choose, train, ask; one line of JSON per night.

The choice is `bonsai.train.continual.choose`, the training is `bonsai.train.qlora`, both as in a real night. There
is no gate: every adapter becomes champion. The plan is short, so that a month takes minutes.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.month_study import world
from bonsai.config.settings import ProfileSettings, load_config
from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example
from bonsai.model.bases import SEEDLING, model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import Question, parse, template
from bonsai.train import continual
from bonsai.train.checkpoints import plan_hash
from bonsai.train.continual import Curriculum, CurriculumLimits, Situation, TrainingCandidate
from bonsai.train.order import training_order
from bonsai.train.plan import TrainingPlan, make_plan
from bonsai.train.replay import replay_samples
from research.seedling.recipe import normalised
from research.seedling.replay_file import row_of

POLICIES = ("replay", "cold", "alone")
"""`replay`: the nightly policy. `cold`: always from the base on all records. `alone`: the nightly policy, but a warm
night trains on new records only, for as many tokens."""
BASE = "base"
"The bare seedling, evaluated once as night 0."
PASSES = 8
BATCH = 16
REPLAY_SHARE = 0.5
TOKEN_BUDGET = 50_000
"Trained tokens, enough for 80 records; reached in the ninth night."
COLD_TOKEN_BUDGET = 100_000
COLD_AFTER_DAYS = 7
LINEAGE_DEPTH = 14
WARM_LEARNING_RATE = 2e-3
SEED = 7
STARTED = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One night of one policy."""

    policy: str
    night: int
    start: str
    why: str
    records: int
    "Eligible records."
    chosen: int
    "Those in this night's snapshot."
    tokens: int
    "Trained tokens, all passes and replay samples included."
    cpu_seconds: float
    "Of the training, on one thread."
    adapter: str
    plan: str
    "Hash of the training plan; policies with the same plan share the night."
    right: Mapping[str, tuple[int, int]]
    "Group of questions -> right answers, questions."


def read(results: Path) -> dict[tuple[str, int], Line]:
    """The stored nights."""
    if not results.is_file():
        return {}
    lines = [Line(**json.loads(line)) for line in results.read_text("utf-8").splitlines()]
    return {(line.policy, line.night): line for line in lines}


def append(results: Path, line: Line) -> None:
    """Append a night."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")


def seedling() -> ProfileSettings:
    """The seedling's profile with the short plan of the study; no checkpoints."""
    profile = load_config(Path("/nonexistent"), {}).profiles["seedling"]
    recipe = replace(profile.recipe, epochs=PASSES, batch_size=BATCH, checkpoint_steps=100_000)
    return profile.model_copy(update={"recipe": recipe})


class Month:
    """The nights of one policy, in order; nights in `known` are not trained again."""

    def __init__(self, policy: str, folder: Path, known: dict[tuple[str, int], Line]) -> None:
        self._policy = policy
        self._folder = folder
        self._known = known
        self._profile = seedling()
        self._encoder = load_encoder(model_folder(self._profile.base))
        self._form = template(self._profile.recipe.template)
        self._champion, self._depth, self._last_cold = "", 0, 0
        self._learned: frozenset[str] = frozenset()
        self._due: frozenset[str] = frozenset()

    def nights(self, until: int) -> Iterator[Line]:
        """Every night up to `until`, including those of earlier runs."""
        for night in range(1, until + 1):
            candidates = self._candidates(night)
            chosen = self._choose(night, candidates)
            line = self._known.get((self._policy, night)) or self._made(night, candidates, chosen)
            rows = {row.record_id for row in (*chosen.rows, *chosen.replay)}
            self._learned = frozenset(rows | (self._learned if chosen.parent else set()))
            self._due = frozenset(chosen.still_due)
            self._champion, self._depth = line.adapter, chosen.depth
            self._last_cold = self._last_cold if chosen.parent else night
            yield line

    def bare(self) -> Line:
        """The bare base on the general questions."""
        return Line(BASE, 0, "", "", 0, 0, 0, 0.0, "", "", self._asked(0, ""))

    def _candidates(self, night: int) -> list[TrainingCandidate]:
        facts = [one for one in world.facts_of_the_month() if one.night <= night < one.forgotten]
        rows = [(one, row_of(record, "own")) for one in facts for record in one.records]
        return [
            TrainingCandidate(
                row=row,
                tokens=self._tokens(row),
                arrival=number,
                age_days=float(night - one.night),
                due=one.night == night or row.record_id in self._due,
                learned=row.record_id in self._learned,
            )
            for number, (one, row) in enumerate(rows)
        ]

    def _tokens(self, row: Example) -> int:
        return self._encoder.tokens(self._form, row)

    def _choose(self, night: int, candidates: list[TrainingCandidate]) -> Curriculum:
        general = [self._tokens(one) for one in replay_samples(SEEDLING, 400, SEED)]
        always_cold = self._policy == "cold"
        limits = CurriculumLimits(
            token_budget=continual.UNLIMITED if always_cold else TOKEN_BUDGET,
            cold_token_budget=continual.UNLIMITED if always_cold else COLD_TOKEN_BUDGET,
            passes=PASSES,
            replay_samples_a_row=REPLAY_SHARE / (1 - REPLAY_SHARE),
            replay_sample_tokens=sum(general) / len(general),
            cold_after_days=COLD_AFTER_DAYS,
            lineage_depth=LINEAGE_DEPTH,
        )
        situation = Situation(
            champion=self._champion,
            depth=self._depth,
            forgotten=night in world.FORGOTTEN,
            days_since_cold=night - self._last_cold,
        )
        chosen = continual.choose(candidates, situation, limits, salt=f"{SEED} {night}")
        if self._policy == "alone" and chosen.parent:
            chosen = replace(chosen, replay=(), replayed_a_pass=0)
        return chosen

    def _made(self, night: int, candidates: list[TrainingCandidate], chosen: Curriculum) -> Line:
        """Train and ask, or reuse the night of another policy with the same plan."""
        plan, snapshot = self._plan(night, chosen)
        same = (one for one in self._known.values() if (one.night, one.plan) == (night, plan_hash(plan)))
        shared = next(same, None)
        if shared:
            return replace(shared, policy=self._policy, why=chosen.why)
        began = time.process_time()
        adapter = _trained(plan)
        seconds = time.process_time() - began
        return Line(
            policy=self._policy,
            night=night,
            start=chosen.start,
            why=chosen.why,
            records=len(candidates),
            chosen=sum(row.role != "anchor" for row in snapshot.train),
            tokens=self._trained_tokens(plan, snapshot),
            cpu_seconds=round(seconds, 1),
            adapter=adapter,
            plan=plan_hash(plan),
            right=self._asked(night, adapter),
        )

    def _plan(self, night: int, chosen: Curriculum) -> tuple[TrainingPlan, snapshots.Snapshot]:
        recipe, share = self._profile.recipe, REPLAY_SHARE
        if chosen.parent:
            recipe = replace(recipe, learning_rate=WARM_LEARNING_RATE)
        if chosen.parent and self._policy == "alone":
            share = 0.0
            recipe = replace(recipe, epochs=TOKEN_BUDGET // sum(map(self._tokens, chosen.rows)))
        a_pass = round((len(chosen.rows) + chosen.replayed_a_pass) * share / (1 - share))
        made = snapshots.build(
            chosen.rows,
            replay_samples(SEEDLING, recipe.epochs * a_pass, SEED + night),
            seed=SEED,
            validation_share=0.0,
            anchor_share=share,
            count_tokens=self._tokens,
            max_tokens=self._profile.base.max_tokens,
            anchor_passes=recipe.epochs,
            replay=chosen.replay,
            replayed_a_pass=chosen.replayed_a_pass,
        )
        stored = snapshots.write(made, self._folder / "snapshots" / made.id, STARTED)
        run = self._folder / "runs" / f"{self._policy}-{night:02}"
        run.mkdir(parents=True, exist_ok=True)
        plan = make_plan(
            "seedling",
            self._profile.base,
            recipe,
            stored,
            device="cpu",
            threads=1,
            seed=SEED,
            run_folder=run,
            adapters_folder=self._folder / "adapters",
            created_at=STARTED,
            parent=chosen.parent,
            depth=chosen.depth,
        )
        return plan, stored

    def _trained_tokens(self, plan: TrainingPlan, snapshot: snapshots.Snapshot) -> int:
        """Tokens over all rows and passes."""
        lengths = [self._tokens(row) for row in snapshot.train]
        order = training_order(
            lengths,
            [index for index, row in enumerate(snapshot.train) if row.role == "anchor"],
            anchors_a_pass=snapshot.anchors_a_pass,
            replayed=[index for index, row in enumerate(snapshot.train) if row.role == "replay"],
            replayed_a_pass=snapshot.replayed_a_pass,
            epochs=plan.recipe.epochs,
            batch_size=plan.recipe.batch_size,
            by_length=plan.recipe.by_length,
            seed=plan.seed,
        )
        return sum(lengths[row] for row in order)

    def _asked(self, night: int, adapter: str) -> dict[str, tuple[int, int]]:
        """Right answers by group; an answer must equal the fact's in letters and digits."""
        from bonsai.model.hf import load_base

        loaded = load_base(self._profile.base, "cpu")
        if adapter:
            loaded.add_adapter(adapter, self._folder / "adapters" / adapter)
        groups = world.questions(night)
        asked = [(name, record) for name, records in groups.items() for record in records]
        generated = loaded.answerer(self._form, adapter or None).answers(
            [Question(record.instruction, record.context) for _, record in asked], [None] * len(asked)
        )
        right = {name: 0 for name in groups}
        for (name, record), said in zip(asked, generated, strict=True):
            right[name] += normalised(parse(said.text).response) == normalised(record.output)
        return {name: (right[name], len(groups[name])) for name in groups}


def _trained(plan: TrainingPlan) -> str:
    from bonsai.model import quiet_libraries

    shutil.rmtree(
        Path(plan.run_folder) / "checkpoints", ignore_errors=True
    )  # otherwise the training would resume, and its time would be too short
    with quiet_libraries():
        from bonsai.train.qlora import train

    return train(plan, lambda progress: None).id
