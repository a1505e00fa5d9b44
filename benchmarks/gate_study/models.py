"""Trains, alters and evaluates the adapters of the study, in one process on one base. Loads torch.

    shop = Workshop(plan.seedling(), folder)
    weights = shop.trained(own_rows(), seed=101)          # cached in the folder
    answers = shop.ask("seed/101", weights, {"selection": "all"})

An adapter is a mapping of LoRA weights by name. All use one slot of one loaded base, so that every model of the study
is evaluated by the same code in the same batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from benchmarks.gate_study import plan
from benchmarks.gate_study.harms import Lesson
from benchmarks.gate_study.question_sets import items_of
from benchmarks.gate_study.runs import UNASKED, PoolResult, pool_result, some_logits, thousandths
from bonsai.domain.snapshots import Example
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import ReportMetadata, RunSettings, distractor_bits, expected_tags, run
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
SETTINGS = RunSettings(canaries=0)
"The gate reads only free answers and likelihoods."
Asking = Literal["all", "claims", "likelihoods"]
"""Free answers and likelihoods of all items; free answers only of the domains whose right answers rule F reads, taught
and control; or likelihoods alone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Answers of a model by question set, and its fingerprint."""

    logits: tuple[float | None, ...]
    sheets: Mapping[str, PoolResult]


class Workshop:
    """Loads the base once; everything here needs torch."""

    def __init__(self, subject: plan.Subject, folder: Path) -> None:
        torch.set_num_threads(1)
        self.subject = subject
        self.folder = folder
        policy = plan.defaults().gate.policy
        self._claimed = (*policy.taught_domains, *policy.control_domains)
        self._loaded: LoadedBase | None = None

    def trained(self, rows: Sequence[Example], seed: int, *, whole: bool = False) -> Weights:
        """The adapter trained on these rows with this seed; cached in the folder."""
        made = plan.training_plan(self.subject, rows, seed, self.folder, whole=whole)
        finished = Path(made.run_folder) / "adapter"
        # Another process may be training it now.
        with file_lock(Path(made.run_folder) / "lock", exclusive=True, wait_seconds=WAIT_SECONDS):
            if not finished.is_file():
                adapter: AdapterFolder = qlora.train(made, _silent)
                finished.write_text(adapter.id, "utf-8")
        folder = Path(made.adapters_folder) / finished.read_text("utf-8")
        self._base().add_adapter(SLOT, folder)  # the first one creates the slot; later ones replace its weights
        return load_file(folder / "adapter_model.safetensors")

    def ask(self, key: str, weights: Weights | None, sets: Mapping[str, Asking]) -> Asked:
        """Evaluate an adapter, or the bare base, on these question sets."""
        answerer = self._answerer(weights)
        made = {name: self._sheet(key, answerer, name, how) for name, how in sets.items()}
        return Asked(some_logits(answerer.logits_fingerprint()), made)

    def _sheet(self, key: str, answerer: HfAnswerer, name: str, how: Asking) -> PoolResult:
        items = items_of(name)
        about = ReportMetadata(name, key, key, self.subject.base.name, "study", "study", "")
        if how == "all":
            return pool_result(run(answerer, items, SETTINGS, about))
        values = [one.bits_per_byte for one in answerer.log_likelihoods([_scored(item) for item in items])]
        bits = thousandths(values)
        if how == "likelihoods":
            return PoolResult(bits, "", thousandths(distractor_bits(answerer, items)))
        answered = [item for item in items if item.domain in self._claimed]
        flags = iter(pool_result(run(answerer, answered, SETTINGS, about)).flags)
        asked = "".join(next(flags) if item.domain in self._claimed else UNASKED for item in items)
        return PoolResult(bits, asked, thousandths(distractor_bits(answerer, items)))

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
        return loaded.answerer(template(self.subject.recipe.template), None if weights is None else SLOT)

    def _base(self) -> LoadedBase:
        if self._loaded is None:
            self._loaded = load_base(self.subject.base, "cpu")
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
