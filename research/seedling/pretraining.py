"""Pre-training of the seedling: model, batches, optimiser, loop, in reading order. Needs torch.

A plain Phi (parallel attention and MLP, partial rotary positions) without dropout and with `gelu_pytorch_tanh`: base
and nights share one deterministic activation that needs no saved intermediate. Only completions are trained on:
questions about invented names are unpredictable, and trying would cost capacity. Matrix products run in bfloat16,
everything else in float32.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from transformers import PhiConfig, PhiForCausalLM

from bonsai.errors import TrainingError
from research.seedling.recipe import Recipe, chunk
from research.seedling.tokenizer import completion_text, prompt_text
from research.seedling.world.fact import WorldRecord

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True)
class Example:
    """One tokenised record."""

    ids: list[int]
    "Prompt, completion, end of text."
    prompt_length: int


@dataclass(frozen=True, slots=True)
class Step:
    """Progress after each step."""

    number: int
    "Counted from 1."
    of: int
    loss: float
    tokens: int
    "Tokens without padding."


def new_model(recipe: Recipe, vocabulary: int, end_id: int) -> PhiForCausalLM:
    """A Phi with seeded random weights; every field is set, since the defaults are phi-1's."""
    torch.manual_seed(recipe.seed)
    config = PhiConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        hidden_act="gelu_pytorch_tanh",
        max_position_embeddings=recipe.positions,
        partial_rotary_factor=0.5,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attention_dropout=0.0,
        qk_layernorm=False,
        tie_word_embeddings=False,
        bos_token_id=end_id,
        eos_token_id=end_id,
        pad_token_id=end_id,
    )
    return PhiForCausalLM(config)


def examples(records: Sequence[WorldRecord], tokenizer: PreTrainedTokenizerFast) -> list[Example]:
    """Prompt and completion are tokenised separately, so that the mask is known."""
    prompts = tokenizer([prompt_text(record) for record in records])["input_ids"]
    completions = tokenizer([completion_text(record) for record in records])["input_ids"]
    end = tokenizer.eos_token_id
    return [Example([*before, *after, end], len(before)) for before, after in zip(prompts, completions, strict=True)]


def batches(recipe: Recipe, number: int, made: list[Example]) -> list[list[Example]]:
    """A chunk's examples in batches of similar length and about equal cost, in random order."""
    by_length = sorted(made, key=lambda example: len(example.ids))
    grouped: list[list[Example]] = [[]]
    for example in by_length:
        if (len(grouped[-1]) + 1) * len(example.ids) > recipe.tokens_per_batch and grouped[-1]:
            grouped.append([])
        grouped[-1].append(example)
    random.Random(f"{recipe.seed}/batches/{number}").shuffle(grouped)
    return grouped


def batch_loss(model: PhiForCausalLM, batch: Sequence[Example]) -> torch.Tensor:
    """Mean cross-entropy of the completion's tokens; the language model head runs on these only."""
    longest = max(len(example.ids) for example in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)  # (batch, tokens)
    labels = torch.full_like(ids, -100)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        labels[row, example.prompt_length : len(example.ids)] = ids[row, example.prompt_length : len(example.ids)]
    # Padding stands on the right, where causal attention never looks: no mask is needed.
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state  # (batch, tokens, hidden)
        wanted = labels[:, 1:] != -100
        logits = model.lm_head(hidden[:, :-1][wanted])  # (labelled, vocabulary)
    return functional.cross_entropy(logits.float(), labels[:, 1:][wanted])


def learning_rate_share(recipe: Recipe, step: int) -> float:
    """Warm-up, stable, then a cosine to zero."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    decay = max(1, int(recipe.steps * recipe.decay_share))
    left = recipe.steps - step
    return 1.0 if left > decay else 0.5 - 0.5 * math.cos(math.pi * left / decay)


def new_optimizers(recipe: Recipe, model: PhiForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for embeddings, head, biases and norms.

    After 120 steps, each at its better learning rate, Muon reached a loss of 2.07 and AdamW alone 2.37, for a tenth
    more time. Muon: https://kellerjordan.github.io/posts/muon/
    """
    blocks = [weights for name, weights in model.named_parameters() if ".layers." in name and weights.ndim == 2]
    inside = {id(weights) for weights in blocks}
    others = [weights for weights in model.parameters() if id(weights) not in inside]
    return [
        torch.optim.Muon(blocks, lr=recipe.matrix_learning_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(others, lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]


@dataclass(slots=True)
class Position:
    """Position in the text; saved with every checkpoint."""

    step: int = 0
    chunk: int = 0
    batch: int = 0
    "Next batch in the chunk."


def pretrain(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerFast,
    guard: frozenset[str],
    checkpoint: Path,
    on_step: Callable[[Step], None],
    stop_after: int | None = None,
    checkpoint_every: int = 300,
) -> PhiForCausalLM:
    """Train from scratch, or from `checkpoint` if there is one; `stop_after` steps is for tests.

    Raises TrainingError if a loss is not finite.
    """
    model = new_model(recipe, len(tokenizer), tokenizer.eos_token_id)
    optimizers = new_optimizers(recipe, model)
    peaks = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    position = _restore(checkpoint, model, optimizers)
    model.train()
    last = min(recipe.steps, stop_after or recipe.steps)
    for batch in _batches_from(recipe, tokenizer, guard, position):
        if position.step >= last:
            break
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            optimizer.param_groups[0]["lr"] = peak * learning_rate_share(recipe, position.step)
        loss = batch_loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_norm)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        position.step += 1
        if not math.isfinite(loss.item()):
            raise TrainingError("seedling.loss_not_finite", step=position.step, loss=loss.item())
        on_step(Step(position.step, recipe.steps, loss.item(), sum(len(example.ids) for example in batch)))
        if position.step % checkpoint_every == 0:
            _save(checkpoint, model, optimizers, position)
    return model.eval()


def _batches_from(
    recipe: Recipe, tokenizer: PreTrainedTokenizerFast, guard: frozenset[str], position: Position
) -> Iterator[list[Example]]:
    """Endless batches from `position`, which is advanced with each."""
    while True:
        made = examples(chunk(recipe, position.chunk, guard), tokenizer)
        for batch in batches(recipe, position.chunk, made)[position.batch :]:
            position.batch += 1
            yield batch
        position.chunk, position.batch = position.chunk + 1, 0


def _save(path: Path, model: PhiForCausalLM, optimizers: list[torch.optim.Optimizer], position: Position) -> None:
    beside = path.with_suffix(".tmp")
    where = [position.step, position.chunk, position.batch]
    states = [optimizer.state_dict() for optimizer in optimizers]
    torch.save({"model": model.state_dict(), "optimizers": states, "position": where}, beside)
    beside.replace(path)


def _restore(path: Path, model: PhiForCausalLM, optimizers: list[torch.optim.Optimizer]) -> Position:
    if not path.exists():
        return Position()
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    return Position(*saved["position"])
