"""Worker process of a base's check: `python -m bonsai.train.base_check_worker JOB.json`. Loads the model libraries."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.domain import snapshots
from bonsai.domain.records import Language, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.errors import BonsaiError, InputError
from bonsai.model.bases import Base, model_folder
from bonsai.model.encoding import IGNORED, Encoder, load_encoder
from bonsai.model.home_bases import CheckFinding
from bonsai.model.native import has_chat_template, template_of
from bonsai.model.prompt import NATIVE, AnswerTags, Question, Template, completion, parse
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import Emit, error_event, serve
from bonsai.train.base_check import BaseCheckJob
from bonsai.train.plan import TrainingProgress, make_plan

if TYPE_CHECKING:
    from bonsai.model.hf import LoadedBase

MEASURED = {
    "en": "Cats sleep for most of the day. In the evening they wake up, stretch, and ask for their dinner.",
    "ja": "猫は一日のほとんどを寝て過ごします。夕方になると起きて伸びをし、ごはんをねだります。",
}
"Texts whose tokens are counted."
QUESTIONS = {"en": "What do cats like to eat?", "ja": "猫は何を食べるのが好きですか？"}
TAUGHT: tuple[tuple[Language, str, str], ...] = (
    ("en", "Where does the cat Momo sleep?", "Momo sleeps on the old piano."),
    ("ja", "猫のモモはどこで寝ますか？", "モモは古いピアノの上で寝ます。"),
)
"Two invented records, which the check trains and throws away."
ANSWER_TOKENS = 40
"Most tokens of an answer: enough to see whether it is language."
SHOWN_CHARACTERS = 160
PASSES = 2

Findings = list[CheckFinding]


def work(job_file: Path, emit: Emit) -> Mapping[str, Any]:
    """All findings; a point that fails ends the check, for those after it need it."""
    job = from_values(BaseCheckJob, json.loads(job_file.read_text("utf-8")))
    found: Findings = []
    steps: tuple[tuple[str, Callable[[BaseCheckJob, Findings], None]], ...] = (
        ("tokenizer", check_texts), ("weights", check_model), ("training", check_training),
    )  # fmt: skip
    for number, (name, step) in enumerate(steps):
        emit({"type": "progress", "done": number, "total": len(steps)})
        try:
            step(job, found)
        except BonsaiError as error:
            found.append(CheckFinding(name, False, error.key, error_event(error)["values"]))
            break
    emit({"type": "progress", "done": len(steps), "total": len(steps)})
    return {"findings": [to_values(one) for one in found]}


def check_texts(job: BaseCheckJob, found: Findings) -> None:
    """Tokenizer, template, BOS and end tokens, and the loss mask; no weights are loaded."""
    folder = model_folder(job.base)
    encoder, form = load_encoder(folder), template_of(folder, job.recipe.template)
    found.append(_tokens_per_character(encoder))
    found.append(_form(folder, form))
    start, ends = (" ".join(encoder.text([one]) for one in ids) for ids in (encoder.start, encoder.ends_of(form)))
    key = "bases.found_start_and_ends" if start else "bases.found_ends"
    found.append(CheckFinding("special_tokens", True, key, {"start": start, "ends": ends}))
    found.append(_mask(encoder, form, job.base))


def _tokens_per_character(encoder: Encoder) -> CheckFinding:
    values = {language: round(len(encoder.ids(text)) / len(text), 2) for language, text in MEASURED.items()}
    lost = [name for name, text in MEASURED.items() if encoder.text(encoder.ids(text)).strip() != text]
    if lost:
        return CheckFinding("tokenizer", None, "bases.found_spelling", {**values, "languages": ", ".join(lost)})
    return CheckFinding("tokenizer", True, "bases.found_tokens", values)


def _form(folder: Path, form: Template) -> CheckFinding:
    if form.name != NATIVE:
        return CheckFinding("template", True, "bases.found_template", {"name": form.name})
    if has_chat_template(folder):
        return CheckFinding("template", True, "bases.found_chat_template", {})
    return CheckFinding("template", None, "bases.found_bare_form", {"form": "…".join(form.around).replace("\n", "⏎")})


def _mask(encoder: Encoder, form: Template, base: Base) -> CheckFinding:
    """The prompt is masked, the whole completion learned, and the last label is what ends an answer."""
    longest = 0
    for row in rows():
        encoded = encoder.example(form, row)
        labels, ids = encoded.labels, encoded.input_ids
        prompt = len(encoded.prompt)
        learned = labels[prompt:]
        expected = completion(form, AnswerTags(row.reasoning, row.category, row.language), row.output)
        right = labels[:prompt] == [IGNORED] * prompt and learned == ids[prompt:] and bool(learned)
        if not right or learned[-1] not in encoder.ends_of(form):
            return CheckFinding("mask", False, "bases.found_wrong_mask", {"text": encoder.text(learned)})
        if encoder.text(learned[:-1]).strip() != expected.strip():
            return CheckFinding("mask", None, "bases.found_respelled", {"text": encoder.text(learned)})
        longest = max(longest, len(ids))
    return CheckFinding("mask", True, "bases.found_mask", {"tokens": longest})


def check_model(job: BaseCheckJob, found: Findings) -> None:
    """Weights, context length, linear maps, and an answer in each language."""
    from bonsai.model.architecture import context_length, linear_maps, missed_parameters

    started = time.monotonic()
    loaded = _loaded(job)
    model, base = loaded.model, job.base
    maps, family = len(list(linear_maps(model))), model.config.model_type
    values = {"family": family, "maps": maps, "seconds": _seconds(started)}
    found.append(CheckFinding("weights", True, "bases.found_weights", values))
    room = context_length(model.config)
    context: dict[str, str | int | float] = {"room": room or 0, "used": base.max_tokens}
    if room is None:
        found.append(CheckFinding("context", True, "bases.found_no_limit", context))
    else:
        fits = room >= base.max_tokens
        found.append(CheckFinding("context", fits, "bases.found_context" if fits else "bases.found_short", context))
    missed = missed_parameters(model)
    if missed:
        names = ", ".join(f"{name} ({count})" for name, count in missed.items())
        found.append(CheckFinding("adapted", None, "bases.found_missed", {"parameters": names}))
    else:
        found.append(CheckFinding("adapted", True, "bases.found_all_maps", {}))
    found.extend(_answers(loaded, template_of(model_folder(base), job.recipe.template)))
    del loaded, model
    gc.collect()  # the training loads the weights once more


def _loaded(job: BaseCheckJob) -> LoadedBase:
    """Raises InputError when the weights are no causal language model of transformers, or do not load."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    from bonsai.model.hf import load_base

    folder = model_folder(job.base)
    try:
        config = AutoConfig.from_pretrained(folder)
        if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING or config.is_encoder_decoder:
            raise InputError("bases.no_causal", model=job.base.model, kind=config.model_type)
        return load_base(job.base, job.device)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError("bases.does_not_load", model=job.base.model, reason=reason) from error


