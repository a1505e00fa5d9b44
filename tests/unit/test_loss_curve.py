"""A loss curve read back from what a training's worker wrote into its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from hand_nights import write_log

from bonsai.train.curve import Loss, read_curve, thinned


def test_a_resumed_training_is_one_curve(tmp_path: Path) -> None:
    write_log(tmp_path / "log.txt", 2.0, steps=40)
    found = read_curve(tmp_path / "log.txt")
    assert found is not None
    assert [one.step for one in found.losses] == list(range(1, 41))
    assert (found.losses[0].loss, found.losses[-1].loss, found.steps) == (2.0, 0.05, 40)


def test_of_a_repeated_step_the_last_run_counts_and_no_number_is_none(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    line = '{{"type": "progress", "step": {}, "steps": 9, "loss": {}}}\n'
    log.write_text("".join(line.format(*pair) for pair in ((1, 3.0), (2, 2.0), (2, 1.5), (3, "NaN"), (4, '"x"'))))
    found = read_curve(log)
    assert found is not None
    assert found.losses == (Loss(1, 3.0), Loss(2, 1.5))


def test_no_log_is_no_curve(tmp_path: Path) -> None:
    assert read_curve(tmp_path / "log.txt") is None
    (tmp_path / "log.txt").write_text("a library prints\n")
    assert read_curve(tmp_path / "log.txt") is None


def test_a_thinned_curve_keeps_its_mean_and_its_last_step() -> None:
    losses = [Loss(step, float(step)) for step in range(1, 101)]
    few = thinned(losses, 10)
    assert [one.step for one in few] == list(range(10, 101, 10))
    assert sum(one.loss for one in few) / 10 == pytest.approx(50.5)
    uneven = [one.step for one in thinned(losses, 7)]
    assert max(b - a for a, b in zip([0, *uneven], uneven, strict=False)) <= 15, "the last part is no single step"
    assert min(b - a for a, b in zip([0, *uneven], uneven, strict=False)) >= 14
    assert thinned(losses[:3], 10) == tuple(losses[:3])
    assert thinned([], 10) == ()
