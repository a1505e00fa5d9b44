"""Worker process of an export: `python -m bonsai.evaluate.export_worker JOB.json`. Loads the model libraries.

Writes the form, asks the adapter through Bonsai, then asks the form in a process that knows only transformers and peft
(`bonsai/train/ask_exported.py`), and compares.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.errors import InputError, IntegrityError, NoRoom
from bonsai.evaluate.export import (
    CARD_FILE,
    CERTIFICATE_FILE,
    LEAST_EQUAL,
    MARGIN,
    AskedForm,
    Certificate,
    ExportJob,
    require_open,
)
from bonsai.evaluate.questions import Item
from bonsai.evaluate.scoring import score
from bonsai.model import to_gguf
from bonsai.model.answerer import Generated
from bonsai.model.bases import model_folder
from bonsai.model.chat_template import go_template
from bonsai.model.native import template_of
from bonsai.model.prompt import Question, Template, parse
from bonsai.system.files import is_full, write_atomic, write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import Emit, read_events, serve
from bonsai.train.manifest import library_versions, read_manifest

if TYPE_CHECKING:
    from bonsai.model.hf import LoadedBase

STEPS = 100
"Of the progress: the first tenth is for writing, the rest for the answers of both."
_WRITTEN = 10
Tell = Callable[[float], None]
"Gets the share that is done, from 0 to 1."


@dataclass(frozen=True, slots=True)
class Answered:
    """What the adapter said through Bonsai."""

    items: tuple[Item, ...]
    "Those that leave room for an answer."
    prompts: list[list[int]]
    answers: list[Generated]
    batch: int
    "Questions answered at once."


def work(job_file: Path, emit: Emit) -> Mapping[str, Any]:
    """Fill the folder; the result is the certificate."""
    job = from_values(ExportJob, json.loads(job_file.read_text("utf-8")))
    require_open(job.question_set)

    def told(begin: int, end: int) -> Tell:
        return lambda share: emit(
            {"type": "progress", "done": begin + round((end - begin) * min(share, 1)), "total": STEPS}
        )

    try:
        made = export(job, told)
    except OSError as error:
        if not is_full(error):
            raise
        target = Path(job.folder).parents[1]  # the folder is made in a temporary one beside its place
        raise NoRoom("storage.no_room", folder=target) from error
    return {"certificate": to_values(made)}


def export(job: ExportJob, told: Callable[[int, int], Tell]) -> Certificate:
    """Write, ask twice, compare. Raises IntegrityError, NoRoom, InputError."""
    from bonsai.train import exporting

    exporting.use_threads(job.threads)
    told(0, _WRITTEN)(0)
    folder = Path(job.folder)
    written = folder if job.form == asked_as(job) else Path(job.work) / "merged"
    written.mkdir(exist_ok=True)
    write_form(job, written)
    write_atomic(folder / CARD_FILE, job.card)
    require_no_paths(job, folder)
    told(0, _WRITTEN)(1)
    before = asked_through_bonsai(job, told(_WRITTEN, STEPS // 2))
    exporting.free_device(job.device)
    after = asked_alone(job, written, before, told(STEPS // 2, STEPS))
    made = certified(job, before, after)
    if written != folder:
        write_gguf(job, written, folder)
        require_no_paths(job, folder)
    write_json_atomic(folder / CERTIFICATE_FILE, to_values(made))
    return made


def write_form(job: ExportJob, folder: Path) -> None:
    """The files that are asked: an adapter for peft, or whole weights."""
    from safetensors import SafetensorError

    from bonsai.model.encoding import load_encoder
    from bonsai.train import exporting

    adapter = Path(job.adapter_folder)
    try:
        if asked_as(job) == "peft":
            exporting.write_peft(adapter, job.base, job.hub_id, folder)
        else:
            exporting.write_merged(adapter, job.base, folder)
    except SafetensorError as error:  # it hides the number of an OSError in its text
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error
    exporting.write_prompt(job.base, template(job), load_encoder(model_folder(job.base)), folder)


def require_no_paths(job: ExportJob, folder: Path) -> None:
    """Raises IntegrityError when a file names a path of this machine."""
    from bonsai.train.exporting import paths_in

    leaking = paths_in(folder, job.private)
    if leaking:
        raise IntegrityError("export.names_a_path", files=", ".join(leaking))


def write_gguf(job: ExportJob, merged: Path, folder: Path) -> None:
    """The GGUF file of the merged weights; for Ollama also its Modelfile and the licences."""
    from bonsai.model.encoding import load_encoder
    from bonsai.train.exporting import answer_budget

    to_gguf.convert(job.converter, merged, job.base.compute_dtype, folder / to_gguf.GGUF_FILE)
    if job.form == "ollama":
        form, encoder = template(job), load_encoder(model_folder(job.base))
        stops = [encoder.text([one]) for one in encoder.ends_of(form)]
        text = to_gguf.modelfile(go_template(form), stops, answer_budget(job.base), job.licence)
        write_atomic(folder / to_gguf.MODELFILE, text)


def asked_as(job: ExportJob) -> AskedForm:
    """The form that can be asked here."""
    return "peft" if job.form == "peft" else "merged"


def template(job: ExportJob) -> Template:
    """The adapter's own template. Raises TrainingError when it was altered since."""
    manifest = read_manifest(Path(job.adapter_folder))
    return template_of(model_folder(job.base), manifest.template, manifest.template_digest)


