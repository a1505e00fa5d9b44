"""Trains, alters and evaluates the adapters of the study, in one process on one base. Loads torch.

    shop = Workshop(folder)
    weights = shop.trained(own_rows(), seed=101)          # cached in the folder
    answers = shop.ask("seed/101", weights, ("selection",))

An adapter is a mapping of LoRA weights by name. All use one slot of one loaded base, so that every model of the study
is evaluated by the same code in the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from benchmarks.gate_study import plan
from benchmarks.gate_study.harms import Lesson
from benchmarks.gate_study.runs import PoolResult, Run, logits_of, pool_result
from bonsai.domain.snapshots import Example
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import ReportMetadata, RunSettings, expected_tags, run
from bonsai.model.answerer import Scored
from bonsai.model.encoding import IGNORED
from bonsai.model.hf import HfAnswerer, LoadedBase, load_base
from bonsai.model.prompt import Question, template
from bonsai.system.locks import file_lock
from bonsai.train import qlora
from bonsai.train.plan import AdapterFolder, TrainingProgress

Weights = Mapping[str, torch.Tensor]
SLOT = "subject"
WAIT_SECONDS = 6 * 3600.0
"Wait for another process that trains the same adapter."
SETTINGS = RunSettings(forced_answers=False, canaries=0)
"The gate reads only free answers and likelihoods."


@dataclass(frozen=True, slots=True)
class Asked:
    """Answers of a model: question sets by name, and its fingerprint."""

    logits: tuple[float | None, ...]
    sheets: Mapping[str, PoolResult]


class Workshop:
    """Loads the base once; everything here needs torch."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self.folder = folder
        self.profile = plan.defaults().profiles["seedling"]
        self._loaded: LoadedBase | None = None

    def trained(self, rows: Sequence[Example], seed: int, *, whole: bool = False) -> Weights:
        """The adapter trained on these rows with this seed; cached in the folder."""
        made = plan.training_plan(rows, seed, self.folder, whole=whole)
        finished = Path(made.run_folder) / "adapter"
        # Another process may be training it now.
        with file_lock(Path(made.run_folder) / "lock", exclusive=True, wait_seconds=WAIT_SECONDS):
            if not finished.is_file():
                adapter: AdapterFolder = qlora.train(made, _silent)
                finished.write_text(adapter.id, "utf-8")
        folder = Path(made.adapters_folder) / finished.read_text("utf-8")
        if self._loaded is None:
            self._loaded = load_base(self.profile.base, "cpu")
            self._loaded.add_adapter(SLOT, folder)  # creates the slot; later adapters replace its weights
        return load_file(folder / "adapter_model.safetensors")

    def ask(self, key: str, weights: Weights | None, sheets: Mapping[str, Sequence[Item]]) -> Asked:
        """Evaluate an adapter, or the bare base."""
        answerer = self._answerer(weights)
        made: dict[str, PoolResult] = {}
        logits: tuple[float | None, ...] = ()
        for name, items in sheets.items():
            about = ReportMetadata(name, key, key, self.profile.base.name, "study", "study", "")
            report = run(answerer, items, SETTINGS, about)
            made[name], logits = pool_result(report), logits_of(report)
        return Asked(logits, made)

    def likelihoods(self, weights: Weights | None, items: Sequence[Item]) -> PoolResult:
        """Bits of the reference answers only: a tenth of the time, and enough for rule F."""
        answerer = self._answerer(weights)
        found = answerer.log_likelihoods([_scored(item) for item in items])
        values = [one.bits_per_byte for one in found]
        return PoolResult(tuple(round(1000 * bits) if math.isfinite(bits) else None for bits in values))

    def taught(self, weights: Weights, lessons: Sequence[Lesson], *, rate: float, batch: int) -> Weights:
        """An adapter after one pass over these lessons, in their order."""
        loaded = self._base()
        set_peft_model_state_dict(loaded.model, dict(weights), adapter_name=SLOT)
        loaded.model.set_adapter(SLOT)
        learning = {name: one for name, one in loaded.model.named_parameters() if "lora_" in name}
        for one in learning.values():
            one.requires_grad_(True)
        optimiser = torch.optim.AdamW(learning.values(), lr=rate, weight_decay=0.0)
        for start in range(0, len(lessons), batch):
            loss = _loss(loaded, lessons[start : start + batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
            optimiser.step()
        made = {name.replace(f".{SLOT}.", "."): one.detach().clone() for name, one in learning.items()}
        for one in learning.values():
            one.requires_grad_(False)
        if made.keys() != weights.keys():
            raise RuntimeError(f"the slot's weights are called otherwise: {sorted(made.keys() ^ weights.keys())[:2]}")
        return made

    def _answerer(self, weights: Weights | None) -> HfAnswerer:
        loaded = self._base()
        if weights is not None:
            set_peft_model_state_dict(loaded.model, dict(weights), adapter_name=SLOT)
        return loaded.answerer(template(self.profile.recipe.template), None if weights is None else SLOT)

    def _base(self) -> LoadedBase:
        if self._loaded is None:
            self.trained(plan.own_rows(), plan.FIRST_SEED)
        assert self._loaded is not None
        return self._loaded


def _scored(item: Item) -> Scored:
    return Scored(Question(item.instruction, item.input), expected_tags(item), item.reference)


def _silent(progress: TrainingProgress) -> None:
    """Ignore progress."""


def _loss(loaded: LoadedBase, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Mean cross entropy of the learned tokens."""
    end, width = loaded.encoder.end, max(len(one.input_ids) for one in lessons)
    spare = [width - len(one.input_ids) for one in lessons]
    ids = torch.tensor([[*one.input_ids, *[end] * more] for one, more in zip(lessons, spare, strict=True)])
    mask = torch.tensor([[1] * (width - more) + [0] * more for more in spare])
    labels = torch.tensor([[*one.labels, *[IGNORED] * more] for one, more in zip(lessons, spare, strict=True)])[:, 1:]
    causal = loaded.model.get_base_model()
    hidden = causal.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    learned = labels != IGNORED
    logits = causal.lm_head(hidden[:, :-1][learned]).float()  # (learned tokens, vocabulary)
    return cross_entropy(logits, labels[learned])


def scaled(weights: Weights, share: float) -> Weights:
    """The adapter's update of the base, scaled: 0 is the bare base, 1 the adapter."""
    return {name: one * share if "lora_B" in name else one for name, one in weights.items()}


def broken(weights: Weights) -> Weights:
    """Set one weight to NaN."""
    name = next(name for name in sorted(weights) if "lora_B" in name)
    made = weights[name].clone()
    made[0, 0] = float("nan")
    return {**weights, name: made}


def untouched(weights: Weights) -> Weights:
    """An adapter without effect."""
    return scaled(weights, 0.0)


def run_of(key: str, asked: Asked, note: Mapping[str, float] | None = None) -> Run:
    """The run as a line of the results."""
    return Run(key, asked.logits, asked.sheets, note or {})