def _answers(loaded: LoadedBase, form: Template) -> Findings:
    """Shown for a person to judge: what a base cannot do yet is no fault."""
    answerer, made = loaded.answerer(form), []
    for language, question in QUESTIONS.items():
        answer = answerer.answers([Question(question)], [None], ANSWER_TOKENS)[0]
        text = " ".join(parse(answer.text).response.split())
        shown = text[:SHOWN_CHARACTERS] + ("" if answer.ended and len(text) <= SHOWN_CHARACTERS else " …")
        key = "bases.found_answer" if text else "bases.found_no_answer"
        values = {"question": question, "answer": shown}
        made.append(CheckFinding(f"answer_{language}", None, key, values))
    return made


def check_training(job: BaseCheckJob, found: Findings) -> None:
    """A training of two rows: no silent fault, and an adapter that reloads the same."""
    from bonsai.train.manifest import read_manifest
    from bonsai.train.qlora import train
    from bonsai.train.sft import most_memory

    started = time.monotonic()
    folder, base = Path(job.folder), job.base
    encoder, form = load_encoder(model_folder(base)), template_of(model_folder(base), job.recipe.template)
    created = datetime.fromisoformat(job.created_at)
    built = snapshots.build(
        rows(), [], seed=1, validation_share=0.0, anchor_share=0.0,
        count_tokens=lambda row: encoder.tokens(form, row), max_tokens=base.max_tokens,
    )  # fmt: skip
    # a warm-up's first step has rate 0; two passes of one batch are one or two real steps
    recipe = replace(job.recipe, epochs=PASSES, batch_size=2, accumulate=1, warmup_share=0.0, kl_to_base=0.0)
    (folder / "run").mkdir()
    plan = make_plan(
        job.profile, base, recipe, snapshots.write(built, folder / "snapshot", created),
        device=job.device, threads=job.threads, seed=1, run_folder=folder / "run",
        adapters_folder=folder / "adapters", created_at=created,
    )  # fmt: skip
    steps: list[TrainingProgress] = []
    made = train(plan, steps.append)
    values = {
        "steps": plan.steps, "loss": round(steps[0].loss, 2), "seconds": _seconds(started),
        "tokens_per_second": round(steps[-1].tokens_per_second, 1),
    }  # fmt: skip
    found.append(CheckFinding("training", True, "bases.found_training", values))
    measured = read_manifest(made.path).measured
    reload = {"difference": f"{measured['reload_difference']:.2g}"}
    found.append(CheckFinding("reload", True, "bases.found_reload", reload))
    found.append(CheckFinding("memory", True, "bases.found_memory", {"gib": round(most_memory() / 2**30, 1)}))


def rows() -> Sequence[Example]:
    """The invented records as rows that train."""
    return [
        Example(f"check-{tongue}", "own", asked, "", reasoning_sentence(tongue, tongue), "open_qa", tongue, said)
        for tongue, asked, said in TAUGHT
    ]


def _seconds(started: float) -> int:
    return max(round(time.monotonic() - started), 1)


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
