"""A home adds, checks, uses and removes bases: what stays behind at every step, and who answers afterwards."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_bases import COMMIT, FAILED, HandChecker, HandHub, HandReplayMaker
from hand_nights import EVENING, Stage, open_stage

from bonsai import bootstrap
from bonsai.actions.bases import add_base, check_base, plan_add, plan_use, remove_base, use_base
from bonsai.config.settings import load_config
from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, HomeError, InputError, LockTimeout, UsageError, WorkerDied
from bonsai.model import base_sources
from bonsai.model.bases import Device, model_folder
from bonsai.model.home_bases import BaseManifest, complete_folders, read_base
from bonsai.model.seedling import weights_folder
from bonsai.queries.bases import list_bases, readiness, show_base
from bonsai.system.locks import file_lock
from storage.tables import promotions_table

SHIPPED = frozenset({"seedling", "phi2-qlora", "phi2-lora", "seed-script"})


@pytest.fixture
def stage(taught_home: Path, tmp_path: Path) -> Stage:
    return open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A person's own folder with a model."""
    return Path(shutil.copytree(weights_folder(), tmp_path / "my model"))


def add(b: Bonsai, source: Path | str, name: str = "", **findings: object) -> BaseManifest:
    checker = HandChecker(**findings)  # type: ignore[arg-type]
    plan = plan_add(b, str(source), name, HandHub(weights_folder()))
    return add_base(b, plan, EVENING, HandHub(weights_folder()), checker)


def again(b: Bonsai) -> Bonsai:
    """The home, opened anew: commands read the settings each time."""
    opened = bootstrap.open(b.home, {})
    return replace(opened, trainer=b.trainer, evaluator=b.evaluator)


def champion(b: Bonsai) -> str:
    with b.database.reading() as con:
        return promotions_table.champion(con).adapter


def test_a_folder_is_used_where_it_lies(stage: Stage, mine: Path) -> None:
    made = add(stage.b, mine)
    assert (made.name, made.kind, made.source) == ("my-model", "cpu-small", str(mine))
    profile = load_config(stage.b.home, {}).profiles["my-model"]
    assert (profile.base.model, profile.base.max_tokens, profile.recipe.template) == (str(mine), 512, "native")
    assert sorted(one.name for one in (stage.b.home / "bases/my-model").iterdir()) == ["base.json", "profile.toml"]
    assert len((stage.b.home / "bases/my-model/profile.toml").read_text().splitlines()) == 6


