"""A night, step by step: `SEQUENCE`. Every step may be killed and called again: it resumes.

    begin_night       read records -> freeze the personal set, write the snapshot and the job (database);
                      once for each base but the seedling: have it answer what it will replay
    train_night       job -> adapter                                                             (folders only)
    benchmark_night   job -> reports, decision                                                   (folders only)
    train_twin        only where the job asks for it: a second seed, for the calibration         (folders only)
    decide_night      decision -> database: adapter, candidate, openings, suspects
    promote_night     the candidate becomes champion (mode auto); the night is closed

What runs on the accelerator sees `runs/<night>/` and never the database, so it may run on another host.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from bonsai.config.settings import GateSettings
from bonsai.context import Bonsai
from bonsai.domain.promotion import GATE, State
from bonsai.errors import BonsaiError, IntegrityError, LockTimeout, PromotionError
from bonsai.evaluate import personal_set
from bonsai.night import evaluation_job
from bonsai.night.device_lock import alone_on_device
from bonsai.night.prepare import due_records, freeze_personal_set, write_job, write_snapshot
from bonsai.night.replay import find_replay
from bonsai.night.seed_training import train_alone
from bonsai.night.status import (
    UNFINISHED,
    Clock,
    begin_status,
    dead_nights,
    end_status,
    fail_night,
    is_dead,
    run_report,
    snapshot_made,
    watched,
)
from bonsai.night.twin import STEP as TWIN
from bonsai.night.twin import train_twin, wants_twin
from bonsai.system.locks import process_name
from bonsai.system.progress import Progress, Report, silent
from bonsai.train.manifest import MANIFEST_FILE, read_manifest
from storage import forgetting
from storage.connect import Connection
from storage.home import remove_leftovers, remove_unfinished
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
    snapshots_table,
)
from storage.tables.adapters_table import Adapter
from storage.tables.nights_table import Outcome, Start

StartStatus = Literal["started", "resumed", "nothing_to_do", "already_done"]
BEGUN: tuple[StartStatus, ...] = ("started", "resumed")
"After these, the steps of `SEQUENCE` follow."


@dataclass(frozen=True, slots=True)
class NightStart:
    """Result of `begin_night`."""

    night: str
    "Its key: date and data."
    status: StartStatus
    snapshot: str = ""


def begin_night(
    b: Bonsai, now: datetime, *, cold: bool = False, report: Report = silent, clock: Clock | None = None
) -> NightStart:
    """Claim tonight's key and write all that the training needs. Loads no model in this process.

    Before the first night of a base other than the seedling, that base answers the replay prompts: minutes to hours,
    told to `report` and timed by `clock`. `cold` (or a forgotten record) runs a night even without new records. Raises
    LockTimeout when another process runs this night, NightCancelled when a person asked for it.
    """
    _end_decided(b, now)
    dead_nights(b, now)
    freeze_personal_set(b, now)
    key = _key(b, now, cold)
    with b.database.reading() as con:
        due = cold or settings_table.cold_night_due(con)
        enough = due or len(due_records(con)) >= b.config.night.minimum_new_records
    with b.database.writing() as con:
        start = nights_table.begin(con, key, process_name(), now)
        if start is Start.ALREADY_RUNNING:
            raise LockTimeout("pipeline.night_running", night=key)
        if start is Start.ALREADY_FINISHED:
            return NightStart(key, "already_done")
        if not enough:
            nights_table.finish(con, key, _nothing(con), now)
            return NightStart(key, "nothing_to_do")
        begin_status(b, con, key, now)
        alone = not any(one.outcome.status == "running" and one.key != key for one in nights_table.list_nights(con))
    if alone:  # nobody else writes there: unfinished folders were left by a killed night
        remove_unfinished(b.places.adapters, MANIFEST_FILE)
        remove_leftovers(b.places)
    source = find_replay(b, key, report, clock or (lambda: now))
    prepared = write_snapshot(b, key, source, now, cold=cold)
    snapshots_table.pass_over(b.database, prepared.snapshot.id, sorted(prepared.passed_over))
    with b.database.writing() as con:
        snapshots_table.add(con, prepared.snapshot, now)
        nights_table.describe(con, key, prepared.start_report)
    write_job(b, key, prepared, now)
    return NightStart(key, "resumed" if start is Start.TAKEN_OVER else "started", prepared.snapshot.id)


def _end_decided(b: Bonsai, now: datetime) -> None:
    """End the nights that died right after their verdict. It may have changed the data, and with it their key."""
    with b.database.reading() as con:
        decided = {one.night for one in promotions_table.list_promotions(con)}
        begun = [one for one in nights_table.list_nights(con) if one.key in decided]
    for night in begun:
        if night.outcome.status in UNFINISHED or is_dead(night):
            try:
                promote_night(b, night.key, now)
            except (PromotionError, IntegrityError) as error:  # another champion since; a folder that is gone
                fail_night(b, night.key, error, now)


def _key(b: Bonsai, now: datetime, cold: bool) -> str:
    """Date and data; an unfinished night on the same data resumes under its own key, whatever its date."""
    data = records_table.data_hash(read_in_batches(b.database, records_table.data_lines))[:8] + (
        "-cold" if cold else ""
    )
    with b.database.reading() as con:
        nights = nights_table.list_nights(con)
    unfinished = (
        one.key for one in nights if one.key.endswith(f"-{data}") and one.outcome.status in ("running", *UNFINISHED)
    )
    return next(unfinished, f"{now:%Y-%m-%d}-{data}")


def _nothing(con: Connection) -> Outcome:
    champion = promotions_table.champion(con).adapter
    return Outcome("nothing_to_do", champion=champion, chain_head=promotions_table.head(con))


def train_night(b: Bonsai, night: str, report: Report) -> str:
    """Returns the challenger's id. One training at a time on this machine; resumes from its last checkpoint."""
    run = b.places.runs / night
    job = evaluation_job.read_job(run)
    adapter = train_alone(b, job.plan, report)
    evaluation_job.write_adapter(run, adapter)
    return adapter.id


