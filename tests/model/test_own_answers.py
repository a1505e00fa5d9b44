"""A base of random weights is asked in a process of its own: what it says is of no use; stopped, it leaves no file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bonsai.errors import NightCancelled
from bonsai.evaluate.replay_maker import ProcessReplayMaker, ReplayJob, answers_file
from bonsai.model.bases import Base
from bonsai.train import own_answers
from bonsai.train.replay import replay_samples


def job_of(base: Base, folder: Path) -> ReplayJob:
    asked = replace(base, max_tokens=240, answer_tokens_en=8, answer_tokens_ja=8, generation_batch=32)
    path = answers_file(asked, "tagged", folder / "replay")
    return ReplayJob(asked, "cpu", "tagged", str(path), str(folder / "runs" / "night-1"))


def test_a_base_that_knows_nothing_is_asked_once_and_the_file_says_why_it_is_empty(
    tiny_base: Base, tmp_path: Path
) -> None:
    job = job_of(tiny_base, tmp_path)
    told: list[tuple[int, int]] = []
    ProcessReplayMaker().make(job, lambda done, total: told.append((done, total)))
    found = own_answers.read(Path(job.path))
    assert found.prompts == len(own_answers.prompts())
    assert len(found.rows) + sum(found.dropped.values()) == found.prompts
    assert found.dropped["too_long"] > 0
    assert found.dropped["endless"] > 0
    assert found.few
    assert len(replay_samples(Path(job.path), 1000, seed=1)) == len(found.rows)
    assert told[0] == (0, found.prompts)
    assert told[-1] == (found.prompts, found.prompts)


def test_cancelled_in_between_it_leaves_no_file(tiny_base: Base, tmp_path: Path) -> None:
    job = job_of(tiny_base, tmp_path)

    def cancel(done: int, total: int) -> None:
        if done:
            raise NightCancelled("pipeline.night_cancelled", night="night-1", who="Mika")

    with pytest.raises(NightCancelled):
        ProcessReplayMaker().make(job, cancel)
    assert not list((tmp_path / "replay").glob("*"))
