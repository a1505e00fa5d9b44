"""A home calibrates its gate: what is trained, what is left behind, and what the next nights make of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.calibration import calibrate, plan_calibration
from bonsai.actions.forget import erase_files, forget_records
from bonsai.actions.personal_set import WrittenQuestion, add_question
from bonsai.actions.promotions import rollback
from bonsai.cli import main as cli
from bonsai.domain import snapshots
from bonsai.errors import LockTimeout, UsageError, WorkerDied
from bonsai.gate import calibration
from bonsai.gate.decision import render
from bonsai.night import evaluation_job
from bonsai.night.prepare import claims_tonight, form_tonight
from bonsai.night.steps import begin_night
from bonsai.queries.adapters import list_adapters
from bonsai.queries.promotions import list_promotions
from bonsai.system.locks import file_lock
from bonsai.system.progress import Progress
from bonsai.train.plan import TrainingPlan
from storage.tables import records_table


@pytest.fixture(scope="module")
def first_morning(tmp_path_factory: pytest.TempPathFactory, taught_home: Path) -> Path:
    """A home after one night."""
    stage = open_stage(Path(shutil.copytree(taught_home, tmp_path_factory.mktemp("template") / "home")))
    stage.tell()
    assert stage.night().verdict == "promote"
    return stage.b.home


@pytest.fixture
def morning(first_morning: Path, tmp_path: Path) -> Stage:
    return moved(first_morning, tmp_path / "home")


def moved(first: Path, home: Path) -> Stage:
    """The database names folders by their path, so a copy takes the snapshots along by name."""
    stage = open_stage(Path(shutil.copytree(first, home)))
    with stage.b.database.writing() as con:
        for table in ("snapshots", "adapters"):
            con.execute(f"UPDATE {table} SET folder = replace(folder, ?, ?)", [str(first), str(home)])
    return stage


def names(plans: list[TrainingPlan]) -> list[str]:
    return [Path(plan.run_folder).parent.name for plan in plans]


SEEDS = ["seed-8", "seed-9", "seed-10", "seed-11"]


def test_without_a_night_it_says_what_to_do(tmp_path: Path, taught_home: Path) -> None:
    stage = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    with pytest.raises(UsageError, match="bonsai night run"):
        calibrate(stage.b, 4, EVENING)
    stage.tell()
    with pytest.raises(UsageError, match="no night has trained"):
        plan_calibration(stage.b, 4)


def test_the_next_night_uses_what_was_measured(morning: Stage) -> None:
    add_question(morning.b, WrittenQuestion(("Where is Mika?",), "Here."), hold_back=False, by="m", now=EVENING)
    made = calibrate(morning.b, 4, EVENING)
    assert names(morning.trainer.plans) == [*SEEDS, "form"]
    assert made.seeds == 4
    assert 0 < made.min_gain_bits < 0.05, "the hand evaluator's seeds differ by little"
    profile = morning.b.config.profiles["seedling"]
    assert calibration.find([morning.b.places.calibrations], profile.base, profile.recipe) == made
    assert set(morning.evaluator.question_sets) == {"v2/selection", "suite"}
    morning.tell(subject="Tama")
    day = EVENING + timedelta(days=1)
    job = evaluation_job.read_job(morning.b.places.runs / begin_night(morning.b, day).night)
    assert (job.calibrated_seeds, job.policy.min_gain_bits) == (4, made.min_gain_bits)
    assert job.form is None, "an adapter is champion"


def test_seeds_learn_the_same_own_rows_and_the_form_none(morning: Stage) -> None:
    learned = {}

    def look(plan: TrainingPlan) -> None:
        made = snapshots.read(Path(plan.snapshot_folder))
        learned[Path(plan.run_folder).parent.name] = (
            {one.record_id for one in made.train if one.role == "own"},
            {one.record_id for one in made.train if one.role == "anchor"},
            plan.seed,
        )

    train = morning.trainer.train
    trainer = type("Looking", (), {"train": lambda self, plan, show: (look(plan), train(plan, show))[1]})()
    calibrate(replace(morning.b, trainer=trainer), 4, EVENING)
    with morning.b.database.reading() as con:
        own = {one.record.id for one in records_table.eligible(con)}
    assert all(learned[name][0] == own for name in SEEDS)
    assert len({frozenset(learned[name][1]) for name in SEEDS}) == 4, "each seed draws its own replay samples"
    assert [learned[name][2] for name in SEEDS] == [8, 9, 10, 11]
    rows, replayed, _ = learned["form"]
    assert len(rows) == 200
    assert not rows & own
    assert not replayed


def test_nothing_of_it_is_listed_and_no_record_stays(morning: Stage) -> None:
    before = [one.id for one in list_adapters(morning.b, 99)]
    folders = sorted(morning.b.places.adapters.iterdir())
    made = calibrate(morning.b, 4, EVENING)
    assert [one.id for one in list_adapters(morning.b, 99)] == before
    assert [one.adapter for one in list_promotions(morning.b)] == before
    assert sorted(morning.b.places.adapters.iterdir()) == folders
    left = sorted(path.name for path in morning.b.places.calibrations.iterdir() if not path.name.startswith("."))
    assert left == ["forms", calibration.path_of(Path(), made.base, made.recipe).name]
    assert made.form == f"calibrations/forms/{Path(made.form).name}"
    form = form_tonight(morning.b, made)
    assert form is not None
    assert Path(form.folder) == morning.b.home / made.form


def test_interrupted_after_the_second_seed_it_goes_on(morning: Stage) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == "calibrate" and progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(morning.b, 4, EVENING, stop)
    assert claims_tonight(morning.b).calibration in calibration.read_all(calibration.SHIPPED), (
        "nothing half-done is used"
    )
    assert plan_calibration(morning.b, 4).trained == 2
    calibrate(morning.b, 4, EVENING)
    assert names(morning.trainer.plans) == [*SEEDS, "form"], "none is trained twice"
    calibrate(morning.b, 3, EVENING)
    assert len(morning.trainer.plans) == 9, "a finished calibration is not taken up: it is made anew"


def test_killed_while_it_evaluates_it_trains_nothing_again(morning: Stage) -> None:
    def dies(*_: object) -> None:
        raise WorkerDied("processes.killed", module="by hand", signal="SIGKILL", log="-")

    dead = replace(morning.b, evaluator=type("Dead", (), {"evaluate": dies})())
    with pytest.raises(WorkerDied):
        calibrate(dead, 4, EVENING)
    altered = next(morning.b.places.unfinished_calibrations.glob("*/seed-9/adapters/*/adapter_model.safetensors"))
    altered.write_text("cut short")
    calibrate(morning.b, 4, EVENING)
    assert names(morning.trainer.plans) == [*SEEDS, "form", "seed-9"], "only what does not verify is made again"


def test_other_data_begin_anew(morning: Stage) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == "calibrate" and progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(morning.b, 4, EVENING, stop)
    morning.tell(subject="Tama")
    morning.night(day=1)
    assert plan_calibration(morning.b, 4).trained == 0
    calibrate(morning.b, 4, EVENING)
    assert names(morning.trainer.plans).count("seed-8") == 2


def test_one_at_a_time(morning: Stage) -> None:
    with file_lock(morning.b.places.calibration_lock, exclusive=True, wait_seconds=0):
        with pytest.raises(LockTimeout, match="calibrates"):
            calibrate(morning.b, 4, EVENING)


def test_forgetting_takes_an_unfinished_calibration_along(morning: Stage) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == "calibrate" and progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(morning.b, 4, EVENING, stop)
    with morning.b.database.reading() as con:
        record = next(iter(records_table.eligible(con))).record.id
    with file_lock(morning.b.places.calibration_lock, exclusive=True, wait_seconds=0):
        assert not forget_records(morning.b, [record], "m", EVENING).erased, "a running one needs its files"
    assert erase_files(morning.b, EVENING)
    assert not morning.b.places.unfinished_calibrations.exists()
    with pytest.raises(UsageError, match="forgotten"):
        calibrate(morning.b, 4, EVENING)


def test_the_form_is_asked_only_while_the_base_is_champion(morning: Stage) -> None:
    made = calibrate(morning.b, 4, EVENING)
    form = form_tonight(morning.b, made)
    assert form is not None
    rollback(morning.b, by="m", reason="", now=EVENING)
    morning.tell(subject="Tama")
    morning.evaluator.bits[form.adapter] = 1.9
    morning.evaluator.subjects.clear()
    morning.evaluator.question_sets.clear()
    night = morning.night(day=1)
    assert night.champion == "base"
    asked = set(zip(morning.evaluator.subjects, morning.evaluator.question_sets, strict=True))
    assert {name for subject, name in asked if subject == form.adapter} == {"v2/selection"}
    assert night.verdict == "promote"
    words = [render(one, "en") for one in night.reasons]
    assert any("learned the form of answers alone" in one for one in words)
    assert any("+0.9" in one or "+0.8" in one for one in words), "of the 1.0 beyond the base, 0.1 was form"


def test_what_only_learned_form_is_refused(morning: Stage) -> None:
    form = form_tonight(morning.b, calibrate(morning.b, 4, EVENING))
    assert form is not None
    rollback(morning.b, by="m", reason="", now=EVENING)
    morning.tell(subject="Tama")
    morning.evaluator.bits[form.adapter] = morning.evaluator.challenger_bits
    night = morning.night(day=1)
    assert night.verdict in ("keep", "not_enough_evidence")
    assert any(one.key == "decision.from_form" for one in night.reasons)


def test_a_damaged_form_is_not_asked(morning: Stage) -> None:
    made = calibrate(morning.b, 4, EVENING)
    (morning.b.home / made.form / "adapter_model.safetensors").write_text("something else")
    assert form_tonight(morning.b, made) is None
    calibrate(morning.b, 4, EVENING)
    assert form_tonight(morning.b, made) is not None


def run(stage: Stage, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.run(["gate", *argv], {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8"})
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_terminal_shows_the_gate_in_two_languages(
    morning: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rich.cells import cell_len

    monkeypatch.setattr(calibration, "SHIPPED", tmp_path / "none")
    monkeypatch.setenv("COLUMNS", "80")
    pages = {}
    for calibrated in (False, True):
        if calibrated:
            calibrate(morning.b, 4, EVENING)
        for language in ("en", "ja"):
            code, page, err = run(morning, capsys, "show", "--lang", language)
            assert (code, err) == (0, "")
            assert max(map(cell_len, page.splitlines())) <= 80
            pages[language, calibrated] = " ".join(page.split())
    assert "Not calibrated" in pages["en", False]
    assert "nights judged so far: 1, promoted: 1" in pages["en", False]
    assert "No form adapter is known" in pages["en", False]
    assert "measured on 4 seeds of this base and recipe, on 2026-11-21" in pages["en", True]
    assert "it is asked only while the bare base is champion" in pages["en", True]
    assert "未較正" in pages["ja", False]
    assert "4 個のシード" in pages["ja", True]
    told = json.loads(run(morning, capsys, "show", "--json")[1])
    assert told["calibration"]["seeds"] == 4
    assert told["minima"] == told["calibration"]["minima"]
    assert told["calibration"]["measured"] == ["bits_fixed", "right_fixed"], "this home has no personal set"
    assert "4 seeds" in pages["en", True]
    assert "0.100 bits/byte settings" in pages["en", True]
    assert (told["looks"], told["promoted"], told["measured_from_form"]) == (1, 1, False)
    assert told["floors"]["retention"] == 0.9


def test_the_terminal_asks_before_it_trains(
    morning: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setenv("COLUMNS", "80")
    for language, said in (("en", "Begin?"), ("ja", "始めますか")):
        monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
        code, out, err = run(morning, capsys, "calibrate", "--lang", language)
        assert (code, out) == (1, "")
        assert said in err
        assert "4" in err
    monkeypatch.setattr("bonsai.bootstrap.open", lambda home, environ: morning.b)
    code, out, err = run(morning, capsys, "calibrate", "--seeds", "3", "--yes", "--json")
    assert code == 0
    assert "Trains 3 adapters of seedling" in err
    assert json.loads(out)["seeds"] == 3
    code, out, _ = run(morning, capsys, "calibrate", "--seeds", "3", "--yes")
    assert "measured on 3 seeds" in " ".join(out.split())
    assert run(morning, capsys, "calibrate", "--seeds", "2")[0] == 2
