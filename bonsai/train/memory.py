"""How much memory a training on a base needs, estimated before anything is loaded.

    weights       parameters x 4 bytes in float32, 2 in bfloat16, 0.55 in NF4 (its constants included), where embeddings
                  and LM head stay in bfloat16; a CPU holds both while it unpacks NF4 (`bonsai.model.hf`)
    adapter       LoRA on every linear map: weight, gradient and the two moments of AdamW, in float32
    activations   one batch, packed or with rows of half of `max_tokens`: what the way back needs of each layer, and the
                  logits
    beside base   where the recipe holds the model to its base (`kl_to_base`): the base's pass and both distributions in
                  parts, 1.5 GiB as measured
    program       torch and its family: 1 GiB

`bonsai base add` and `bonsai base plan` show it beside what the machine has; docs/gpus.md compares it with what was
measured. A device whose memory runs out is tried again with each batch in halves, so a base is too large only where
that does not fit either. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bonsai.model.bases import Base, ModelShape
from bonsai.train.plan import Recipe

GIB = 2**30
_PROGRAM = 1 * GIB
_BESIDE_BASE = 3 * GIB // 2
_NF4_BYTES = 0.55
_ADAPTER_BYTES = 16
"Of each LoRA weight: itself, its gradient and two moments, in float32."
_LOGIT_COPIES = 3
"Logits, their softmax and their gradient."


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a training needs, by what takes them."""

    weights: int
    adapter: int
    activations: int
    program: int = _PROGRAM

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.adapter + self.activations + self.program

    @property
    def least(self) -> int:
        """With each batch in halves."""
        return self.total - self.activations // 2


def training_memory(
    parameters: int, shape: ModelShape, base: Base, recipe: Recipe, device: Literal["cpu", "cuda"]
) -> MemoryNeed:
    """The estimate for a base of so many parameters; sizes that are not known count as 0."""
    number = 4 if base.compute_dtype == "float32" else 2  # bytes
    # four maps of attention (hidden to hidden), three of the feed-forward network; r * (inputs + outputs) each
    a_layer = recipe.lora_rank * (4 * 2 * shape.hidden + 3 * (shape.hidden + shape.intermediate))
    tokens = recipe.batch_size * base.max_tokens // (1 if recipe.packing else 2)
    kept = 10 * shape.hidden + 4 * shape.intermediate  # numbers of one token in one layer
    of_layers = shape.layers * shape.hidden + kept if recipe.gradient_checkpointing else shape.layers * kept
    logits = shape.vocabulary * 4 * _LOGIT_COPIES // 2  # of every second position: prompts are not learned
    return MemoryNeed(
        weights=_weights(parameters, shape, base, number, device),
        adapter=_ADAPTER_BYTES * shape.layers * a_layer,
        activations=tokens * (of_layers * number + logits),
        program=_PROGRAM + (_BESIDE_BASE if recipe.kl_to_base else 0),
    )


def _weights(parameters: int, shape: ModelShape, base: Base, number: int, device: Literal["cpu", "cuda"]) -> int:
    """Bytes of the base; embeddings and LM head count as two matrices, though some bases share one."""
    if base.quantisation == "none":
        return parameters * number
    whole = min(2 * shape.vocabulary * shape.hidden, parameters)
    packed = int((parameters - whole) * _NF4_BYTES) + whole * number
    return packed + parameters * number if device == "cpu" else packed
