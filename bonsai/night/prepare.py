"""Before a night trains: freeze the personal set, choose the snapshot, write the job for the accelerator's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from math import ceil
from pathlib import Path

from bonsai.config.settings import ProfileSettings, TrainingSettings
from bonsai.context import Bonsai
from bonsai.domain import snapshots
from bonsai.domain.promotion import BASE
from bonsai.domain.records import Status
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.errors import IntegrityError
from bonsai.evaluate import personal_set
from bonsai.evaluate.evaluation import EvaluatedModel
from bonsai.evaluate.questions import Item, item_values
from bonsai.gate import calibration, error_budget
from bonsai.gate.calibration import Calibration
from bonsai.gate.decision import Policy
from bonsai.ingest import dedup
from bonsai.ingest.dedup import paraphrases
from bonsai.model.bases import Base, find_device, model_folder, weights_hash
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.night import evaluation_job
from bonsai.system.json_values import from_values, to_values
from bonsai.train import adapters, continual, own_answers
from bonsai.train.continual import Curriculum, CurriculumLimits, Situation, TrainingCandidate
from bonsai.train.manifest import read_manifest
from bonsai.train.own_answers import OwnAnswers
from bonsai.train.plan import make_plan
from bonsai.train.replay import ReplaySource, replay_samples
from storage.connect import Connection
from storage.scale.pacing import read_in_batches
from storage.tables import (
    adapters_table,
    holdout_access_table,
    nights_table,
    personal_set_table,
    promotions_table,
    record_versions_table,
    records_table,
    settings_table,
)
from storage.tables.nights_table import Night
from storage.tables.personal_set_table import retired_fixed_items
from storage.tables.record_rows import StoredRecord

REPLAY_MEASURED = 400
"Replay samples measured, which gives their average length to within half a token."
REPLAY_ALLOWANCE = 1.0
"Tokens on top of that average, so that the replay samples of a night stay within its budget."


def freeze_personal_set(b: Bonsai, now: datetime) -> None:
    """Freeze one paraphrase of every own fact that has enough as an item of the personal set, before it can train.

    Items whose record is no longer active (held back, excluded, replaced, suspect) retire.
    """
    _retire_fallen(b, now)
    stored = {one.record.id: one for one in read_in_batches(b.database, records_table.eligible)}
    with b.database.reading() as con:
        items = personal_set_table.active_items(con)
        champion = promotions_table.champion(con).adapter
        learned = adapters_table.records_of(con, [] if champion == BASE else [champion])
    groups = paraphrases.paraphrase_groups([dedup.to_indexed(one.record, one.tags) for one in stored.values()])
    chosen = personal_set.hold_out_paraphrases(
        groups,
        known=frozenset((one.cluster, str(one.item["language"])) for one in items),
        corrections=frozenset(name for name, one in stored.items() if one.record.source == "feedback"),
        learned=learned,
    )
    if chosen:
        frozen = [_personal_item(stored[one.record_id], one.cluster, now) for one in chosen]
        with b.database.writing() as con:
            personal_set_table.freeze(con, frozen)


def _retire_fallen(b: Bonsai, now: datetime) -> None:
    with b.database.reading() as con:
        items = [one for one in personal_set_table.active_items(con) if not personal_set.is_written(one.id)]
        asked = records_table.get_many(con, {record for one in items for record in one.record_ids})
    standing = {one.record.id for one in asked if one.status is Status.ACTIVE}
    fallen = [one.id for one in items if not standing.intersection(one.record_ids)]
    if fallen:
        with b.database.writing() as con:
            personal_set_table.retire(con, fallen, personal_set_table.NOT_ACTIVE, now)


def _personal_item(stored: StoredRecord, cluster: str, now: datetime) -> personal_set_table.PersonalItem:
    item = personal_set.item_of(stored.record, stored.tags, stored.question_language, cluster)
    return personal_set_table.PersonalItem(item.id, item.cluster, item_values(item), (stored.record.id,), now)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The stored snapshot of a night, and why it was chosen."""

    snapshot: Snapshot
    curriculum: Curriculum
    own_answers: OwnAnswers | None
    "What the base replays; None for the seedling, which replays its facts."

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Records that it leaves out and that make no night by themselves: not drawn, or too long for the base."""
        return (*self.curriculum.passed_over, *self.snapshot.refused)

    @property
    def start_report(self) -> dict[str, object]:
        """Cold or warm and why, and what is replayed, for the night's report."""
        chosen, found = self.curriculum, self.own_answers
        values = {**chosen.values, "tokens": chosen.tokens, "still_due": len(chosen.still_due)}
        if found:
            values |= {"base": found.base, "prompts": found.prompts, "usable": len(found.rows)}
        return {
            "start": chosen.start,
            "parent": chosen.parent,
            "depth": chosen.depth,
            "why": chosen.why,
            "what": chosen.what,
            "replay": self.replay_key,
            "values": values,
        }

    @property
    def replay_key(self) -> str:
        """Text key of what is replayed; empty for the seedling."""
        found = self.own_answers
        if found is None:
            return ""
        return f"continual.{'few_' if found.few else ''}own_answers" if found.rows else "continual.no_own_answers"


