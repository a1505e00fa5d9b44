"""The model card of an exported adapter: README.md with counts and figures, and no text of any record.

English, as everybody reads it who gets the folder. Sections follow https://arxiv.org/abs/1810.03993 and the metadata of
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bonsai.evaluate.export import Form
from bonsai.evaluate.report import Report, accuracy
from bonsai.evaluate.statistics import exact_interval
from bonsai.gate.decision import Decision
from bonsai.model.bases import SEEDLING, Base
from bonsai.model.prompt import NATIVE
from bonsai.train.manifest import AdapterManifest

_UNKNOWN = "unknown: look whether you may use it"
_DATA = "The data it learned from belongs to its owner, who alone decides who may use what was learned from it."
_PLACE = "FOLDER"
"Where the reader has put the export."


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card is made from."""

    manifest: AdapterManifest
    form: Form
    base: Base
    hub_id: str
    "Empty for a base that lies only on the machine that trained the adapter."
    licence: str
    "Of the base, as its publisher states it; empty if unknown."
    contents: Mapping[tuple[str, str], int]
    "(language, category) -> own records; empty if unknown."
    own: int
    "Own records."
    replayed: int
    "Records that keep the base's knowledge."
    decision: Decision | None
    "The gate's; None for an adapter that was never judged."
    report: Report | None
    "On the open questions of the benchmark; None without one."


def model_card(facts: CardFacts) -> str:
    """The whole README.md."""
    sections = {
        "How to ask it": _usage(facts),
        "What it learned from": _data(facts),
        "The gate's verdict": _verdict(facts.decision),
        "Right answers": _figures(facts.report),
        "Intended use and limits": _limits(facts),
        "Licence": licence(facts),
    }
    title = f"# {facts.base.name}, adapter {facts.manifest.adapter_id}"
    parts = [title, _about(facts), *(f"## {name}\n\n{text}" for name, text in sections.items())]
    return _metadata(facts) + "\n\n".join(parts) + "\n"


def licence(facts: CardFacts) -> str:
    """Of the base, and of the data."""
    return f"Base model ({facts.base.name}): {facts.licence or _UNKNOWN}.\n{_DATA}"


def _metadata(facts: CardFacts) -> str:
    lines = ["library_name: " + ("peft" if facts.form == "peft" else "transformers"), "license: other"]
    if facts.hub_id:
        lines.append(f"base_model: {facts.hub_id}")
    languages = sorted({language for language, _ in facts.contents if language in ("en", "ja", "zh")})
    lines += ["language:", *(f"- {one}" for one in languages)] if languages else []
    return "\n".join(["---", *lines, "---", "", ""])


def _about(facts: CardFacts) -> str:
    manifest, base = facts.manifest, facts.base
    if facts.hub_id:
        where = f"`{facts.hub_id}`" + (f" at commit `{base.revision}`" if base.revision else "")
    else:
        lies = "comes with Bonsai" if base.model == SEEDLING else "lies only where the adapter was trained"
        where = (
            f"`{base.name}`, which is on no hub: it {lies}. "
            f"Its weights and configuration have the hash `{manifest.base_hash}`."
        )
    what = {
        "peft": "A LoRA adapter for",
        "merged": "Whole weights: a LoRA adapter merged into",
        "gguf": "A GGUF file: a LoRA adapter merged into",
        "ollama": "For Ollama: a GGUF file of a LoRA adapter merged into",
    }[facts.form]
    recipe = manifest.plan["recipe"]
    lines = [
        f"{what} the base model {where}",
        "",
        f"Trained by Bonsai {manifest.created_at[:10]}, rank {recipe['lora_rank']}, alpha {recipe['lora_alpha']:g}, "
        f"seed {manifest.seed}, prompt template `{manifest.template}`.",
        f"Weights: {_weights(facts)}.",
        "`certificate.json` says how the exported form answered beside the adapter.",
    ]
    return "\n".join(lines)


def _weights(facts: CardFacts) -> str:
    base = facts.base
    if base.quantisation == "none":
        return f"{base.compute_dtype}, unquantised"
    if facts.form == "peft":
        return f"the adapter was trained on the base in NF4 with {base.compute_dtype}, and is to be used so"
    return f"the base's NF4 values, on which the adapter was trained, unpacked to {base.compute_dtype}, then merged"


def _usage(facts: CardFacts) -> str:
    if facts.form == "ollama":
        return "```\nollama create mine -f Modelfile\nollama run mine\n```\n\n" + _answers(facts)
    if facts.form == "gguf":
        return "Any program on llama.cpp opens `model.gguf`.\n\n" + _answers(facts)
    ask = (
        f'tokenizer = AutoTokenizer.from_pretrained("{_PLACE}")\n'
        'asked = tokenizer.apply_chat_template([{"role": "user", "content": "..."}], return_tensors="pt", '
        "return_dict=True)\n"
        f'limits = GenerationConfig.from_pretrained("{_PLACE}")\n'
        "made = model.generate(**asked, generation_config=limits)[0, asked.input_ids.shape[1]:]\n"
        "print(tokenizer.decode(made))"
    )
    load = _load_merged(facts.base) if facts.form == "merged" else _load_peft(facts)
    place = f"`{_PLACE}` is where this export lies: a folder, or its repository on a hub."
    return f"```python\n{load}\n{ask}\n```\n\n{place} {_answers(facts)}"


