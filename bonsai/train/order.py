"""The order of the training rows, fixed before the training starts, so that a resumed training sees the same.

Batches hold rows of similar length (less padding), drawn from shuffled windows, like transformers' length-grouped
sampler, whose generator state is lost on resume (measured: other batches after the checkpoint, another adapter).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from random import Random

_WINDOW_BATCHES = 16
"Window size in batches: rows are sorted by length only within a shuffled window."
_OPEN_PACKS = 16
"Open packs: enough to fill 98 % of 1,024 tokens with records of 300 on average."


def training_order(
    lengths: Sequence[int],
    replay_samples: Sequence[int] = (),
    *,
    anchors_a_pass: int = 0,
    replayed: Sequence[int] = (),
    replayed_a_pass: int = 0,
    epochs: int,
    batch_size: int,
    by_length: bool,
    seed: int,
) -> list[int]:
    """Row indices for the whole training, batch after batch.

    A pass has every own row once and the next `anchors_a_pass` of `replay_samples` (row indices), in a shuffled cycle
    over the passes; likewise for the `replayed` own rows.
    """
    chance = Random(f"{seed} order")
    sampled = cycle(chance.sample(list(replay_samples), len(replay_samples)))
    replayed_again = cycle(chance.sample(list(replayed), len(replayed)))
    in_turns = {*replay_samples, *replayed}
    own = [row for row in range(len(lengths)) if row not in in_turns]
    order: list[int] = []
    for _ in range(epochs):
        once = own + list(islice(sampled, anchors_a_pass)) + list(islice(replayed_again, replayed_a_pass))
        order += chance.sample(once, len(once))
    if not by_length:
        return order
    grouped: list[int] = []
    window = batch_size * _WINDOW_BATCHES
    for start in range(0, len(order), window):
        grouped += _by_length(order[start : start + window], lengths, batch_size, chance)
    return grouped


def _by_length(rows: list[int], lengths: Sequence[int], batch_size: int, chance: Random) -> list[int]:
    """One window: sorted by length, cut into batches, batches shuffled; a smaller batch stays at the end."""
    rows = sorted(rows, key=lambda row: lengths[row])
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    smaller = [batches.pop()] if len(batches[-1]) < batch_size else []
    chance.shuffle(batches)
    return [row for batch in (*batches, *smaller) for row in batch]


def packed(order: Sequence[int], lengths: Sequence[int], room: int) -> list[list[int]]:
    """Pack the rows of `order` into packs of at most `room` tokens, in about that order.

    Best fit over a few open packs: a row goes to the fullest pack that has room; beyond the limit the fullest is
    closed. trl's packing sorts by length, which puts the copies of a row, one for each pass, into one pack.
    """
    done: list[list[int]] = []
    opened: list[tuple[int, list[int]]] = []  # (tokens, rows)
    for row in order:
        fitting = [pack for pack in opened if pack[0] + lengths[row] <= room and row not in pack[1]]
        tokens, rows = max(fitting, key=lambda pack: pack[0], default=(0, []))
        opened = [pack for pack in opened if pack[1] is not rows]
        opened.append((tokens + lengths[row], [*rows, row]))
        if len(opened) > _OPEN_PACKS:
            fullest = max(opened, key=lambda pack: pack[0])
            opened.remove(fullest)
            done.append(fullest[1])
    return done + [rows for _, rows in opened]