def write_snapshot(b: Bonsai, key: str, source: ReplaySource, now: datetime, *, cold: bool = False) -> Prepared:
    """Choose and store the snapshot of the night `key`; `source` is what the base replays.

    `cold`: a person asked for a cold start.
    """
    profile = b.config.profiles[b.find_profile()]
    encoder = load_encoder(model_folder(profile.base))
    form = template_of(model_folder(profile.base), profile.recipe.template)
    settings, passes = b.config.training, profile.recipe.epochs
    count_tokens = cache(lambda row: encoder.tokens(form, row))
    candidates = _candidates(b, count_tokens, now)
    with b.database.reading() as con:
        situation = _situation(con, profile, now, cold)
    fitting = [one for one in candidates if one.tokens <= profile.base.max_tokens]
    too_long = [one.row for one in candidates if one.tokens > profile.base.max_tokens]
    lengths = [count_tokens(one) for one in replay_samples(source, REPLAY_MEASURED, settings.seed)]
    limits = _limits(profile, settings, sum(lengths) / len(lengths) + REPLAY_ALLOWANCE if lengths else 0.0)
    curriculum = continual.choose(fitting, situation, limits, salt=f"{settings.seed} {key}")
    a_pass = _replay_per_pass(len(curriculum.rows) + len(too_long) + curriculum.replayed_a_pass, settings)
    made = snapshots.build(
        [*curriculum.rows, *too_long],
        replay_samples(source, passes * a_pass, settings.seed),
        seed=settings.seed,
        validation_share=settings.validation_share,
        anchor_share=settings.anchor_share,
        count_tokens=count_tokens,
        max_tokens=profile.base.max_tokens,
        anchor_passes=passes,
        replay=curriculum.replay,
        replayed_a_pass=curriculum.replayed_a_pass,
    )
    found = own_answers.read(source) if isinstance(source, Path) else None
    return Prepared(snapshots.write(made, b.places.snapshots / made.id, now), curriculum, found)


def _candidates(b: Bonsai, count_tokens: Callable[[Example], int], now: datetime) -> list[TrainingCandidate]:
    """Every record that may train."""
    with b.database.reading() as con:
        due = frozenset(due_records(con))
        champion = promotions_table.champion(con).adapter
        learned = adapters_table.records_of(con, [] if champion == BASE else [champion])
    stored = ((one, example(one)) for one in read_in_batches(b.database, records_table.eligible))
    return [
        TrainingCandidate(
            row=row,
            tokens=count_tokens(row),
            arrival=number,
            age_days=(now - one.created_at).total_seconds() / 86_400,
            due=row.record_id in due,
            learned=row.record_id in learned,
        )
        for number, (one, row) in enumerate(stored)
    ]


