"""The fixed questions of benchmark v1: their counts, their separation, and the checksum that guards them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bonsai.domain.records import Category
from bonsai.errors import IntegrityError, UsageError
from bonsai.evaluate import questions
from bonsai.evaluate.questions import DOMAINS, POOLS, Item, item_from_json, item_to_json, load, manifest, version_folder
from bonsai.samples import sample_path
from research import benchmark_v1
from research.benchmark_v1 import containment, normalised, shingles
from research.seedling.wordings import WORLD_LANGUAGES
from research.seedling.world import general_only

LEAST_ITEMS = {"selection": 240, "confirmation": 160, "score": 160}
LEAST_CLUSTERS = {"selection": 60, "confirmation": 30, "score": 30}
ALL = tuple(item for pool in POOLS for item in load(pool))


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_is_large_enough(pool: str) -> None:
    items = load(pool)
    assert len(items) >= LEAST_ITEMS[pool]
    for language in ("en", "ja"):
        assert len({item.cluster for item in items if item.language == language}) >= LEAST_CLUSTERS[pool]


@pytest.mark.parametrize("pool", POOLS)
def test_every_category_and_domain_is_asked_in_both_languages(pool: str) -> None:
    items = load(pool)
    both = ("en", "ja")
    categories = set(Category) - {Category.UNCATEGORISED}
    assert {(item.category, item.language) for item in items} == {
        (name.value, lang) for name in categories for lang in both
    }
    assert {(item.domain, item.language) for item in items} == {(name, lang) for name in DOMAINS for lang in both}
    assert {item.pool for item in items} == {pool}


def test_selection_asks_enough_about_cats() -> None:
    assert len({item.cluster for item in load("selection") if item.domain == "cat_care"}) >= 40


def test_the_pools_share_no_fact() -> None:
    clusters = [{item.cluster for item in load(pool)} for pool in POOLS]
    assert sum(map(len, clusters)) == len(set.union(*clusters))


def test_ids_and_questions_are_unique() -> None:
    assert len({item.id for item in ALL}) == len(ALL)
    assert len({(normalised(item.instruction), item.input, item.language) for item in ALL}) == len(ALL)


def test_everybodys_first_questions_are_asked() -> None:
    asked = {item.cluster for item in load("selection")}
    assert {"capital:Japan", "highest_mountain:Japan"} <= asked


@pytest.mark.parametrize("item", ALL, ids=lambda item: item.id)
def test_the_reference_is_a_right_answer(item: Item) -> None:
    assert item.reference
    assert not item.accepted or any(key.casefold() in item.reference.casefold() for key in item.accepted)


def test_sample_items_are_the_samples_third_paraphrases() -> None:
    made = {item.id: item for item in benchmark_v1.sample_items()}
    stored = {item.id: item for item in ALL}
    assert {name: stored.get(name) for name in made} == made


def test_no_question_is_trained_by_the_seedling() -> None:
    trained = {
        normalised(fact.record(language, wording).instruction)
        for fact in general_only()
        for language in WORLD_LANGUAGES
        for wording in fact.trained[language]
    }
    assert [item.id for item in ALL if normalised(item.instruction) in trained] == []


@pytest.mark.parametrize("name", ["experience", "household", "poison"])
def test_no_sample_asks_a_question_of_the_same_fact_almost_literally(name: str) -> None:
    lines = sample_path(f"{name}.jsonl").read_text("utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    told = {normalised(sample["instruction"]) + normalised(sample["input"]) for sample in samples}
    assert [item.id for item in ALL if normalised(item.instruction) + normalised(item.input) in told] == []
    by_fact: dict[str, list[str]] = {}
    for sample in samples:
        by_fact.setdefault(sample.get("fact", ""), []).append(sample["instruction"])
    close = [
        (item.id, question)
        for item in ALL
        for question in by_fact.get(item.cluster, [])
        if max(containment(item.instruction, question), containment(question, item.instruction)) >= 0.9
    ]
    assert close == []


def test_shingles_are_runs_of_characters() -> None:
    assert shingles("abcdef") == {"abcde", "bcdef"}
    assert shingles("犬") == {"犬"}
    assert containment("Where is it?", "Tell me: where is it now?") == 1.0
    assert containment("Tell me: where is it now?", "Where is it?") < 0.5


def test_the_manifest_counts_what_lies_there() -> None:
    told = manifest()
    for pool in POOLS:
        items = load(pool)
        assert told.pools[pool].items == len(items)
        assert told.pools[pool].clusters == len({item.cluster for item in items})
    assert questions.questions_hash() == told.questions_hash
    assert questions.verify() == f"v1 {told.questions_hash[:12]}, {len(ALL)} items"


def test_an_item_survives_its_line() -> None:
    item = replace(ALL[0], accepted=("a", "b"))
    assert item_from_json(item_to_json(item)) == item


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "v1"
    shutil.copytree(version_folder(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def test_a_tampered_pool_is_refused(copy: Path) -> None:
    path = copy / "score.jsonl"
    path.write_text(path.read_text("utf-8").replace("Tokyo", "Kyoto").replace("a", "b", 1), "utf-8")
    with pytest.raises(IntegrityError, match="altered"):
        load("score", folder=copy)
    assert len(load("selection", folder=copy)) == len(load("selection"))


@pytest.mark.parametrize("name", ["manifest.json", "selection.jsonl"])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(IntegrityError, match="missing"):
        load("selection", folder=copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": "v1", "pools": {}, "questions_hash": "0"}'])
def test_a_broken_manifest_is_refused(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_text(content, "utf-8")
    with pytest.raises(IntegrityError, match="manifest"):
        load("selection", folder=copy)


def test_an_unknown_pool_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="selection, confirmation, score"):
        load("finals")


def test_the_builder_writes_a_version_that_loads(tmp_path: Path) -> None:
    benchmark_v1.write(tmp_path)
    made = [item for pool in POOLS for item in load(pool, folder=tmp_path)]
    assert [item for item in made if item.cluster == "highest_mountain:Japan" and item.pool == "selection"]
    assert len(made) >= sum(LEAST_ITEMS.values())
