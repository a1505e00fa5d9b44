"""Worker process of a measurement: `python -m research.experiment.worker JOB.json`. Loads torch.

Loads the base once, asks one adapter (or the bare base with a template) all questions in each generation mode, and
measures the checkpoints of its training. Writes only the result.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import items_hash
from bonsai.evaluate.scoring import score
from bonsai.ingest.tags.language import detect
from bonsai.model.answerer import Answerer, Generated
from bonsai.model.bases import Base
from bonsai.model.prompt import END, Question, Template, parse, template
from bonsai.system.json_values import from_values
from bonsai.system.processes import Emit, serve
from research.experiment.plan import PIPELINE, UNSTOPPED
from research.experiment.results import SPOKEN, Answers, Costs, Point, packed

if TYPE_CHECKING:
    from bonsai.model.hf import LoadedBase
    from research.experiment.losses import Cost


UNSTOPPED_TOKENS = 64
_NEVER_SAID = "Ā"
"Byte 0 in the alphabet of byte-level tokenizers: a token that no text contains, in place of end-of-text."


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement."""

    base: Base
    device: str
    template: str
    adapter: str
    "The adapter's folder; empty for the bare base."
    step: int
    "Last step of its training; 0 for the bare base."
    checkpoints: tuple[tuple[int, str], ...]
    "(step, folder with the LoRA weights) of each checkpoint."
    items: tuple[Item, ...]
    curve_items: int
    "Number of items, from the first on, that checkpoints are measured on."
    limits: tuple[int, ...]
    "Token limits of further generation modes; empty: only the product's mode."


def to_json(job: Job) -> dict[str, Any]:
    """The job as JSON values."""
    made: dict[str, Any] = json.loads(json.dumps(asdict(job)))
    return made


def from_json(values: Mapping[str, Any]) -> Job:
    """The job of `to_json`."""
    parts = {
        "base": Base(**values["base"]),
        "checkpoints": tuple((int(step), str(folder)) for step, folder in values["checkpoints"]),
        "items": tuple(from_values(Item, one) for one in values["items"]),
        "limits": tuple(values["limits"]),
    }
    return Job(**{**values, **parts})


def work(file: Path, emit: Emit) -> Mapping[str, Any]:
    """Measure; the result has the fields of a `Run` that depend on the model."""
    from bonsai.train.adapters import load, open_answerer
    from research.experiment.losses import costs

    job = from_json(json.loads(file.read_text("utf-8")))
    started, form = time.perf_counter(), template(job.template)
    loaded = load(job.base, job.device)
    folder = Path(job.adapter) if job.adapter else None
    answerer = open_answerer(loaded, folder, job.template)
    name = folder.name if folder else None
    answers_by_way = {PIPELINE: answers(job.items, _ask(answerer, job.items))}
    few = job.items[: job.curve_items]
    for limit in job.limits:
        answers_by_way[str(limit)] = answers(few, _ask(answerer, few, limit))
    never = loaded.encoder.tokenizer.token_to_id(_NEVER_SAID) if job.limits else None
    if never is not None:
        answers_by_way[UNSTOPPED] = answers(few, _unstopped(loaded, never, form, name, few))
    found = costs(loaded, form, name, job.items)
    curve = [point(step, few, costs(loaded, form, _slot(loaded, step, at), few)) for step, at in job.checkpoints]
    curve.append(point(job.step, few, found[: job.curve_items]))
    return {
        "items_hash": items_hash(job.items),
        "seconds": round(time.perf_counter() - started, 1),
        "curve": [asdict(one) for one in curve],
        "costs": asdict(columns(job.items, found)),
        "answers": {way: asdict(one) for way, one in answers_by_way.items()},
    }


def _slot(loaded: LoadedBase, step: int, folder: str) -> str:
    name = f"step-{step}"
    loaded.add_adapter(name, Path(folder))
    return name


def _ask(answerer: Answerer, items: Sequence[Item], limit: int | None = None) -> list[Generated]:
    return answerer.answers([Question(one.instruction, one.input) for one in items], [None] * len(items), limit)


def _unstopped(
    loaded: LoadedBase, never: int, form: Template, adapter: str | None, items: Sequence[Item]
) -> list[Generated]:
    """Generate with `never` as the stop token; end-of-text itself is not shown."""
    from bonsai.model.hf import LoadedBase

    encoder = replace(loaded.encoder, ends=(never,))
    deaf = LoadedBase.around(loaded.base, loaded.model, encoder, {adapter} if adapter else set())
    said = _ask(deaf.answerer(form, adapter), items, UNSTOPPED_TOKENS)
    return [replace(one, text=one.text.replace(END, "")) for one in said]


def answers(items: Sequence[Item], said: Sequence[Generated]) -> Answers:
    """Scores, lengths and languages of the answers."""
    parsed = [parse(one.text) for one in said]
    together = zip(items, parsed, said, strict=True)
    judged = [score(item, one, ended=made.ended) for item, one, made in together]
    return Answers(
        flags="".join(map(packed, judged)),
        lengths=tuple(len(one.response.encode()) for one in parsed),
        spoken="".join(_spoken(one.response) for one in parsed),
    )


def _spoken(response: str) -> str:
    return SPOKEN.get(detect(response).value, "o") if any(map(str.isalpha, response)) else "-"


def columns(items: Sequence[Item], found: Sequence[Cost]) -> Costs:
    """Costs by item, in thousandths."""
    sizes = [len(item.reference.encode()) for item in items]
    pairs = list(zip(sizes, found, strict=True))
    return Costs(
        response=_thousandths(one.response_bits / size for size, one in pairs),
        with_tags=_thousandths((one.declared_bits + one.response_bits) / size for size, one in pairs),
        loss=_thousandths(one.loss for _, one in pairs),
    )


def _thousandths(values: Iterable[float]) -> tuple[int, ...]:
    return tuple(round(1000 * value) for value in values)


def point(step: int, items: Sequence[Item], found: Sequence[Cost]) -> Point:
    """Means over the items."""
    made = columns(items, found)
    means = [math.fsum(column) / len(items) / 1000 for column in (made.response, made.with_tags, made.loss)]
    return Point(step, *(round(one, 4) for one in means))


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
