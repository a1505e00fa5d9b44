"""Heavy: loads a base with transformers and bitsandbytes, adds adapters, generates and scores.

One `LoadedBase` holds the weights once; its answerers share them and switch the adapter:

    loaded = load_base(base, "cpu")
    loaded.add_adapter("3f2a...", folder)          # verified before by bonsai.train.adapters
    champion, bare = loaded.answerer(template, "3f2a..."), loaded.answerer(template)

Answers are made by `greedy.py`, scoring is right-padded. How many rows share a batch depends on the memory that was
free at loading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from bonsai.errors import InputError
from bonsai.model import quiet_libraries
from bonsai.model.answerer import Generated, Likelihood, OnProgress, Scored, ignore_progress
from bonsai.model.architecture import cache_numbers, context_length, head_is_all, without_dropout
from bonsai.model.bases import Base, model_folder
from bonsai.model.encoding import Encoder, load_encoder
from bonsai.model.greedy import Completed, batches, complete
from bonsai.model.prompt import AnswerTags, Question, Template, declaration, harmless
from bonsai.system.memory import available_memory

_PROBES = ("What is the capital of Japan?", "日本の首都はどこですか?", "Why does my cat purr?", "1 + 1 = ?")
_LOGITS_PER_PROBE = 16
_LN2 = 0.6931471805599453
_SHARE_OF_FREE_MEMORY = 0.5
"For the questions of one batch; the rest is for activations and other programs."


def load_model(base: Base, device: str) -> PreTrainedModel:
    """The base's weights on `device` ("cpu" or "cuda"), quantised as the base says, frozen, without dropout."""
    folder = model_folder(base)
    config = without_dropout(AutoConfig.from_pretrained(folder))
    dtype = torch.float32 if base.compute_dtype == "float32" else torch.bfloat16
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_use_double_quant=base.double_quantisation,
    )
    transformers_logging.disable_progress_bar()
    with quiet_libraries():
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            quantization_config=quantisation if base.quantisation == "nf4" else None,
            device_map={"": device},
        )
    if base.quantisation == "nf4" and device == "cpu":
        model = _unpacked(model)
    model.generation_config = GenerationConfig()  # a chat model's own would sample, or punish repetition
    head = model.get_output_embeddings()
    if head is not None:
        head.register_forward_pre_hook(_contiguous)
    return model.requires_grad_(False).eval()


