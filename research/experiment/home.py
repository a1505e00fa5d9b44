"""Experiments in a home: inputs, folder, and a lock against concurrent runs.

An experiment reads the home's settings, and its records if asked to; it writes only in `experiments/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain.snapshots import Example
from bonsai.errors import InputError
from bonsai.model.bases import find_device, model_folder, weights_hash
from bonsai.night.device_lock import WAIT_SECONDS, lock_files
from bonsai.night.prepare import example
from bonsai.system.files import sha256_json, write_json_atomic
from bonsai.system.locks import file_lock
from research.experiment import question_sets, results
from research.experiment.plan import Design
from research.experiment.running import Bench
from research.samples.rows import sample_rows
from storage.scale.pacing import read_in_batches
from storage.tables import records_table

FOLDER = "experiments"
PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a run."""

    passes: int
    jobs: int
    "Parallel units; a GPU runs one."
    own_records: bool
    "The home's own records instead of the bundled ones."
    profile: str = "seedling"


def place_of(home: Path, name: str) -> Path:
    """Folder of an experiment."""
    return home / FOLDER / name


def bench(b: Bonsai, design: Design, options: RunOptions) -> Bench:
    """Everything that a run needs. Raises InputError if the home has no trainable records."""
    profile = b.config.profiles[options.profile]
    device = find_device().kind
    own = (own_rows(b) if options.own_records else sample_rows())[:: design.every]
    if not own:
        raise InputError("experiment.no_records", home=b.home)
    return Bench(
        place=place_of(b.home, design.name),
        profile=options.profile,
        base=profile.base,
        recipe=profile.recipe,
        device=device,
        anchor_share=b.config.training.anchor_share,
        passes=options.passes,
        own=own,
        trainer=b.trainer,
        jobs=options.jobs if device == "cpu" else 1,
        threads=1 if device == "cpu" and options.jobs > 1 else b.config.training.threads,
        nice=b.config.training.nice,
    )


def own_rows(b: Bonsai) -> tuple[Example, ...]:
    """The home's trainable records."""
    return tuple(example(one) for one in read_in_batches(b.database, records_table.eligible))


@contextmanager
def reserved(home: Path, made: Bench, design: Design) -> Iterator[None]:
    """Exclusive use of the experiment's folder and the GPU.

    Raises LockTimeout if the experiment is already running, InputError if the folder holds runs with other settings.
    """
    made.place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(file_lock(made.place / ".lock", exclusive=True, wait_seconds=0.0))
        if made.device == "cuda":
            for path in lock_files(home, find_device(), 1):
                stack.enter_context(file_lock(path, exclusive=True, wait_seconds=WAIT_SECONDS))
        _settle(made, question_sets.question_set(design.every).digest)
        yield


def _settle(made: Bench, questions: str) -> None:
    """Record what the runs depend on; runs with different settings never share a table."""
    about = {
        "profile": made.profile,
        "base": weights_hash(model_folder(made.base)),
        "recipe": json.loads(json.dumps(asdict(made.recipe))),
        "anchor_share": made.anchor_share,
        "passes": made.passes,
        "records": sha256_json([asdict(row) for row in made.own]),
        "questions": questions,
    }
    file = made.place / PLAN
    if results.read(made.runs_file) and file.is_file():
        before = json.loads(file.read_text("utf-8"))
        changed = [name for name, value in about.items() if before.get(name) != value]
        if changed:
            raise InputError("experiment.other_settings", folder=made.place, changed=", ".join(changed))
    write_json_atomic(file, about)
