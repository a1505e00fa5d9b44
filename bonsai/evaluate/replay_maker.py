"""Makes the own answers that a base replays, once, in a process of its own; a file for each base and way to ask it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

from bonsai.evaluate import questions
from bonsai.evaluate.scoring import SCORING_VERSION
from bonsai.model.bases import SEEDLING, Base, model_folder, weights_hash
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.system.files import sha256_json, write_json_atomic
from bonsai.system.json_values import to_values
from bonsai.system.processes import LOWEST_PRIORITY, counting, run_worker
from bonsai.train import own_answers
from bonsai.train.replay import ReplaySource

_NAMES_ONLY = ("name", "model", "revision")
"Fields of a base that say where it is found, not what it answers."


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """One base to be asked."""

    base: Base
    device: Literal["cpu", "cuda"]
    template: str
    path: str
    "Of the file with its answers, which appears when all is done."
    run_folder: str
    "Of the night; the job and the worker's log lie there."


class ReplayMaker(Protocol):
    """Has a base answer the prompts."""

    def make(self, job: ReplayJob, on_progress: Callable[[int, int], None]) -> None:
        """Write the file; `on_progress` gets (prompts answered, prompts), also while a batch is answered.

        Raises WorkerDied if the process was killed; then there is no file.
        """


@dataclass(frozen=True, slots=True)
class ProcessReplayMaker:
    """`ReplayMaker` in a process of its own on this machine, at low priority."""

    nice: int = LOWEST_PRIORITY
    "Process priority: 0 is normal, 19 the lowest."

    def make(self, job: ReplayJob, on_progress: Callable[[int, int], None]) -> None:
        """Run the worker; its log is the night's."""
        run = Path(job.run_folder)
        write_json_atomic(run / "replay.json", to_values(job))

        worker, log = "bonsai.evaluate.replay_worker", run / "log.txt"
        run_worker(worker, run / "replay.json", log=log, on_event=counting(on_progress), nice=self.nice)


def source_of(base: Base, template_name: str, folder: Path) -> ReplaySource:
    """What a base replays: the seedling its facts, another its file in `folder`, made or not.

    Raises ConfigError when the base is not on this machine.
    """
    return SEEDLING if base.model == SEEDLING else answers_file(base, template_name, folder)


def answers_file(base: Base, template_name: str, folder: Path) -> Path:
    """Named by a hash of all that the answers and their choice depend on, but device and libraries: these change
    roundings, and a base is not asked anew for them."""
    weights = model_folder(base)
    form = template_of(weights, template_name)
    asked = {name: value for name, value in asdict(base).items() if name not in _NAMES_ONLY}
    chosen = [SCORING_VERSION, *map(questions.questions_hash, questions.versions())]
    depends_on = [
        own_answers.FORMAT,
        weights_hash(weights),
        load_encoder(weights).digest,
        asked,
        form.name,
        form.digest,
        own_answers.prompts_text(),
        chosen,
    ]
    return folder / f"{sha256_json(depends_on)[:16]}.jsonl.gz"