def _contiguous(_head: torch.nn.Module, states: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Of a prompt only the last states meet the LM head. Cut out of a batch they are no block of memory, and torch
    would copy the whole head for every row."""
    return tuple(one.contiguous() for one in states)


def _unpacked(model: PreTrainedModel) -> PreTrainedModel:
    """The same NF4 values, unpacked to the compute type once instead of at every step.

    A CPU has the memory, and answers the same in a quarter less time (training/LOG.md). bitsandbytes also rewrites
    packed weights for CPUs with AVX512-BF16 at the first pass without gradients: the model cannot train after that,
    and an answer would depend on the CPU's model.
    """
    with quiet_libraries():
        unpacked: PreTrainedModel = model.dequantize()
    return unpacked


def frozen_hash(model: torch.nn.Module) -> str:
    """SHA-256 over every parameter that is no LoRA weight: the same before and after a training."""
    frozen = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): weight.detach().cpu().contiguous()
        for name, weight in model.named_parameters()
        if "lora_" not in name
    }
    made = hashlib.sha256()
    for name, weight in sorted(frozen.items()):
        made.update(name.encode())
        made.update(weight.view(torch.uint8).numpy().tobytes())
    return made.hexdigest()


class LoadedBase:
    """A base in memory with any number of adapters."""

    def __init__(self, base: Base, model: PreTrainedModel, encoder: Encoder) -> None:
        self.base = base
        self.model = model
        "The bare model, later wrapped by peft."
        self.encoder = encoder
        self.batch = base.generation_batch
        "Questions answered at once."
        self._adapters: set[str] = set()

    @classmethod
    def around(cls, base: Base, model: PreTrainedModel, encoder: Encoder, adapters: set[str]) -> LoadedBase:
        """A model that peft has wrapped already, with the adapters it carries."""
        made = cls(base, model, encoder)
        made._adapters = set(adapters)
        return made

    def add_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter folder under a name; a name that is loaded already is left as it is."""
        if name in self._adapters:
            return
        with quiet_libraries():
            from peft import PeftModel

            if self._adapters:
                self.model.load_adapter(str(folder), adapter_name=name)
            else:
                self.model = PeftModel.from_pretrained(self.model, str(folder), adapter_name=name)
        self.model.eval()
        self._adapters.add(name)

    @contextmanager
    def using(self, adapter: str | None) -> Iterator[PreTrainedModel]:
        """The model with this adapter switched on, or with none."""
        if adapter is not None:
            self.model.set_adapter(adapter)
        bare = self.model.disable_adapter() if adapter is None and self._adapters else nullcontext()
        with bare, torch.inference_mode():
            yield self.model

    def answerer(self, template: Template, adapter: str | None = None) -> HfAnswerer:
        """The base itself, or with one of its adapters."""
        return HfAnswerer(self, template, adapter)


def load_base(base: Base, device: str) -> LoadedBase:
    """Load a base with its tokenizer. Where memory is short, fewer questions are answered at once."""
    loaded = LoadedBase(base, load_model(base, device), load_encoder(model_folder(base)))
    free = available_memory() if device == "cpu" else torch.cuda.mem_get_info()[0]
    loaded.batch = fitting_batch(loaded.model.config, base, int(free * _SHARE_OF_FREE_MEMORY))
    return loaded


def fitting_batch(config: PreTrainedConfig, base: Base, memory: int) -> int:
    """The base's `generation_batch`, halved until the keys and values of so many of its longest texts fit into `memory`
    bytes."""
    tokens = base.max_tokens + max(base.answer_tokens_en, base.answer_tokens_ja)
    per_question = cache_numbers(config) * tokens * (4 if base.compute_dtype == "float32" else 2)  # bytes
    batch = base.generation_batch
    while batch > 1 and batch * per_question > memory:
        batch //= 2
    return batch


@dataclass(frozen=True, slots=True)
class HfAnswerer:
    """`bonsai.model.answerer.Answerer` on a loaded base."""

    loaded: LoadedBase
    template: Template
    adapter: str | None

    def answers(
        self,
        questions: Sequence[Question],
        forced: Sequence[AnswerTags | None],
        max_new_tokens: int | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> list[Generated]:
        """Greedy completions. Raises InputError when a question leaves no room for its answer."""
        encoder, base = self.loaded.encoder, self.loaded.base
        pairs = list(zip(questions, forced, strict=True))
        prompts = [encoder.question(self.template, question, tags) for question, tags in pairs]
        limits = [max_new_tokens or _answer_tokens(base, question, tags) for question, tags in pairs]
        self._check_room(max((len(row) + limit for row, limit in zip(prompts, limits, strict=True)), default=0))
        ends, size = encoder.ends_of(self.template), self.loaded.batch
        with self.loaded.using(self.adapter) as model:
            made = complete(model, prompts, limits, ends, size, on_progress)
        return [self._generated(one, tags) for one, tags in zip(made, forced, strict=True)]

    def _check_room(self, needed: int) -> None:
        room = context_length(self.loaded.model.config)
        if room and needed > room:
            raise InputError("model.question_too_long", tokens=needed, limit=room)

    def _generated(self, made: Completed, tags: AnswerTags | None) -> Generated:
        head = declaration(self.template, tags) if tags else ""
        return Generated(head + self.loaded.encoder.text(list(made.ids)), made.ended, len(made.ids))

    def log_likelihoods(
        self, examples: Sequence[Scored], on_progress: OnProgress = ignore_progress
    ) -> list[Likelihood]:
        """Bits of each response given its question and expected tags."""
        encoder = self.loaded.encoder
        encoded = [encoder.encode(self.template, one.question, one.tags, one.response) for one in examples]
        given = [len(one.prompt) + len(one.declaration) for one in encoded]
        rows = [tuple(one.input_ids[:-1]) for one in encoded]
        bits: dict[int, float] = {}
        with self.loaded.using(self.adapter) as model:
            for batch in batches(rows, self.loaded.batch):
                scored = _response_bits(model, [rows[i] for i in batch], [given[i] for i in batch], encoder.end)
                bits.update(zip(batch, scored, strict=True))
                on_progress(len(bits))
        sizes = [len(harmless(self.template, one.response).encode()) for one in examples]
        return [Likelihood(bits[i], size) for i, size in enumerate(sizes)]

    def logits_fingerprint(self) -> tuple[float, ...]:
        """`_LOGITS_PER_PROBE` first-token logits of each probe question."""
        found: list[float] = []
        with self.loaded.using(self.adapter) as model:
            for probe in _PROBES:
                ids = torch.tensor([self.loaded.encoder.question(self.template, Question(probe))], device=model.device)
                logits = model(input_ids=ids).logits[0, -1].float()  # (vocabulary,)
                found += logits[:: max(1, logits.numel() // _LOGITS_PER_PROBE)][:_LOGITS_PER_PROBE].tolist()
        return tuple(found)


def _answer_tokens(base: Base, question: Question, tags: AnswerTags | None) -> int:
    language = tags.language if tags else question.answered_in
    return base.answer_tokens_en if language == "en" else base.answer_tokens_ja


def _response_bits(model: PreTrainedModel, rows: list[tuple[int, ...]], given: list[int], end: int) -> list[float]:
    """Minus log2 probability of each row from position `given` on."""
    width = max(map(len, rows))
    ids = torch.tensor([list(row) + [end] * (width - len(row)) for row in rows], device=model.device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=model.device)
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    if head_is_all(causal):
        # (batch, width, hidden)
        hidden = causal.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        head = causal.get_output_embeddings()
    else:
        hidden, head = causal(input_ids=ids, attention_mask=mask, use_cache=False).logits, torch.nn.Identity()
    bits = []
    for states, row, start in zip(hidden, rows, given, strict=True):
        # only the response's positions meet the LM head: Phi-2's vocabulary makes full logits the largest tensor
        logits = head(states[start - 1 : len(row) - 1]).float()  # (response, vocabulary)
        expected = torch.tensor(row[start:], device=logits.device)
        bits.append(float(cross_entropy(logits, expected, reduction="sum")) / _LN2)
    return bits
