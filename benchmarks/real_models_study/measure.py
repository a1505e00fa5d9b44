"""One owner on one base: the night, the four arms, the seed's questions. Loads no torch; workers do."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.owners_data import Owner
from benchmarks.real_models_study import homes
from benchmarks.real_models_study.lines import ARMS, Asked, Line, Measured, Reply, SeedAnswer
from benchmarks.real_models_study.questions import SEED_QUESTIONS, Asking, askings
from benchmarks.real_models_study.worker import Job, Said, ask
from bonsai.evaluate.questions import Item
from bonsai.evaluate.scoring import score
from bonsai.model.answerer import Generated
from bonsai.model.prompt import Question, parse
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.train.manifest import library_versions

MODELS = ("base", "adapter")


@dataclass(frozen=True, slots=True)
class Answers:
    """What both models said, and how long it took."""

    seconds: float
    said: dict[str, Said]


def measured(owner: Owner, source: str, name: str, prepared: dict[str, Measured], folder: Path) -> Line:
    """The owner's line; what `folder` holds is not made again."""
    place = folder / f"{owner.household}-{len(owner.facts)}"
    place.mkdir(parents=True, exist_ok=True)
    night, adapter = homes.night_of(owner, place, folder)
    print(f"{owner.household}: night {night.cost.seconds:.0f} s, {night.verdict}", flush=True)
    asked = askings(owner)
    answers = _answers(asked, adapter, place)
    print(f"{owner.household}: asked in {answers.seconds:.0f} s", flush=True)
    return Line(
        base=name,
        source=Path(source).name,
        parameters=homes.parameters_of(folder, name),
        owner=owner.household,
        records=len(owner.facts),
        prepared=prepared,
        night=night,
        asking_seconds=answers.seconds,
        asked=judged(asked, answers.said),
        seed=_seed(answers.said, 2 * len(asked)),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=library_versions(),
    )


def _answers(asked: Sequence[Asking], adapter: Path, place: Path) -> Answers:
    """Asked once and kept: `answers.json`."""
    kept = place / "answers.json"
    if kept.is_file():
        return from_values(Answers, json.loads(kept.read_text("utf-8")))
    base, device, template = homes.base_of(adapter)
    plain, informed = items_of(asked)
    questions = [Question(item.instruction, item.input) for item in (*plain, *informed)]
    job = Job(
        base=base,
        device=device,
        template=template,
        adapters={"base": "", "adapter": str(adapter)},
        questions=(*questions, *map(Question, SEED_QUESTIONS)),
        scored=(*plain, *informed),
    )
    began = time.monotonic()
    said = ask(job, place / "asking.json")
    made = Answers(round(time.monotonic() - began, 1), said)
    write_json_atomic(kept, to_values(made))
    return made


def items_of(asked: Sequence[Asking]) -> tuple[list[Item], list[Item]]:
    """The questions alone, and with the records that were found."""
    return [one.item for one in asked], [replace(one.item, input=one.passage) for one in asked]


def judged(asked: Sequence[Asking], said: dict[str, Said]) -> tuple[Asked, ...]:
    """Every question with its judged answers."""
    plain, informed = items_of(asked)
    replies: dict[str, list[Reply]] = {}
    for arm in ARMS:
        model, _, records = arm.partition("+")
        items, start = (informed, len(plain)) if records else (plain, 0)
        one = said[model]
        replies[arm] = [reply(item, one.answers[start + at], one.bits[start + at]) for at, item in enumerate(items)]
    return tuple(
        Asked(
            one.item.instruction,
            one.item.reference,
            one.item.language,
            one.fact,
            one.found,
            {arm: made[at] for arm, made in replies.items()},
        )
        for at, one in enumerate(asked)
    )


def reply(item: Item, made: Generated, bits: float) -> Reply:
    """An answer, judged as an owner's question is."""
    parsed = parse(made.text)
    scores = score(item, parsed, ended=made.ended)
    return Reply(
        response=parsed.response,
        right=scores.exact or scores.accepted,
        language_ok=scores.language_ok and not scores.empty,
        looping=scores.looping,
        ended=scores.ended,
        bits=None if item.domain == "unanswerable" else round(bits, 4),
    )


def _seed(said: dict[str, Said], start: int) -> tuple[SeedAnswer, ...]:
    told = {model: [parse(one.text).response for one in said[model].answers[start:]] for model in MODELS}
    return tuple(map(SeedAnswer, SEED_QUESTIONS, told["base"], told["adapter"]))
