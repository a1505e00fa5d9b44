"""A recipe small enough for tests; each changes what it is about."""

from __future__ import annotations

from bonsai.train.plan import Recipe

SMALL = Recipe(
    template="tagged",
    target_modules=("q_proj", "fc1"),
    lora_rank=4,
    lora_alpha=8.0,
    lora_dropout=0.0,
    learning_rate=1e-3,
    warmup_share=0.1,
    weight_decay=0.0,
    max_grad_norm=1.0,
    epochs=3,
    batch_size=4,
    accumulate=2,
    by_length=True,
    packing=False,
    gradient_checkpointing=False,
    optimiser="adamw_torch_fused",
    checkpoint_steps=10,
)