def benchmark_night(b: Bonsai, night: str, report: Report) -> None:
    """Evaluate the challenger, decide, write the result into the run's folder."""
    run = b.places.runs / night
    job = evaluation_job.read_job(run)
    waiting = Progress("benchmark", 0, 1)
    with alone_on_device(b.home, job.plan.device, job.plan.processes, lambda: report(waiting)):
        result = evaluation_job.evaluate_challenger(
            job,
            evaluation_job.read_adapter(run),
            b.evaluator,
            lambda done, total: report(Progress("benchmark", done, total)),
        )
    evaluation_job.write_result(run, result)


def decide_night(b: Bonsai, night: str, now: datetime) -> str:
    """Write the result into the database: adapter, candidate, opened pool, suspects. Returns the verdict."""
    run = b.places.runs / night
    job, result = evaluation_job.read_job(run), evaluation_job.read_result(run)
    manifest = read_manifest(Path(result.folder))
    decision = result.decision
    with b.database.writing() as con:
        adapters_table.add(
            con,
            Adapter(
                result.challenger,
                manifest.base_name,
                manifest.snapshot_id,
                result.folder,
                asdict(manifest),
                now,
                parent=job.plan.parent,
            ),
        )
        evidence = asdict(result.evidence)
        promotions_table.propose(con, result.challenger, night, job.champion.adapter, decision, evidence, now)
        if decision.confirmation_opened:
            holdout_access_table.record_access(con, evaluation_job.CONFIRMATION, night, now, dealing=job.dealing)
            holdout_access_table.rotate_when_due(
                con, evaluation_job.CONFIRMATION, night, job.policy.openings_before_rotation, now
            )
        if decision.harm:
            record_versions_table.mark_suspects(con, _newly_learned(con, job), night, now)
    return decision.verdict


def _newly_learned(con: Connection, job: evaluation_job.EvaluationJob) -> list[str]:
    """Records that the challenger learned and the champion did not, and records frozen as items since the champion."""
    learned = snapshots_table.record_ids(con, job.plan.snapshot_id)
    known = adapters_table.records_of(con, [job.champion.adapter] if job.champion.folder else [])
    since = adapters_table.get(con, job.champion.adapter).created_at if job.champion.folder else None
    frozen = (item for item in personal_set_table.frozen_after(con, since) if not personal_set.is_written(item.id))
    asked = {one for item in frozen for one in item.record_ids}
    return sorted((learned | asked) - known)