def due_records(con: Connection) -> list[str]:
    """Records that may train and that the last trained night neither had nor passed over, or released since."""
    last = nights_table.latest_trained(con)
    due = records_table.new_since(con, last.outcome.snapshot_id if last else "")
    return due + _released_since(con, last, frozenset(due)) if last else due


def _released_since(con: Connection, last: Night, due: frozenset[str]) -> list[str]:
    """Suspects, say, that a person released: the last trained night had them, its adapter was refused."""
    champion = promotions_table.champion(con).adapter
    learned = adapters_table.records_of(con, [champion] if champion != BASE else [])
    released = record_versions_table.released_since(con, last.started_at)
    return [one for one in released if one not in due and one not in learned]


def _situation(con: Connection, profile: ProfileSettings, now: datetime, cold: bool) -> Situation:
    last_cold = nights_table.last_cold(con)
    made = Situation(
        cold_asked=cold,
        forgotten=settings_table.cold_night_due(con),
        days_since_cold=(now.date() - last_cold.date()).days if last_cold else None,
    )
    champion = promotions_table.champion(con).adapter
    if champion == BASE:
        return made
    adapter = adapters_table.get(con, champion)
    unfit = adapters.unfit(adapter.manifest, profile.base, profile.recipe)
    return replace(
        made,
        champion=champion,
        depth=adapters_table.depth(con, champion),
        unfit="forgotten" if adapter.needs_retrain else unfit,
    )


def _limits(profile: ProfileSettings, settings: TrainingSettings, replay_sample_tokens: float) -> CurriculumLimits:
    budget = profile.night
    return CurriculumLimits(
        token_budget=budget.token_budget if budget else continual.UNLIMITED,
        cold_token_budget=budget.cold_token_budget if budget else continual.UNLIMITED,
        passes=profile.recipe.epochs,
        replay_samples_a_row=settings.anchor_share / (1 - settings.anchor_share),
        replay_sample_tokens=replay_sample_tokens,
        cold_after_days=settings.cold_after_days,
        lineage_depth=settings.lineage_depth,
    )


def _replay_per_pass(own: int, settings: TrainingSettings) -> int:
    """Replay samples that the share asks for; 0.5 is one for each own row."""
    return ceil(own * settings.anchor_share / (1 - settings.anchor_share))


def example(stored: StoredRecord) -> Example:
    """A stored record as a row that trains."""
    tags = stored.tags
    return Example(
        record_id=stored.record.id,
        role="own",
        instruction=stored.record.instruction,
        context=stored.record.input,
        reasoning=tags.reasoning.value,
        category=tags.category.value,
        language=tags.language.value,
        output=stored.record.output,
    )


def write_job(b: Bonsai, key: str, prepared: Prepared, now: datetime) -> None:
    """All that the accelerator's side needs, in one file."""
    name = b.find_profile()
    profile = b.config.profiles[name]
    run = b.places.runs / key
    chosen, recipe = prepared.curriculum, profile.recipe
    if chosen.parent and profile.night:
        recipe = replace(recipe, learning_rate=profile.night.warm_learning_rate)
    plan = make_plan(
        name,
        profile.base,
        recipe,
        prepared.snapshot,
        device=find_device().kind,
        threads=b.config.training.threads,
        seed=b.config.training.seed,
        run_folder=run,
        adapters_folder=b.places.adapters,
        created_at=now,
        processes=b.config.training.processes,
        parent=chosen.parent,
        depth=chosen.depth,
    )
    claims, base_hash = claims_tonight(b), weights_hash(model_folder(profile.base))
    with b.database.reading() as con:
        champion, anchor = promotions_table.champion(con).adapter, _anchor(con, profile.base, base_hash)
        compared = [adapter for adapter in (champion, anchor) if adapter != BASE]
        job = evaluation_job.EvaluationJob(
            night=key,
            plan=plan,
            champion=_subject(con, champion),
            anchor=_subject(con, anchor) if anchor not in (BASE, champion) else None,
            suite=tuple(from_values(Item, one.item) for one in personal_set_table.active_items(con)),
            left_out=tuple(sorted(retired_fixed_items(con) | personal_set_table.trained_items(con, compared))),
            champion_must_go=champion != BASE and adapters_table.get(con, champion).needs_retrain,
            policy=claims.policy,
            settings=b.config.benchmark,
            reports_folder=str(b.places.reports),
            created_at=now.isoformat(),
            dealing=holdout_access_table.rotation(con),
            suite_version=personal_set_table.version(con),
            level=claims.level,
            calibrated_seeds=claims.calibrated_seeds,
            form=form_tonight(b, claims.calibration) if champion == BASE else None,
            twin_seed=None if chosen.parent else _twin_seed(b, claims),
        )
    evaluation_job.write_job(run, job)


