"""Runs an experiment: trains and measures missing units, several in parallel.

place/runs.jsonl            the results, appended          place/work/<unit>/     a unit in progress
place/adapters/             its adapters: never a home's

A killed experiment continues where it stopped: finished units have lines, an unfinished training resumes from its
checkpoint. Several units run at once with one thread each, which avoids the synchronisation within a small step.
"""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.model.bases import Base, model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import template
from bonsai.system.files import sync_folder, write_json_atomic
from bonsai.system.json_values import from_values
from bonsai.system.processes import run_worker
from bonsai.system.progress import Progress, Report
from bonsai.train.checkpoints import MARKER
from bonsai.train.plan import Recipe, Trainer, TrainingPlan, make_plan
from bonsai.train.plan import TrainingProgress as Step
from research.experiment import question_sets, results
from research.experiment.plan import POINTS, Design, Unit, units
from research.experiment.results import Run
from research.experiment.rows import Room, response_bytes, snapshot_of
from research.experiment.worker import Job, to_json

_TOKENS_A_SECOND, ASKING_SECONDS = 4000, 45
"Per idle core; used for the plan's estimate only."
_WEIGHTS = ("adapter_model.safetensors", "adapter_config.json")


@dataclass(frozen=True, slots=True)
class Bench:
    """What all runs of an experiment share."""

    place: Path
    "The experiment's folder."
    profile: str
    base: Base
    recipe: Recipe
    device: Literal["cpu", "cuda"]
    anchor_share: float
    passes: int
    own: tuple[Example, ...]
    trainer: Trainer
    jobs: int
    "Parallel units."
    threads: int
    "CPU threads of each; 0 leaves it to torch."
    nice: int

    @property
    def runs_file(self) -> Path:
        """The results."""
        return self.place / results.RUNS

    def snapshot(self, unit: Unit) -> Snapshot:
        """The unit's training rows, unwritten."""
        encoder, form = load_encoder(model_folder(self.base)), template(unit.arm.template)
        room = Room(lambda row: encoder.tokens(form, row), self.base.max_tokens, self.anchor_share)
        return snapshot_of(unit.arm, self.own, self.passes_of(unit), unit.seed, room)

    def passes_of(self, unit: Unit) -> int:
        """Passes over the own records."""
        return self.passes * unit.arm.longer


def missing(bench: Bench, design: Design, seeds: Sequence[int]) -> tuple[Unit, ...]:
    """Units without a result, in running order."""
    finished = results.read(bench.runs_file)
    return tuple(unit for unit in units(design, seeds) if unit.key not in finished)


def run(bench: Bench, design: Design, seeds: Sequence[int], now: datetime, report: Report) -> None:
    """Run what is missing. `report` gets `experiment` steps: runs done, total runs."""
    waiting = missing(bench, design, seeds)
    for finished in results.read(bench.runs_file):  # a run killed after its line was written leaves its folder
        shutil.rmtree(_work_folder(bench, finished), ignore_errors=True)
    total = len(tuple(units(design, seeds)))
    report(Progress("experiment", total - len(waiting), total))
    for done, made in enumerate(_in_parallel(lambda unit: one(bench, design, unit, now), waiting, bench.jobs), 1):
        results.append(bench.runs_file, made)
        shutil.rmtree(_work_folder(bench, made.key), ignore_errors=True)
        report(Progress("experiment", total - len(waiting) + done, total))


def _in_parallel(work: Callable[[Unit], Run], waiting: Sequence[Unit], jobs: int) -> Iterator[Run]:
    """Results as they finish, `jobs` at once; the first error ends it.

    Daemon threads instead of an executor: an interrupted command and its workers end at once.
    """
    todo: queue.SimpleQueue[Unit] = queue.SimpleQueue()
    for unit in waiting:
        todo.put(unit)
    done: queue.SimpleQueue[Run | BaseException] = queue.SimpleQueue()

    def serve() -> None:
        try:
            while True:
                done.put(work(todo.get_nowait()))
        except queue.Empty:
            return
        except BaseException as error:  # raised again in the caller's thread
            done.put(error)

    for _ in range(min(jobs, len(waiting))):
        threading.Thread(target=serve, daemon=True).start()
    for _ in waiting:
        made = done.get()
        if isinstance(made, BaseException):
            raise made
        yield made


