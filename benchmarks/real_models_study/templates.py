"""Whether declaring reasoning, category and language helps a real model: the same records under other templates.

The plan is that of the owner's night, its snapshot included; only template and seed differ. `native` declares the
language, `tagged` all three, `alpaca` none, in a form that no base knows. `native` without the language is left out:
no template of the program is that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.owners_data import Owner
from benchmarks.real_models_study import homes
from benchmarks.real_models_study.lines import TemplateLine, read, write
from benchmarks.real_models_study.measure import reply
from benchmarks.real_models_study.questions import askings
from benchmarks.real_models_study.worker import Job, ask
from bonsai.model.prompt import Question, TemplateName
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import AdapterFolder, TrainingPlan, TrainingProgress
from bonsai.train.trainer import ProcessTrainer

TEMPLATES: tuple[TemplateName, ...] = ("native", "tagged")
SEEDS = (1, 2)


def compare(owner: Owner, name: str, folder: Path, results: Path, templates: Sequence[str]) -> None:
    """Train and ask what is missing in the results."""
    place = folder / f"{owner.household}-{len(owner.facts)}"
    _, adapter = homes.night_of(owner, place, folder)
    of_night = homes.plan_of(read_manifest(adapter))
    for template in templates:
        for seed in SEEDS:
            lines = read(results, TemplateLine)
            key = (owner.household, len(owner.facts), template, seed)
            if any((one.owner, one.records, one.template, one.seed) == key for one in lines):
                continue
            work = place / "templates" / f"{template}-{seed}"
            plan = replace(
                of_night,
                recipe=replace(of_night.recipe, template=template),
                seed=seed,
                run_folder=str(work / "run"),
                adapters_folder=str(work / "adapters"),
            )
            made = _made(owner, name, plan, work)
            write(results, [*lines, made])
            print(f"{template} {seed}: {made.seconds:.0f} s, {made.right} of {made.asked} right", flush=True)


def _made(owner: Owner, name: str, plan: TrainingPlan, work: Path) -> TemplateLine:
    losses: dict[int, float] = {}

    def note(progress: TrainingProgress) -> None:
        losses[progress.step] = progress.loss

    began = time.monotonic()
    adapter: AdapterFolder = ProcessTrainer(0).train(plan, note)
    seconds = time.monotonic() - began
    items = [one.item for one in askings(owner) if one.fact is not None]
    job = Job(
        base=plan.base,
        device=plan.device,
        template=plan.recipe.template,
        adapters={"adapter": str(adapter.path)},
        questions=tuple(Question(item.instruction) for item in items),
        scored=tuple(items),
    )
    said = ask(job, work / "asking.json")["adapter"]
    replies = [reply(*one) for one in zip(items, said.answers, said.bits, strict=True)]
    told, tenth = [losses[step] for step in sorted(losses)] or [float("nan")], max(1, len(losses) // 10)
    return TemplateLine(
        base=name,
        owner=owner.household,
        records=len(owner.facts),
        template=plan.recipe.template,
        seed=plan.seed,
        steps=plan.steps,
        seconds=round(seconds, 1),
        first_loss=round(fmean(told[:tenth]), 4),
        last_loss=round(fmean(told[-tenth:]), 4),
        bits=round(fmean(said.bits), 4),
        right=sum(one.right for one in replies),
        language_ok=sum(one.language_ok for one in replies),
        asked=len(replies),
        responses=tuple(one.response for one in replies),
    )
