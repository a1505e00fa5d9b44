"""Heavy: attention over several documents in one row, without a mask: torch's `varlen_attn` inside transformers.

    with attention_for_packs(model, "cuda"):       # "varlen" where it runs and is right, else what it was
        trainer.train()                            # and afterwards as before: generation is padded

SDPA isolates packed documents by a dense mask: its cost grows with the square of the row, that of `varlen_attn`
(flash attention, https://arxiv.org/abs/2307.08691) with the squares of the documents. The borders come from the
collator as `cu_seq_lens_q`. Before it is trusted, a small case is compared with one document after the other.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

NAME = "varlen"
_TOLERANCE = 0.03
"Largest difference to float32 in the check: bfloat16 keeps 8 bits, values and gradients are about 1."


@contextmanager
def attention_for_packs(model: PreTrainedModel, device: str) -> Iterator[None]:
    """During the block, packed rows are attended to without a mask, when that runs here and passes its check."""
    before = model.config._attn_implementation
    if not why_not(device):
        register()
        model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def why_not(device: str) -> str:
    """Why `varlen_attn` cannot be used here; empty when it can."""
    if not device.startswith("cuda"):
        return f"varlen_attn has no kernel for {device}"
    if torch.cuda.get_device_capability(device)[0] < 8:
        return "flash attention needs compute capability 8.0"
    try:
        difference = largest_difference(device)
    except (ImportError, RuntimeError, TypeError) as error:  # no such function, kernel, or argument in this torch
        return f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    return "" if difference <= _TOLERANCE else f"differs by {difference:.3f} from one document after the other"


def register() -> None:
    """Make the name known to transformers. Safe to repeat."""
    AttentionInterface.register(NAME, varlen_attention)
    AttentionMaskInterface.register(NAME, _no_mask)


def _no_mask(*_args: Any, **_kwargs: Any) -> None:
    """The borders of documents are in `cu_seq_lens_q`."""


def varlen_attention(
    module: torch.nn.Module,
    query: torch.Tensor,  # (1, heads, tokens, size)
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    cu_seq_lens_q: torch.Tensor | None = None,  # (documents + 1,)
    max_length_q: int | None = None,
    **_kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each document; (1, tokens, heads, size). Signature of transformers' interface."""
    if cu_seq_lens_q is None or max_length_q is None or query.shape[0] != 1:
        raise ValueError("varlen attention wants one row of packed documents with cu_seq_lens_q and max_length_q")
    repeat = query.shape[1] // key.shape[1]
    rows = (query, key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1))
    q, k, v = (row[0].transpose(0, 1).contiguous() for row in rows)  # (tokens, heads, size)
    return causal_varlen(q, k, v, cu_seq_lens_q, max_length_q, scaling).unsqueeze(0), None


def causal_varlen(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, borders: torch.Tensor, longest: int, scale: float | None
) -> torch.Tensor:
    """torch's function under the argument names of this torch; (tokens, heads, size)."""
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    causal: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in known else {"is_causal": True}
    out = varlen_attn(q, k, v, borders, borders, longest, longest, scale=scale, **causal)
    return out[0] if isinstance(out, tuple) else out


def largest_difference(device: str) -> float:
    """Between three packed documents in bfloat16 and each alone in float32: outputs and gradients."""
    lengths, heads, size = [5, 64, 31], 4, 80  # 80 as in Phi-2
    made = torch.Generator().manual_seed(0)
    given = torch.randn(4, sum(lengths), heads, size, generator=made).to(device, torch.bfloat16)
    q, k, v = (one.clone().requires_grad_() for one in given[:3])
    borders = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)
    together = causal_varlen(q, k, v, borders, max(lengths), None)
    q1, k1, v1 = (one.float().requires_grad_() for one in given[:3])
    alone = one_by_one(q1, k1, v1, lengths)
    found = torch.autograd.grad(together, (q, k, v), given[3])
    expected = torch.autograd.grad(alone, (q1, k1, v1), given[3].float())
    pairs = zip((together, *found), (alone, *expected), strict=True)
    return max(float((one.float() - other).abs().max().detach()) for one, other in pairs)


def one_by_one(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: list[int], scale: float | None = None
) -> torch.Tensor:
    """Causal attention of one document after the other; (tokens, heads, size)."""
    pieces = zip(*(torch.split(one.transpose(0, 1), lengths, dim=1) for one in (q, k, v)), strict=True)
    made = [scaled_dot_product_attention(a, b, c, is_causal=True, scale=scale) for a, b, c in pieces]
    return torch.cat(made, dim=1).transpose(0, 1)