def one(bench: Bench, design: Design, unit: Unit, now: datetime) -> Run:
    """Train (unless it is the bare base) and measure one unit."""
    folder = _work_folder(bench, unit.key)
    folder.mkdir(parents=True, exist_ok=True)
    training: dict[str, float] = {}
    losses: dict[int, float] = {}
    adapter, last, seen = "", 0, []
    if unit.seed:
        snapshot = snapshots.write(bench.snapshot(unit), folder / "snapshot", now)
        plan = _plan(bench, unit, snapshot, folder, now)
        watcher = Watcher(Path(plan.run_folder), folder / "seen")
        watcher.gather()
        made = bench.trainer.train(plan, watcher.on_progress)
        adapter, last, seen, losses = str(made.path), plan.steps, watcher.seen(), watcher.losses()
        training = _training(snapshot, plan, bench.passes_of(unit))
    asked = question_sets.question_set(design.every)
    job = Job(
        base=bench.base,
        device=bench.device,
        template=unit.arm.template,
        adapter=adapter,
        step=last,
        checkpoints=tuple((step, str(path)) for step, path in seen if step < last),
        items=asked.items,
        curve_items=asked.pool,
        limits=design.limits if unit.seed and unit.arm.name in design.limited else (),
    )
    measured = _measure(bench, job, folder)
    return _line(unit, training, losses, measured)


def _plan(bench: Bench, unit: Unit, snapshot: Snapshot, folder: Path, now: datetime) -> TrainingPlan:
    """Checkpoints are written, and measured, POINTS times."""
    recipe = replace(bench.recipe, template=unit.arm.template, epochs=bench.passes_of(unit))
    run = folder / "run"
    run.mkdir(exist_ok=True)
    plan = make_plan(
        bench.profile, bench.base, recipe, snapshot,
        device=bench.device, threads=bench.threads, seed=unit.seed, run_folder=run,
        adapters_folder=bench.place / "adapters", created_at=now,
    )  # fmt: skip
    return replace(plan, recipe=replace(recipe, checkpoint_steps=max(1, plan.steps // POINTS)))


def _training(snapshot: Snapshot, plan: TrainingPlan, passes: int) -> dict[str, float]:
    own = sum(row.role == "own" for row in snapshot.train)
    return {
        "own": own,
        "anchors": snapshot.anchors_a_pass * passes,
        "passes": passes,
        "steps": plan.steps,
        "response_bytes": response_bytes(snapshot, passes),
    }


def _measure(bench: Bench, job: Job, folder: Path) -> dict[str, Any]:
    file = folder / "measure.json"
    write_json_atomic(file, to_json(job))
    threads = {"OMP_NUM_THREADS": str(bench.threads)} if bench.threads else {}
    return run_worker(
        "research.experiment.worker", file, log=folder / "log.txt", on_event=lambda event: None, nice=bench.nice,
        environment=threads,
    )  # fmt: skip


def _line(unit: Unit, training: Mapping[str, float], losses: Mapping[int, float], measured: Mapping[str, Any]) -> Run:
    identity = {
        "key": unit.key,
        "arm": unit.arm.name if unit.seed else "base",
        "seed": unit.seed,
        "template": unit.arm.template,
        "training": dict(training),
        "losses": [round(losses[step], 3) for step in sorted(losses)],
    }
    return from_values(results.Run, {**identity, **measured})


def _work_folder(bench: Bench, key: str) -> Path:
    return bench.place / "work" / key.replace("/", "-")


@dataclass(frozen=True, slots=True)
class Watcher:
    """Keeps a training's losses and the LoRA weights of its checkpoints, of which the training keeps only two."""

    run: Path
    kept: Path

    def on_progress(self, step: Step) -> None:
        """A step is reported before its checkpoint is written, so the previous one is complete by now."""
        self.kept.mkdir(parents=True, exist_ok=True)
        with (self.kept / "losses.tsv").open("a", encoding="utf-8") as file:
            file.write(f"{step.step}\t{step.loss}\n")
        self.gather()

    def gather(self) -> None:
        """Copy the weights of every complete checkpoint not copied yet."""
        for checkpoint in (self.run / "checkpoints").glob("checkpoint-*"):
            step = checkpoint.name.rpartition("-")[2]
            if (self.kept / step).is_dir() or not (checkpoint / MARKER).is_file():
                continue
            beside = self.kept / f".{step}"
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            for name in _WEIGHTS:
                shutil.copyfile(checkpoint / name, beside / name)
            beside.rename(self.kept / step)
            sync_folder(self.kept)

    def seen(self) -> list[tuple[int, Path]]:
        """Copied weights by step."""
        return sorted((int(path.name), path) for path in self.kept.glob("*") if path.name.isdigit())

    def losses(self) -> dict[int, float]:
        """By step; a step repeated after a kill counts once, the last time."""
        file = self.kept / "losses.tsv"
        if not file.is_file():
            return {}
        pairs = (line.split("\t") for line in file.read_text("utf-8").splitlines())
        return {int(step): float(loss) for step, loss in pairs}


def expected_seconds(bench: Bench, snapshot: Snapshot, passes: int) -> float:
    """Estimated duration on one idle core, measured on the seedling; for the plan only."""
    encoder, form = load_encoder(model_folder(bench.base)), template(bench.recipe.template)
    again = sum(encoder.tokens(form, row) for row in snapshot.train if row.role == "own")
    return ASKING_SECONDS + (snapshot.train_tokens + (passes - 1) * again) / _TOKENS_A_SECOND
