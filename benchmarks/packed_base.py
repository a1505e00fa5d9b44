"""The base as a first script loads it: NF4 stays packed and is unpacked at every product."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from bonsai.model.bases import Base, model_folder


def packed_base(base: Base) -> Any:
    """A causal LM on the CPU, float32 except for NF4; the same values as Bonsai's loader gives."""
    packed = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.float32,
        bnb_4bit_use_double_quant=base.double_quantisation,
    )
    model = AutoModelForCausalLM.from_pretrained(
        model_folder(base),
        dtype=torch.float32,
        quantization_config=packed if base.quantisation == "nf4" else None,
        device_map={"": "cpu"},
    )
    for module in model.modules():  # otherwise the first pass without gradients converts the weights to bfloat16
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model