def asked_through_bonsai(job: ExportJob, tell: Tell) -> Answered:
    """Greedy answers of the adapter, with the one budget that the exported form has."""
    from bonsai.train import exporting
    from bonsai.train.adapters import load, open_answerer

    loaded: LoadedBase = load(job.base, job.device)
    answerer = open_answerer(loaded, Path(job.adapter_folder))
    form, asked = template(job), [_question(item) for item in job.items]
    fits = exporting.fitting(loaded, form, asked)
    items = tuple(item for item, fit in zip(job.items, fits, strict=True) if fit)
    if not items:
        raise InputError("export.no_room_for_answers", base=job.base.name)
    chosen = [_question(item) for item in items]
    answers = answerer.answers(
        chosen, [None] * len(chosen), exporting.answer_budget(job.base), lambda done: tell(done / len(chosen))
    )
    prompts = [list(loaded.encoder.question(form, one)) for one in chosen]
    return Answered(items, prompts, answers, loaded.batch)


def _question(item: Item) -> Question:
    return Question(item.instruction, item.input)


def asked_alone(job: ExportJob, folder: Path, before: Answered, tell: Tell) -> Mapping[str, Any]:
    """Prompts, answers and versions of the exported form. Raises IntegrityError when it cannot be opened."""
    peft = asked_as(job) == "peft"
    answers, file = Path(job.work) / "answers.json", Path(job.work) / "ask.json"
    values = {
        "folder": str(folder),
        "base": str(model_folder(job.base)) if peft else "",
        "nf4": peft and job.base.quantisation == "nf4",
        "double_quantisation": job.base.double_quantisation,
        "dtype": job.base.compute_dtype,
        "device": job.device,
        "threads": job.threads,
        "batch": before.batch,
        "messages": [{"role": "user", "content": one.instruction, "context": one.input} for one in before.items],
        "answers": str(answers),
    }
    write_json_atomic(file, values)
    script = str(resources.files("bonsai.train") / "ask_exported.py")
    with subprocess.Popen(
        [sys.executable, "-I", script, str(file)],  # -I: neither this folder nor PYTHONPATH is looked at
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=job.work, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for event in read_events(child.stdout):
            tell(int(event["done"]) / int(event["total"]))
        code = child.wait()
    tell(1)
    if code != 0:
        raise IntegrityError("export.does_not_open", form=job.form, code=code)
    found: dict[str, Any] = json.loads(answers.read_text("utf-8"))
    return found


def certified(job: ExportJob, before: Answered, after: Mapping[str, Any]) -> Certificate:
    """The certificate. Raises IntegrityError when the prompts are not Bonsai's, or the answers not near enough."""
    if after["prompts"] != before.prompts:
        wrong = sum(one != other for one, other in zip(after["prompts"], before.prompts, strict=True))
        raise IntegrityError("export.other_prompts", count=wrong, of=len(before.prompts))
    pairs = list(zip((one.text for one in before.answers), after["answers"], strict=True))
    equal = sum(one == other for one, other in pairs) / len(pairs)
    gradable, hits_before = _right(before.items, [one for one, _ in pairs])
    _, hits_after = _right(before.items, [other for _, other in pairs])
    right_before, right_after = hits_before / max(gradable, 1), hits_after / max(gradable, 1)
    made = Certificate(
        adapter=job.adapter, form=job.form, asked_as=asked_as(job), question_set=job.question_set,
        questions=len(pairs), left_out=len(job.items) - len(pairs), equal=equal, gradable=gradable,
        right_before=right_before, right_after=right_after, margin=MARGIN, least_equal=LEAST_EQUAL,
        device=job.device, versions={**library_versions(), **after["versions"]}, created_at=job.created_at,
    )  # fmt: skip
    if equal < LEAST_EQUAL or hits_before - hits_after > MARGIN * gradable:
        shares = {"equal": equal, "before": right_before, "after": right_after}
        words = {name: round(100 * share, 1) for name, share in shares.items()}
        raise IntegrityError("export.answers_differ", **words, questions=len(pairs))
    return made


def _right(items: Sequence[Item], answers: Sequence[str]) -> tuple[int, int]:
    """How many items have a right answer, and how many of them are answered so."""
    scored = (score(item, parse(said), ended=True) for item, said in zip(items, answers, strict=True))
    graded = [one.correct for one in scored if one.correct is not None]
    return len(graded), sum(graded)


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