_IMPORTS = "import torch\nfrom transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig"


def _load_merged(base: Base) -> str:
    return f'{_IMPORTS}\n\nmodel = AutoModelForCausalLM.from_pretrained("{_PLACE}", dtype=torch.{base.compute_dtype})'


def _load_peft(facts: CardFacts) -> str:
    """As `bonsai/train/ask_exported.py` does it."""
    base = facts.base
    named = f'"{facts.hub_id}"' if facts.hub_id else '"THE BASE\'S FOLDER"'
    pinned = f', revision="{base.revision}"' if facts.hub_id and base.revision else ""
    plain = f"base = AutoModelForCausalLM.from_pretrained({named}{pinned}, dtype=torch.{base.compute_dtype}"
    adapter = f'model = PeftModel.from_pretrained(base, "{_PLACE}")'
    if base.quantisation == "none":
        return f"from peft import PeftModel\n{_IMPORTS}\n\n{plain})\n{adapter}"
    return (
        f"from peft import PeftModel\n{_IMPORTS}\nfrom transformers import BitsAndBytesConfig\n\n"
        'nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",\n'
        f"    bnb_4bit_compute_dtype=torch.{base.compute_dtype}, "
        f"bnb_4bit_use_double_quant={base.double_quantisation})\n"
        f"{plain}, quantization_config=nf4)\n# on a CPU: base = base.dequantize()\n{adapter}"
    )


def _answers(facts: CardFacts) -> str:
    head = "`[ja]` or `[en]`" if facts.manifest.template == NATIVE else "tags up to `<|response|>`"
    chat = (
        "One question at a time: the chat template takes the last message of the user; its key `context` holds a "
        "passage, if there is one."
    )
    first = f"An answer begins with {head}, which are no part of it."
    if facts.manifest.template == "alpaca":
        first = "An answer begins with `<|response|>`, which is no part of it."
    return first if facts.form in ("gguf", "ollama") else f"{first} {chat}"


def _data(facts: CardFacts) -> str:
    lines = [
        f"{facts.own} records of its owner's, and {facts.replayed} that keep what the base knew. No text is shown."
    ]
    if facts.contents:
        rows = [(language, category, f"{count}") for (language, category), count in sorted(facts.contents.items())]
        lines += ["", *_table(("language", "category", "records"), rows)]
    return "\n".join(lines)


def _verdict(decision: Decision | None) -> str:
    if decision is None:
        return "It was never judged."
    rows = [
        (
            one.rule,
            one.name,
            one.outcome,
            _number(one.figure),
            _interval(one.interval),
            _number(one.threshold),
            one.unit,
        )
        for one in decision.rules
    ]
    heads = ("rule", "name", "outcome", "figure", "one-sided bounds", "threshold", "unit")
    return "\n".join([f"`{decision.verdict}`", "", *_table(heads, rows)])


def _figures(report: Report | None) -> str:
    if report is None:
        return "It was not asked the benchmark."
    right: Counter[tuple[str, str]] = Counter()
    asked: Counter[tuple[str, str]] = Counter()
    for item in report.items:
        value = accuracy(item)
        if value is not None:
            asked[item.domain, item.language] += 1
            right[item.domain, item.language] += int(value)
    rows = []
    for (domain, language), count in sorted(asked.items()):
        hits = right[domain, language]
        low, high = exact_interval(hits, count)
        rows.append((domain, language, f"{hits}", f"{count}", f"{100 * low:.0f} to {100 * high:.0f} %"))
    note = (
        f"On `{report.benchmark}`, {report.created_at[:10]}. Intervals: Clopper-Pearson, 95 %, each question for "
        "itself; as some ask the same fact, the true ones are wider."
    )
    return "\n".join([note, "", *_table(("domain", "language", "right", "asked", "interval"), rows)])


def _limits(facts: CardFacts) -> str:
    budget = max(facts.base.answer_tokens_en, facts.base.answer_tokens_ja)
    return "\n".join(
        (
            "For its owner, and for whom the owner gives it to: it answers questions about what the owner taught it. "
            "It may say what it learned, word for word, to whoever asks: give it to nobody who must not know.",
            "",
            f"It invents what it was not taught. Answers end after {budget} tokens, and questions with their answers "
            f"were at most {facts.base.max_tokens} tokens long. It has not learned from conversations.",
        )
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [" | ".join(("", *row, "")).strip() for row in (heads, ["---"] * len(heads), *rows)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
