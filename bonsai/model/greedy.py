"""Heavy: greedy completions of many prompts.

A batch waits for its longest answer, and most answers are short. So a batch is broken off when few of its rows still
write, and these go on in full batches of their own: reading what they have takes a fraction of writing it. A row that
has begun to repeat itself would do so until its limit, decoding being greedy: it is left where that is certain.

Which rows share a batch depends on the prompts and on what was answered before, so the same model on the same machine
answers the same. Prompts are left-padded: every row's next token stands in the last column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.cache_utils import DynamicLayer

LOOP_REPEATS, LOOP_TOKENS = 5, 48
"A row whose end is one unit so many times, in so many tokens, is a loop. 16 Japanese characters may take 48 tokens."
_LOOK_EVERY = 8
"Tokens between two looks for loops."
_WRITING = 0.25
"A batch with no larger share of its rows still writing is broken off,"
_SMALL = 8
"unless it has fewer rows than this."
_ROOM_AHEAD = 64
"Tokens."


@dataclass(slots=True)
class _Row:
    """One prompt and what it got so far."""

    prompt: tuple[int, ...]
    limit: int
    made: tuple[int, ...] = ()
    ended: bool = False
    "By an end token."
    looping: bool = False

    @property
    def room(self) -> int:
        """Tokens that it may still get."""
        return self.limit - len(self.made)

    @property
    def finished(self) -> bool:
        return self.ended or self.looping or not self.room

    @property
    def share(self) -> float:
        """Of the work: 0 to 1."""
        return 1.0 if self.finished else len(self.made) / self.limit


@dataclass(frozen=True, slots=True)
class Completed:
    """The new tokens of a row, without its end token."""

    ids: tuple[int, ...]
    ended: bool
    "It stopped by itself, within its limit."


def complete(
    model: PreTrainedModel,
    prompts: Sequence[tuple[int, ...]],
    limits: Sequence[int],
    ends: tuple[int, ...],
    size: int,
    on_progress: Callable[[int], None],
) -> list[Completed]:
    """Continue each prompt up to an end token or its limit, `size` at once.

    `on_progress` gets how many prompts' worth of work is done, at every token; it may raise.
    """
    rows = [_Row(prompt, limit) for prompt, limit in zip(prompts, limits, strict=True)]

    def told() -> None:
        on_progress(int(sum(row.share for row in rows)))

    while waiting := [row for row in rows if not row.finished]:
        for batch in batches([(*row.prompt, *row.made) for row in waiting], size):
            _continue(model, [waiting[i] for i in batch], ends, told)
            told()
    return [Completed(row.made, row.ended) for row in rows]


def batches(rows: Sequence[tuple[int, ...]], size: int) -> Iterator[list[int]]:
    """Indices, up to `size` at once, by length and then by content: the order in which rows arrive changes no batch.

    A batch ends before a row more than twice as long as its first: the short ones would be padded to it.
    """
    batch: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: (len(rows[i]), rows[i])):
        if batch and (len(batch) == size or len(rows[i]) > 2 * len(rows[batch[0]])):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _continue(model: PreTrainedModel, rows: Sequence[_Row], ends: tuple[int, ...], told: Callable[[], None]) -> None:
    """Write on until each row is finished, or few are not."""
    before = [(*row.prompt, *row.made) for row in rows]
    width, end = max(map(len, before)), ends[0]
    ids = torch.tensor([[end] * (width - len(row)) + list(row) for row in before], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in before], device=model.device)
    most = max(row.room for row in rows)
    greedy = GenerationConfig(do_sample=False, max_new_tokens=most, eos_token_id=list(ends), pad_token_id=end)
    watch = _Watch(rows, width, ends, told)
    found = model.generate(
        input_ids=ids,
        attention_mask=mask,
        generation_config=greedy,
        stopping_criteria=StoppingCriteriaList([watch]),
        past_key_values=growing_cache(model.config),
    )
    for i, (row, new) in enumerate(zip(rows, found[:, width:].tolist(), strict=True)):
        row.looping = i in watch.loops
        new = new[: watch.loops.get(i, row.room)]
        at = next((place for place, token in enumerate(new) if token in ends), None)
        row.ended = at is not None
        row.made += tuple(new[:at])


class _Watch(StoppingCriteria):  # type: ignore[misc]
    """Asked by transformers after each token: tells the progress, and stops rows or the whole batch."""

    def __init__(self, rows: Sequence[_Row], width: int, ends: tuple[int, ...], told: Callable[[], None]) -> None:
        self._rows, self._width, self._ends, self._told = rows, width, ends, told
        self._done = [False] * len(rows)
        self.loops: dict[int, int] = {}
        "Row -> new tokens up to where it was left."

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_kwargs: object) -> torch.Tensor:
        self._told()
        made = input_ids.shape[1] - self._width
        for i, (row, token) in enumerate(zip(self._rows, input_ids[:, -1].tolist(), strict=True)):
            self._done[i] |= token in self._ends or made >= row.room
        if made % _LOOK_EVERY == 0:
            self._find_loops(input_ids, made)
        rows = len(self._rows)
        few = rows >= _SMALL and rows - sum(self._done) <= rows * _WRITING
        return torch.tensor([few or done for done in self._done], device=input_ids.device)

    def _find_loops(self, input_ids: torch.Tensor, made: int) -> None:
        written = [len(row.made) + made for row in self._rows]
        for i, tokens in enumerate(loops(input_ids, max(written)).tolist()):
            if not self._done[i] and 0 < tokens <= written[i]:
                self.loops[i], self._done[i] = made, True


def loops(ids: torch.Tensor, most: int) -> torch.Tensor:
    """For each row the number of tokens at its end that are a loop, 0 for none; in the last `most` columns.

    `ids`: (rows, columns). Returns (rows,).
    """
    found = torch.zeros(len(ids), dtype=torch.long, device=ids.device)
    most = min(most, ids.shape[1])
    if most < LOOP_TOKENS:
        return found
    for unit in range(most // LOOP_REPEATS, 0, -1):  # the shortest unit has the last word
        needed = max(unit * LOOP_REPEATS, LOOP_TOKENS)
        tail = ids[:, -needed:]
        found[(tail[:, unit:] == tail[:, :-unit]).all(dim=1)] = needed
    return found


class _GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer, with room ahead: the library's own copies all of them at each token."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: object, **_kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._room = [key_states[:, :, :0], value_states[:, :, :0]]
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        if after > self._room[0].shape[-2]:
            self._room = [_longer(one[:, :, :before], after + _ROOM_AHEAD) for one in self._room]
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, before:after] = new
        self.keys, self.values = (room[:, :, :after] for room in self._room)
        return self.keys, self.values


def _longer(states: torch.Tensor, tokens: int) -> torch.Tensor:
    made = states.new_empty((*states.shape[:2], tokens, states.shape[3]))
    made[:, :, : states.shape[2]] = states
    return made


def growing_cache(config: PreTrainedConfig) -> DynamicCache:
    """The cache of a family, with room ahead in each layer that keeps every token."""
    cache = DynamicCache(config=config)
    cache.layers = [_GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
