"""Heavy: what the families of causal language models name differently, asked of the model itself.

Multimodal families keep the sizes of their language model in a configuration inside the configuration; activation and
dropout have several names; hybrids have other linear maps in each kind of layer; some change what the LM head says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D

ALL_LINEAR = "all-linear"
"As the only target module: every linear map of the model but the LM head."
_ACTIVATIONS = ("hidden_act", "hidden_activation", "activation_function")
_HEAD_IS_ALL = "_bonsai_head_is_all"
_PROBE = (1, 2, 3)


def without_dropout(config: PreTrainedConfig) -> PreTrainedConfig:
    """The configuration, changed in place: no dropout, and GELU in its fused form.

    Phi-2 ships `gelu_new` and dropout; the fused form of the same function and no dropout need a third of the memory.
    """
    for part in {id(one): one for one in (config, config.get_text_config())}.values():
        for name in _ACTIVATIONS:
            if getattr(part, name, None) == "gelu_new":
                setattr(part, name, "gelu_pytorch_tanh")
        for name, value in vars(part).items():
            if ("drop" in name or name.endswith("_pdrop")) and isinstance(value, float):
                setattr(part, name, 0.0)
    return config


def context_length(config: PreTrainedConfig) -> int | None:
    """Most tokens of a text; None where the family sets no limit (Bloom)."""
    found = getattr(config.get_text_config(), "max_position_embeddings", None)
    return int(found) if found else None


def cache_numbers(config: PreTrainedConfig) -> int:
    """Numbers that are kept for each token while an answer is generated (keys and values of all layers); 0 for a family
    without layers and heads of the usual kind."""
    text = config.get_text_config()
    layers, heads = getattr(text, "num_hidden_layers", 0), getattr(text, "num_attention_heads", 0)
    width = getattr(text, "head_dim", None) or getattr(text, "hidden_size", 0) // max(heads, 1)
    return int(2 * layers * (getattr(text, "num_key_value_heads", None) or heads) * width)


def linear_maps(model: torch.nn.Module) -> Iterator[str]:
    """Full names of the linear maps that an adapter belongs on: all but the LM head, and the weights inside of LoRA."""
    head = model.get_output_embeddings() if isinstance(model, PreTrainedModel) else None
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head and "lora_" not in name:
            yield name


def kinds(names: Iterator[str] | list[str]) -> dict[str, int]:
    """Last part of the names -> how often it occurs: `{"q_proj": 24, ...}`."""
    return dict(Counter(name.rpartition(".")[2] for name in names))


def without_adapter(wrapped: Any) -> dict[str, int]:
    """Linear maps of a model under LoRA that got no adapter, by kind."""
    causal = wrapped.get_base_model()
    adapted = {name.removesuffix(".lora_A") for name, _ in causal.named_modules() if name.endswith(".lora_A")}
    # under an adapter, the map itself is the adapter's `base_layer`
    plain = {name.removesuffix(".base_layer") for name in linear_maps(causal)}
    return kinds(sorted(plain - adapted))


def missed_parameters(model: PreTrainedModel) -> dict[str, int]:
    """Matrices in the layers that are no linear map, so no adapter changes them, by the end of their names: kernels of
    convolutions, experts in one block."""
    maps = set(linear_maps(model))
    embeddings = {id(one.weight) for one in (model.get_input_embeddings(), model.get_output_embeddings()) if one}
    missed = Counter(
        ".".join(name.split(".")[-2:])
        for name, weight in model.named_parameters()
        if weight.ndim > 1 and name.rpartition(".")[0] not in maps and id(weight) not in embeddings
    )
    return dict(missed)


def head_is_all(causal: PreTrainedModel) -> bool:
    """Whether logits are the LM head's output and no more: Gemma caps, Granite scales them.

    Three tokens are asked both ways, once for each model in memory; the same arithmetic gives the same bits.
    """
    known = getattr(causal, _HEAD_IS_ALL, None)
    if known is None:
        known = _same_by_the_head(causal)
        setattr(causal, _HEAD_IS_ALL, known)
    return bool(known)


def _same_by_the_head(causal: PreTrainedModel) -> bool:
    head, body = causal.get_output_embeddings(), causal.base_model
    if head is None or body is causal:
        return False
    ids = torch.tensor([_PROBE], device=causal.device)
    with torch.no_grad():
        hidden = getattr(body(input_ids=ids, use_cache=False), "last_hidden_state", None)
        logits = causal(input_ids=ids, use_cache=False).logits
        return hidden is not None and hidden.shape[-1] == head.weight.shape[-1] and torch.equal(head(hidden), logits)