def promote_night(b: Bonsai, night: str, now: datetime) -> str:
    """`promoted`, `waiting` (mode review) or `kept`; closes the night. Safe to repeat."""
    result = evaluation_job.read_result(b.places.runs / night)
    with b.database.writing() as con:
        before = promotions_table.get(con, result.challenger).judged_against
        state = promotions_table.get(con, result.challenger).state
        if state is State.WAITING and b.config.gate.mode == "auto":
            promotions_table.approve(con, result.challenger, GATE, result.decision.verdict, now)
            state = State.CHAMPION
        forgetting.finish_cold_night(con, result.challenger, now)
        outcome = _outcome(con, result, before, b.config.gate, run_report(b, night, now))
        nights_table.finish(con, night, outcome, now)
        snapshots_table.keep_passed_over(con, outcome.snapshot_id)
    end_status(b, night, "done", now)
    return {State.CHAMPION: "promoted", State.WAITING: "waiting"}.get(state, "kept")


def _outcome(
    con: Connection, result: evaluation_job.EvaluationResult, before: str, gate: GateSettings, ran: Mapping[str, object]
) -> Outcome:
    values = json.loads(json.dumps(asdict(result)))
    measured = {name: values[name] for name in ("accuracy", "suite", "score")}
    return Outcome(
        "done",
        verdict=result.decision.verdict,
        reasons=[{"key": one.key, "values": dict(one.values)} for one in result.decision.reasons],
        snapshot_id=adapters_table.get(con, result.challenger).snapshot_id,
        challenger=result.challenger,
        champion=before,
        report={**measured, "gate": _gate_state(con, result, gate), **ran},
        chain_head=promotions_table.head(con),
    )


def _gate_state(
    con: Connection, result: evaluation_job.EvaluationResult, gate: GateSettings
) -> dict[str, str | int | bool]:
    """How used up the confirmation pool is, and how far the personal set is from deciding."""
    evidence = result.evidence
    return {
        "openings": holdout_access_table.accesses(con, evaluation_job.CONFIRMATION, evidence.dealing),
        "openings_before_rotation": gate.openings_before_rotation,
        "dealt_anew": holdout_access_table.rotation(con) > evidence.dealing,
        "suite_version": evidence.suite_version,
        "suite_items": evidence.suite_items,
        "suite_clusters": evidence.suite_clusters,
        "min_clusters": gate.min_clusters,
    }


Place = Literal["accelerator", "database"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a night that has begun."""

    name: str
    place: Place
    "What it needs; the accelerator may be on another host."
    work: Callable[[Bonsai, str, Report, Clock], str | None]
    "Of a night's key."


SEQUENCE = (
    Step("train", "accelerator", lambda b, night, report, clock: train_night(b, night, report)),
    Step("benchmark", "accelerator", lambda b, night, report, clock: benchmark_night(b, night, report)),
    Step("twin", "accelerator", lambda b, night, report, clock: train_twin(b, night, report, clock())),
    Step("decide", "database", lambda b, night, report, clock: decide_night(b, night, clock())),
    Step("promote", "database", lambda b, night, report, clock: promote_night(b, night, clock())),
)
"The steps after `begin_night`, in their order."


def steps_at(place: Place) -> tuple[Step, ...]:
    """The steps of one place, in their order."""
    return tuple(step for step in SEQUENCE if step.place == place)


def run_step(b: Bonsai, night: str, step: Step, report: Report, clock: Clock) -> str | None:
    """One step, with its status kept. Raises NightCancelled when a person asked for it."""
    if step.name == TWIN and not wants_twin(b, night):
        return None
    with watched(b, night, step.name, report, clock) as tell:
        return step.work(b, night, tell, clock)


def run_sequence(
    night: str, status: str, run: Callable[[Place, str], object], fail: Callable[[str, BonsaiError], object]
) -> None:
    """Run what follows `begin_night`: first the accelerator's steps, then those of the database.

    Only an error of the former fails the night; the next start makes up for the latter.
    """
    if status not in BEGUN:
        return
    try:
        run("accelerator", night)
    except BonsaiError as error:
        fail(night, error)
        raise
    run("database", night)


def run_night(
    b: Bonsai, now: datetime, report: Report, *, cold: bool = False, clock: Clock | None = None
) -> NightStart:
    """All steps in a row, in this process and its children: what a flow does, without Prefect.

    `clock` times the steps; without one they all happen `now`.
    """
    tick = clock or (lambda: now)
    begun = begin_night(b, now, cold=cold, report=report, clock=tick)
    if begun.status in BEGUN:
        snapshot_made(b, begun.night, tick())

    def run(place: Place, night: str) -> None:
        for step in steps_at(place):
            run_step(b, night, step, report, tick)

    run_sequence(begun.night, begun.status, run, lambda night, error: fail_night(b, night, error, tick()))
    return begun
