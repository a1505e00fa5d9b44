"""Cost of a completion by part: declared tags, answer, end. Needs torch.

The benchmark's bits per byte cover the answer alone, with the expected tags given. The training loss is a mean over all
tokens of the completion, and predictable tags lower it. Both are measured here in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import expected_tags
from bonsai.model.encoding import IGNORED, Encoded
from bonsai.model.hf import LoadedBase
from bonsai.model.prompt import Question, Template

_LN2 = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one completion."""

    declared_bits: float
    "Of the tags and the response marker, given the question."
    response_bits: float
    "Of the answer, given question and tags."
    end_bits: float
    tokens: int
    "Of the whole completion, end included."

    @property
    def loss(self) -> float:
        """Nats per token of the completion: the training loss."""
        return (self.declared_bits + self.response_bits + self.end_bits) * _LN2 / self.tokens


def costs(loaded: LoadedBase, form: Template, adapter: str | None, items: Sequence[Item]) -> list[Cost]:
    """Cost of each item's reference completion."""
    encoded = [
        loaded.encoder.encode(form, Question(item.instruction, item.input), expected_tags(item), item.reference)
        for item in items
    ]
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].input_ids))
    size = loaded.base.generation_batch
    found: dict[int, Cost] = {}
    with loaded.using(adapter) as model:
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            found.update(zip(batch, _batch(model, [encoded[i] for i in batch]), strict=True))
    return [found[i] for i in range(len(items))]


def _batch(model: PreTrainedModel, rows: list[Encoded]) -> list[Cost]:
    width = max(len(row.input_ids) for row in rows)
    spare = [width - len(row.input_ids) for row in rows]
    device = model.device
    ids = torch.tensor([row.input_ids + [row.end] * more for row, more in zip(rows, spare, strict=True)], device=device)
    mask = torch.tensor([[1] * (width - more) + [0] * more for more in spare], device=device)
    labels = torch.tensor([row.labels + [IGNORED] * more for row, more in zip(rows, spare, strict=True)], device=device)
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    learned = labels[:, 1:] != IGNORED  # (batch, width - 1)
    logits = causal.get_output_embeddings()(hidden[:, :-1][learned]).float()  # (learned tokens, vocabulary)
    bits = cross_entropy(logits, labels[:, 1:][learned], reduction="none") / _LN2
    pieces = torch.split(bits, [len(row.declaration) + len(row.response) + 1 for row in rows])
    return [_cost(row, piece) for row, piece in zip(rows, pieces, strict=True)]


def _cost(row: Encoded, bits: torch.Tensor) -> Cost:
    declared, response, end = torch.split(bits, [len(row.declaration), len(row.response), 1])
    return Cost(float(declared.sum()), float(response.sum()), float(end.sum()), len(bits))