@dataclass(frozen=True, slots=True)
class Claims:
    """By what the next night's claims of progress are judged."""

    policy: Policy
    "With the minimum gains that hold for tonight's base and recipe."
    level: float
    "What the error budget leaves for all claims together; never more than the level of harm."
    looks: tuple[bool, ...]
    "Nights that were judged for progress, oldest first; True: promoted."
    calibration: Calibration | None
    "Where the minimum gains were measured; None: they are the settings'."

    @property
    def calibrated_seeds(self) -> int:
        """Seeds that the minimum gains were measured on; 0: they are the settings'."""
        return self.calibration.seeds if self.calibration else 0


def claims_tonight(b: Bonsai) -> Claims:
    """The policy and the level of the next night."""
    profile, policy = b.config.profiles[b.find_profile()], b.config.gate.policy
    found = calibration.find((b.places.calibrations, calibration.SHIPPED), profile.base, profile.recipe)
    twins = calibration.read_twins(b.places.calibrations, profile.base, profile.recipe)
    found = calibration.with_twins(found, twins, profile.base, profile.recipe, policy)
    with b.database.reading() as con:
        looks = promotions_table.looks(con)
    level = min(error_budget.level(looks, policy.false_promotions), policy.alpha)
    return Claims(found.applied(policy) if found else policy, level, tuple(looks), found)


def _twin_seed(b: Bonsai, claims: Claims) -> int | None:
    """The seed of a second training of this cold night; None where the minimum gains rest on enough seeds."""
    profile = b.config.profiles[b.find_profile()]
    twins = calibration.read_twins(b.places.calibrations, profile.base, profile.recipe)
    known = max(claims.calibrated_seeds, len(twins) + 1)
    return b.config.training.seed + known if known <= b.config.gate.twins else None


def form_tonight(b: Bonsai, found: Calibration | None) -> EvaluatedModel | None:
    """The form adapter of a calibration; None if it has none, or it is gone, altered, or of other weights."""
    if found is None or not found.form:
        return None
    profile, folder = b.config.profiles[b.find_profile()], b.home / found.form
    try:
        manifest = read_manifest(folder)
    except IntegrityError:
        return None
    usable = not adapters.unfit(to_values(manifest), profile.base, profile.recipe)
    return EvaluatedModel(manifest.adapter_id, str(folder)) if usable else None


def _subject(con: Connection, adapter: str) -> EvaluatedModel:
    return EvaluatedModel(BASE) if adapter == BASE else EvaluatedModel(adapter, adapters_table.get(con, adapter).folder)


def _anchor(con: Connection, base: Base, base_hash: str) -> str:
    """The oldest promoted adapter of this base that learned from no forgotten record; the base before there is one."""
    promoted = (line.entry.champion_after for line in promotions_table.log(con))
    found = (adapters_table.get(con, one) for one in promoted if one != BASE)
    sound = (one for one in found if not one.needs_retrain and adapters.on_base(one.manifest, base, base_hash))
    return next((one.id for one in sound), BASE)
