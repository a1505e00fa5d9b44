"""A second base for the study: a small Llama, pre-trained for a few minutes on the seedling's text.

It shares the seedling's tokenizer and replay samples, but no weight and not the architecture. The losses, batches and
optimisers are those of the seedling's pre-training; only the model is another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from bonsai.model.seedling import weights_folder
from bonsai.system.locks import file_lock
from research.seedling.pretraining import Example, batch_loss, batches, examples, learning_rate_share, new_optimizers
from research.seedling.recipe import Recipe, chunk, default_guard

RECIPE = replace(Recipe(), steps=500, hidden=128, layers=4, heads=4, inner=384, warmup_steps=30, seed=11)
WAIT_SECONDS = 3600.0
"Wait for another process that builds it."


def built(folder: Path) -> Path:
    """The folder with the base, which is pre-trained if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / "lock", exclusive=True, wait_seconds=WAIT_SECONDS):
        if not (folder / "tokenizer.json").is_file():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    """Pre-train; the tokenizer is written last."""
    tokenizer = AutoTokenizer.from_pretrained(weights_folder())
    model = new_model(len(tokenizer), tokenizer.eos_token_id)
    pretrain(model, _batches(tokenizer))
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def new_model(vocabulary: int, end: int) -> LlamaForCausalLM:
    """With seeded random weights."""
    torch.manual_seed(RECIPE.seed)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=RECIPE.hidden, intermediate_size=RECIPE.inner,
        num_hidden_layers=RECIPE.layers, num_attention_heads=RECIPE.heads, num_key_value_heads=RECIPE.heads,
        max_position_embeddings=RECIPE.positions, bos_token_id=end, eos_token_id=end, pad_token_id=end,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def pretrain(model: LlamaForCausalLM, text: Iterator[list[Example]]) -> None:
    """One pass over the recipe's steps."""
    optimizers = new_optimizers(RECIPE, model)
    peaks = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    for step in range(RECIPE.steps):
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            optimizer.param_groups[0]["lr"] = peak * learning_rate_share(RECIPE, step)
        batch_loss(model, next(text)).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), RECIPE.gradient_norm)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    model.eval()


def _batches(tokenizer: AutoTokenizer) -> Iterator[list[Example]]:
    """Endless batches, chunk by chunk."""
    guard, number = default_guard(), 0
    while True:
        yield from batches(RECIPE, number, examples(chunk(RECIPE, number, guard), tokenizer))
        number += 1
