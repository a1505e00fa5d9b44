"""A night on a base that is no seedling: the base answers the replay prompts once, and its answers are replayed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest
from hand_bases import SETTINGS, HandReplayMaker, HandSpeaker, endless_answer, make_base
from hand_nights import EVENING, Stage, open_stage

from bonsai import bootstrap
from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example
from bonsai.errors import NightCancelled, WorkerDied
from bonsai.night.status import cancel_night
from bonsai.night.steps import begin_night, run_night
from bonsai.queries import nights
from bonsai.queries.nights import list_nights, night_detail, show_night
from bonsai.system.progress import Progress, silent
from bonsai.train import own_answers, seedling_facts

PROMPTS = len(own_answers.prompts())


@pytest.fixture
def maker() -> HandReplayMaker:
    return HandReplayMaker()


@pytest.fixture
def stage(tmp_path: Path, taught_home: Path, maker: HandReplayMaker) -> Stage:
    made = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    with made.b.places.settings_file.open("a") as file:
        file.write(SETTINGS.format(folder=make_base(tmp_path / "base")))
    opened = bootstrap.open(made.b.home, {})
    made.b = replace(opened, trainer=made.trainer, evaluator=made.evaluator, replay_maker=maker)
    made.tell(4)
    return made


def replayed(stage: Stage, snapshot: str) -> list[Example]:
    rows = snapshots.read(stage.b.places.snapshots / snapshot).train
    return [row for row in rows if row.role == "anchor"]


def files(stage: Stage) -> list[str]:
    return sorted(path.name for path in stage.b.places.replay.iterdir())


def test_a_base_answers_once_and_every_night_replays_nothing_else(stage: Stage, maker: HandReplayMaker) -> None:
    first = begin_night(stage.b, EVENING)
    stage.tell(2, "Tama")
    second = begin_night(stage.b, EVENING + timedelta(days=1))
    assert [Path(one).name for one in maker.made] == files(stage)
    own = {row.record_id for row in own_answers.read(Path(maker.made[0])).rows}
    for night in (first, second):
        rows = replayed(stage, night.snapshot)
        assert rows
        assert {row.record_id for row in rows} <= own
        assert {row.language for row in rows} == {"en", "ja"}
    facts, _ = seedling_facts.replay_facts()
    world = {question for fact in facts for asked in fact.questions.values() for question in asked}
    assert not world & {prompt.question.instruction for prompt in own_answers.prompts()}


def test_the_night_says_what_is_replayed(stage: Stage) -> None:
    report = stage.night()
    assert f"{PROMPTS} of the base model's own answers to {PROMPTS}" in report.why_in("en")
    assert f"基礎モデル自身の回答のうち {PROMPTS} 件" in report.why_in("ja")
    steps = [one.name for one in night_detail(stage.b, report.night).steps]
    assert steps == ["snapshot", "replay", *nights.STEPS]


def test_a_base_without_usable_answers_replays_nothing_and_the_night_says_so(
    stage: Stage, maker: HandReplayMaker
) -> None:
    maker.speaker = HandSpeaker(endless_answer)
    report = stage.night()
    assert report.status == "done"
    assert replayed(stage, nights_snapshot(stage, report.night)) == []
    assert "hand-made gave no usable answer" in report.why_in("en")
    assert "使える回答をしませんでした" in report.why_in("ja")
    kept = own_answers.read(Path(maker.made[0]))
    assert (kept.prompts, kept.dropped, kept.few) == (PROMPTS, {"endless": PROMPTS}, True)


def nights_snapshot(stage: Stage, night: str) -> str:
    learned = night_detail(stage.b, night).learned
    assert learned is not None
    return learned.snapshot


def test_few_usable_answers_are_replayed_and_the_night_says_so(stage: Stage, maker: HandReplayMaker) -> None:
    usable = HandSpeaker().says
    maker.speaker = HandSpeaker(lambda q, tags: (usable if "bread" in q.instruction else endless_answer)(q, tags))
    report = stage.night()
    kept = own_answers.read(Path(maker.made[0]))
    assert (kept.few, 0 < len(kept.rows) < own_answers.FEW) == (True, True)
    rows = replayed(stage, nights_snapshot(stage, report.night))
    assert {row.record_id for row in rows} <= {row.record_id for row in kept.rows}
    assert f"only {len(kept.rows)} of" in report.why_in("en")


def test_while_the_base_answers_the_night_shows_how_far_it_is(stage: Stage, maker: HandReplayMaker) -> None:
    seen, told = [], list[Progress]()

    def look(done: int) -> None:
        found = nights.running_night(stage.b)
        assert found is not None
        assert found.status.step is not None
        seen.append((found.status.step.name, found.status.done, found.status.total))

    maker.before = look
    seconds = chain(range(0, 20, 2), repeat(20))
    run_night(stage.b, EVENING, told.append, clock=lambda: EVENING + timedelta(seconds=next(seconds)))
    assert seen[:3] == [("replay", 0, PROMPTS), ("replay", 1, PROMPTS), ("replay", 2, PROMPTS)]
    assert [one.done for one in told if one.step == "replay"] == list(range(PROMPTS + 1))


def test_killed_in_between_nothing_half_done_stays_and_the_next_night_asks_again(
    stage: Stage, maker: HandReplayMaker
) -> None:
    maker.dies = True
    with pytest.raises(WorkerDied):
        begin_night(stage.b, EVENING)
    assert files(stage) == []
    [failed] = list_nights(stage.b, None)
    assert failed.status == "failed"
    (stage.b.places.replay / ".0123456789abcdef.999999999-1.tmp").write_bytes(b"half")
    maker.dies = False
    again = begin_night(stage.b, EVENING + timedelta(days=1))
    assert (again.night, again.status) == (failed.night, "resumed")
    assert files(stage) == [Path(maker.made[0]).name]


def test_cancelled_while_the_base_answers_it_stops_and_the_next_night_asks_again(
    stage: Stage, maker: HandReplayMaker
) -> None:
    def cancel(done: int) -> None:
        if done == 3:
            [night] = list_nights(stage.b, None)
            assert cancel_night(stage.b, night.night, "Mika", EVENING) == "asked"
        assert done < 4

    maker.before = cancel
    with pytest.raises(NightCancelled, match="Mika"):
        run_night(stage.b, EVENING, silent)
    [night] = list_nights(stage.b, None)
    assert (night.status, files(stage)) == ("cancelled", [])
    maker.before = lambda done: None
    assert stage.night().status == "done"
    assert show_night(stage.b, night.night).status == "done"


def test_other_weights_are_asked_anew(stage: Stage, maker: HandReplayMaker, tmp_path: Path) -> None:
    begin_night(stage.b, EVENING)
    (tmp_path / "base" / "model.safetensors").write_text("other weights")
    stage.tell(2, "Tama")
    begin_night(stage.b, EVENING + timedelta(days=1))
    assert len(set(maker.made)) == 2


def test_the_seedling_is_asked_nothing_and_replays_its_facts(
    tmp_path: Path, taught_home: Path, maker: HandReplayMaker
) -> None:
    stage = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    stage.b = replace(stage.b, replay_maker=maker)
    stage.tell(4)
    report = stage.night()
    assert (maker.made, files(stage)) == ([], [])
    assert "own answers" not in report.why_in("en")
    known = {row.record_id for row in seedling_facts.samples(2000, stage.b.config.training.seed)}
    rows = replayed(stage, nights_snapshot(stage, report.night))
    assert rows
    assert {row.record_id for row in rows} <= known