def test_converted_weights_move_with_their_home(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hand_bases import hand_gguf

    monkeypatch.setitem(__import__("sys").modules, "gguf", hand_gguf())
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF")
    add(stage.b, file)
    moved = Path(shutil.move(stage.b.home, tmp_path / "elsewhere"))
    base = load_config(moved, {}).profiles["tiny"].base
    assert model_folder(base) == moved / "bases/tiny/model"
    assert readiness(moved, "tiny", load_config(moved, {}).profiles["tiny"]).key == "bases.ready_checked"


def test_a_hub_model_is_pinned(stage: Stage) -> None:
    hub = HandHub(weights_folder(), {"architectures": ["LlamaForCausalLM"]})
    plan = plan_add(stage.b, "owner/model", "", hub)
    assert (plan.profile.base.model, plan.profile.base.revision, hub.asked) == ("owner/model", COMMIT, ["owner/model@"])


def test_a_short_context_shortens_what_it_is_asked(stage: Stage, mine: Path) -> None:
    config = (
        (mine / "config.json").read_text().replace('"max_position_embeddings": 1024', '"max_position_embeddings": 128')
    )
    (mine / "config.json").write_text(config.replace('_embeddings": 1024', '_embeddings": 128'))
    add(stage.b, mine, "short")
    base = load_config(stage.b.home, {}).profiles["short"].base
    assert (base.max_tokens, base.answer_tokens_en, base.answer_tokens_ja) == (128, 32, 64)


def test_only_what_passed_is_kept(stage: Stage, mine: Path) -> None:
    assert not add(stage.b, mine, findings=FAILED).check.passed
    assert complete_folders(stage.b.home) == []
    assert not (stage.b.home / "bases/my-model").exists()
    assert mine.is_dir()


def test_what_was_interrupted_is_no_base_and_begins_anew(stage: Stage, mine: Path) -> None:
    with pytest.raises(WorkerDied):
        add(stage.b, mine, dies=True)
    assert (stage.b.home / "bases/my-model").is_dir()
    assert "my-model" not in load_config(stage.b.home, {}).profiles
    (stage.b.home / "bases/my-model/left-over").touch()
    add(stage.b, mine)
    assert not (stage.b.home / "bases/my-model/left-over").exists()
    assert not (stage.b.home / "bases/.check").exists()


def test_a_person_who_stops_it_finds_nothing_left(stage: Stage, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(HandChecker, "check", stop)
    with pytest.raises(KeyboardInterrupt):
        add(stage.b, mine)
    assert not (stage.b.home / "bases/my-model").exists()
    assert not (stage.b.home / "bases/.check").exists()


def test_names_that_cannot_be_given(stage: Stage, mine: Path) -> None:
    add(stage.b, mine)
    b = again(stage.b)
    wrong = {"": "taken", "seedling": "taken", "Mine": "bad_name", "a b": "bad_name", "auto": "bad_name",
             "みけ": "bad_name", "My Model": "bad_name", "phi-2": "name_of_table", "Phi-2": "bad_name"}  # fmt: skip
    for name, key in wrong.items():
        with pytest.raises(UsageError) as caught:
            plan_add(b, str(mine), name, HandHub())
        assert caught.value.key == f"bases.{key}"
        assert key == "taken" or plan_add(b, str(mine), caught.value.values["valid"], HandHub()).name
    hub = HandHub(weights_folder(), {"architectures": ["LlamaForCausalLM"]})
    assert plan_add(b, "qwen3-0.6b", "", hub).name == "qwen3-0.6b", "its own name"


def test_a_base_of_this_home_is_no_source_but_says_what_to_do(stage: Stage, mine: Path) -> None:
    add(stage.b, mine, "oak")
    wanted = {"seedling": "bonsai base use seedling", "oak": "use oak", "phi2-qlora": "hf download microsoft/phi-2"}
    for name, told in wanted.items():
        with pytest.raises(UsageError, match=told):
            plan_add(again(stage.b), name, "", HandHub())
    shutil.rmtree(mine)
    with pytest.raises(UsageError, match="is neither a folder"):
        plan_add(again(stage.b), "oak", "", HandHub())


def test_a_name_of_the_table_is_to_be_added_first(stage: Stage) -> None:
    with pytest.raises(UsageError, match="bonsai base add phi-2"):
        plan_use(stage.b, "phi-2")
    with pytest.raises(UsageError, match="bonsai base add phi-2"):
        check_base(stage.b, "phi-2", EVENING, HandChecker())


def test_a_base_that_is_too_large_is_refused_with_numbers(
    stage: Stage, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_sources, "_safetensors_parameters", lambda _: 70_000_000_000)
    with pytest.raises(InputError, match=r"70 B parameters.*at least 26\d\.\d GiB") as caught:
        plan_add(stage.b, str(mine), "", HandHub())
    assert caught.value.key == "bases.too_large"
    assert "cpu-small" in caught.value.render("ja")


@pytest.mark.parametrize(
    ("free", "parameters", "kind"), [(8, 3e8, "gpu-qlora"), (24, 3e8, "gpu-lora"), (24, 13e9, "gpu-qlora")]
)
def test_the_kind_follows_the_gpu(
    stage: Stage, mine: Path, monkeypatch: pytest.MonkeyPatch, free: float, parameters: float, kind: str
) -> None:
    monkeypatch.setattr("bonsai.queries.base_plans.find_device", lambda: Device("cuda", free))
    monkeypatch.setattr(base_sources, "_safetensors_parameters", lambda _: int(parameters))
    assert plan_add(stage.b, str(mine), "", HandHub()).kind == kind


def test_a_home_that_cannot_be_written(stage: Stage, mine: Path) -> None:
    (stage.b.home / "bases").write_text("a file")
    with pytest.raises(HomeError) as caught:
        add(stage.b, mine)
    assert caught.value.key == "bases.unwritable"


def test_one_process_at_a_time_adds_checks_and_removes(stage: Stage, mine: Path) -> None:
    name = add(stage.b, mine).name
    b = again(stage.b)
    with file_lock(b.home / "bases/.lock", exclusive=True, wait_seconds=0):
        with pytest.raises(LockTimeout):
            add(b, mine, "other")
        with pytest.raises(LockTimeout):
            check_base(b, name, EVENING, HandChecker())
        with pytest.raises(LockTimeout):
            remove_base(b, name)
    assert read_base(b.home / "bases" / name) is not None


def test_a_check_is_kept_and_the_doctor_reads_it(stage: Stage, mine: Path) -> None:
    add(stage.b, mine)
    b = again(stage.b)
    profile = b.config.profiles["my-model"]
    assert readiness(b.home, "my-model", profile).ok is True
    made = check_base(b, "my-model", EVENING + timedelta(days=1), HandChecker(FAILED))
    kept = read_base(b.home / "bases/my-model")
    assert kept is not None
    assert kept.check == made
    assert readiness(b.home, "my-model", profile).key == "bases.check_failed"
    with (mine / "model.safetensors").open("ab") as weights:
        weights.write(b"\0")
    assert readiness(b.home, "my-model", profile).key == "bases.changed_since"
    (mine / "tokenizer.json").unlink()
    assert readiness(b.home, "my-model", profile).key == "model.folder_incomplete"
    assert readiness(b.home, "seedling", b.config.profiles["seedling"]).ok is True
    with pytest.raises(UsageError, match="no base model named oak"):
        check_base(b, "oak", EVENING, HandChecker())


def test_a_champion_of_another_base_is_rolled_back_and_can_come_back(stage: Stage, mine: Path) -> None:
    (mine / "config.json").write_text((mine / "config.json").read_text() + "\n")  # other files, another base
    stage.tell()
    assert stage.night().verdict == "promote"
    former = champion(stage.b)
    add(stage.b, mine)
    b = again(stage.b)
    assert not plan_use(b, "seedling").champion, "its own base"
    plan = plan_use(b, "my-model")
    assert (plan.champion, plan.champion_base) == (former, "seedling")
    use_base(b, plan, EVENING, "mika")
    use_base(b, plan, EVENING, "mika")
    assert champion(b) == "base"
    assert again(b).find_profile() == "my-model"
    with b.database.reading() as con:
        promotions_table.verify(con)
        assert promotions_table.get(con, former).state == "rolled_back"
    back = again(b)
    use_base(back, plan_use(back, "auto"), EVENING, "mika")
    assert again(b).find_profile() == "seedling"


def test_the_first_night_on_another_base_asks_no_adapter_of_the_former(stage: Stage, mine: Path) -> None:
    (mine / "config.json").write_text((mine / "config.json").read_text() + "\n")
    stage.tell()
    assert stage.night().verdict == "promote"
    former = champion(stage.b)
    add(stage.b, mine)
    b = again(stage.b)
    use_base(b, plan_use(b, "my-model"), EVENING, "mika")
    with b.places.settings_file.open("a", encoding="utf-8") as settings:
        settings.write('[profiles.my-model.recipe]\ntemplate = "tagged"\n')  # the trainer made by hand knows no other
    stage.evaluator.subjects.clear()
    later = replace(stage, b=replace(again(b), replay_maker=HandReplayMaker()))
    later.tell(subject="Tama")

    report = later.night(1)

    assert report.verdict == "promote"
    assert stage.trainer.plans[-1].base.name == "my-model"
    assert not stage.trainer.plans[-1].parent, "a cold start"
    assert former not in stage.evaluator.subjects, "neither as champion nor as anchor"
    assert champion(b) not in (former, "base")


def test_what_is_needed_is_not_removed(stage: Stage, mine: Path) -> None:
    add(stage.b, mine)
    b = again(stage.b)
    use_base(b, plan_use(b, "my-model"), EVENING, "mika")
    b = again(b)
    with pytest.raises(UsageError, match="in use"):
        remove_base(b, "my-model")
    use_base(b, plan_use(b, "auto"), EVENING, "mika")
    b = again(b)
    with b.database.writing() as con:
        con.execute("UPDATE adapters SET base = 'my-model'")
    gone = remove_base(b, "my-model")
    assert gone is not None
    assert gone.source == str(mine)
    assert mine.is_dir()
    assert "my-model" not in again(b).config.profiles
    with pytest.raises(UsageError, match="nothing to remove"):
        remove_base(b, "seedling")


def test_an_adapter_that_may_answer_keeps_its_base(stage: Stage, mine: Path) -> None:
    stage.tell()
    assert stage.night().verdict == "promote"
    add(stage.b, mine)
    b = again(stage.b)
    with b.database.writing() as con:
        con.execute("UPDATE adapters SET base = 'my-model'")
    with pytest.raises(UsageError, match=champion(b)[:10]):
        remove_base(b, "my-model")


def test_the_list_has_everything_once(stage: Stage, mine: Path) -> None:
    add(stage.b, mine)
    b = again(stage.b)
    found = {one.name: one for one in list_bases(b.home, b.config, "seedling", SHIPPED)}
    assert [name for name, one in found.items() if one.in_use] == ["seedling"]
    assert {name for name, one in found.items() if one.origin == "added"} == {"my-model"}
    assert found["phi2-qlora"].licence == "mit"
    assert found["qwen3-4b"].origin == "table"
    assert show_base(b.home, b.config, "my-model", "seedling", SHIPPED).parameters > 2_000_000
    with pytest.raises(UsageError, match=r"Known names: .*qwen3-4b"):
        show_base(b.home, b.config, "oak", "seedling", SHIPPED)


def test_a_damaged_folder_is_told(stage: Stage, mine: Path) -> None:
    add(stage.b, mine)
    folder = stage.b.home / "bases/my-model"
    (folder / "base.json").write_text("{}")
    with pytest.raises(BonsaiError, match="bonsai base remove my-model"):
        read_base(folder)
    (folder / "profile.toml").write_text("inherits = [")
    with pytest.raises(BonsaiError, match="my-model"):
        load_config(stage.b.home, {})
    assert remove_base(stage.b, "my-model") is None
    assert not folder.exists()
