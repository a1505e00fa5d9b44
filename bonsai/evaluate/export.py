"""The export of an adapter in a form for other programs, certified: it is written, asked again as what it became, and
refused where it does not answer the same.

    certificate = ProcessExporter().export(job, on_progress)     # the folder of the job is filled

Light until the worker (`bonsai.evaluate.export_worker`) runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

from bonsai.errors import UsageError
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.model.bases import Base
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import LOWEST_PRIORITY, counting, run_worker

Form = Literal["peft", "merged", "gguf", "ollama"]
AskedForm = Literal["peft", "merged"]
FORMS: tuple[Form, ...] = get_args(Form)
CERTIFICATE_FILE, CARD_FILE = "certificate.json", "README.md"
ASKED = 200
"Questions that a form is asked: a drop of MARGIN is four answers, and small bases need about a minute."
MARGIN = 0.02
"Share of right answers that a form may lose on the adapter; rounding turns a near tie now and then, both ways."
LEAST_EQUAL = 0.5
"Share of answers that must be the same text: below it, it is another model, even where none of them is right."


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One export, fully resolved."""

    form: Form
    adapter: str
    "Its id."
    adapter_folder: str
    base: Base
    hub_id: str
    "Hub id of the base; empty for one that lies only on this machine."
    device: Literal["cpu", "cuda"]
    threads: int
    "CPU threads; 0 leaves it to torch."
    question_set: str
    "E.g. `v2/selection`; never a closed pool."
    items: tuple[Item, ...]
    card: str
    "Text of the model card."
    licence: str
    "For a Modelfile: whose the base and the data are."
    private: tuple[str, ...]
    "Paths of this machine that no exported text may hold."
    converter: str
    "Program that makes a GGUF file; empty where none is needed."
    folder: str
    "Empty; it is filled."
    work: str
    "Folder for job, answers and the merged weights of a conversion."
    created_at: str
    "ISO 8601, UTC."


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an exported form answered, beside the adapter through Bonsai."""

    adapter: str
    "The id: a hash over weights, base, template and snapshot."
    form: Form
    asked_as: AskedForm
    "A GGUF file cannot be asked here: what it was converted from was."
    question_set: str
    questions: int
    left_out: int
    "Questions that leave no room for an answer in the base's context."
    equal: float
    "Share of answers that are the same text."
    gradable: int
    "Questions that have a right answer."
    right_before: float
    "Share of them that the adapter answers rightly through Bonsai."
    right_after: float
    "The same of the exported form."
    margin: float
    "`right_before` may be larger by at most this."
    least_equal: float
    device: str
    versions: Mapping[str, str]
    created_at: str
    "ISO 8601, UTC."


class Exporter(Protocol):
    """Does the heavy work of an export."""

    def export(self, job: ExportJob, log: Path, on_progress: Callable[[int, int], None]) -> Certificate:
        """Fill the job's folder, its certificate included; `on_progress` gets (steps done, total steps).

        Raises IntegrityError when the form answers differently, NoRoom when the disk is full, InputError when the
        converter fails, WorkerDied when the process was killed.
        """


@dataclass(frozen=True, slots=True)
class ProcessExporter:
    """`Exporter` on this machine, at low priority."""

    nice: int = LOWEST_PRIORITY
    "Process priority: 0 is normal, 19 the lowest."

    def export(self, job: ExportJob, log: Path, on_progress: Callable[[int, int], None]) -> Certificate:
        """Run the worker."""
        file = Path(job.work) / "job.json"
        write_json_atomic(file, to_values(job))
        worker = "bonsai.evaluate.export_worker"
        done = run_worker(worker, file, log=log, on_event=counting(on_progress), nice=self.nice)
        return from_values(Certificate, done["certificate"])


def sample(items: Sequence[Item], count: int = ASKED) -> tuple[Item, ...]:
    """The same few items each time, in the order of their hashed ids: all domains and both languages are among them."""
    return tuple(sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).hexdigest())[:count])


def require_open(question_set: str) -> None:
    """Raises UsageError for a closed pool: a certificate would be one more look at it."""
    if questions.is_closed(question_set):
        pool = question_set.rpartition("/")[2]
        raise UsageError("pipeline.pool_closed", pool=pool, open="selection")
