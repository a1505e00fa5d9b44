"""The fixed questions: their counts, their separation, their right answers, and the checksum that guards them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bonsai.domain.records import Category
from bonsai.errors import IntegrityError, UsageError
from bonsai.evaluate import questions
from bonsai.evaluate.questions import (
    CURRENT_VERSION,
    DOMAINS,
    POOLS,
    VERSIONS,
    Item,
    item_from_json,
    item_to_json,
    load,
    manifest,
    version_folder,
)
from bonsai.evaluate.run import items_hash
from bonsai.evaluate.scoring import is_right_answer, score
from bonsai.model.prompt import AnswerTags, ParsedCompletion
from bonsai.samples import sample_path
from research import benchmark_v1
from research.benchmark_v1 import containment, normalised, shingles
from research.benchmark_v2 import build
from research.seedling.wordings import WORLD_LANGUAGES
from research.seedling.world import general_only

LEAST_ITEMS = {"selection": 600, "confirmation": 300, "score": 300}
LEAST_CLUSTERS = {"selection": 300, "confirmation": 150, "score": 150}
ALL = tuple(item for pool in POOLS for item in load(pool))
V1 = tuple(item for pool in POOLS for item in load(pool, "v1"))
V1_HASHES = {
    "selection": "2737db2613186ec1a087dab115632f0e8926be78afe97e235bcbcb9eee01abc4",
    "confirmation": "b319f257ee0ac576f9b0852754a7cce79ff5f461ba4deb84db7a9aa13ff1b8fd",
    "score": "ea5c6cfbbcb398ec06fc3a51343a131f2ca985a56df14a908f794ec6e3925395",
}
"Items hashes in the reports of version 0.1.0, whose items had no field `expected`."
TAGS = AnswerTags("", "", "")


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


def is_correct(item: Item, response: str) -> bool | None:
    return score(item, ParsedCompletion(TAGS, response, leaked_markers=False), ended=True).correct


def test_half_of_a_domains_new_facts_select_and_a_quarter_each_confirm_and_score() -> None:
    old = {item.cluster for item in V1}
    new = {(item.cluster, item.domain, item.pool) for item in ALL if item.cluster not in old}
    for domain in {domain for _, domain, _ in new}:
        counts = Counter(pool for _, where, pool in new if where == domain)
        whole = sum(counts.values())
        assert all(abs(4 * counts[pool] - share * whole) <= 4 for pool, share in zip(POOLS, (2, 1, 1), strict=True))


def test_a_fact_of_v1_stays_in_its_pool() -> None:
    was, now = ({item.cluster: item.pool for item in items} for items in (V1, ALL))
    assert {cluster: now.get(cluster) for cluster in was} == was


def test_only_creative_items_have_no_expected_answer() -> None:
    assert {item.category for item in ALL if item.expected is None} == {"creative"}
    assert not any(item.expected for item in ALL if item.category == "creative")
    assert not any(item.accepted for item in ALL)
    assert not any(item.expected for item in V1)


def test_every_written_key_is_of_an_asked_fact_in_a_language_that_answers_it() -> None:
    answered = {(item.cluster, item.language) for item in ALL if item.expected}
    written = {
        (cluster, language) for cluster, keys in build.written_keys().items() for language in {"en", "ja"} & keys.keys()
    }
    assert written - answered == set()


def test_the_reference_is_a_right_answer() -> None:
    assert [item.id for item in ALL if is_correct(item, item.reference) is not True and item.expected] == []
    assert {is_correct(item, item.reference) for item in ALL if item.expected is None} == {None}


def test_no_reference_has_to_repeat_itself_word_for_word() -> None:
    """What is expected accepts it, not its being equal to itself."""
    told = [
        (item, f"{item.reference.rstrip('。.')}{'。そうです。' if item.language == 'ja' else '. Yes.'}") for item in ALL
    ]
    shaped = [(item, said) for item, said in told if item.expected and item.expected.kind == "states"]
    assert [item.id for item, said in shaped if not is_right_answer(said, item)] == []


def test_a_bare_accepted_value_is_right() -> None:
    wrong = [
        (item.id, said)
        for item in ALL
        if item.expected and item.expected.kind == "states" and item.expected.at_least <= 1
        if len(item.expected.accepted) == 1 or item.expected.at_least == 1
        for group in item.expected.accepted
        for value in group
        for said in (value, f"{value}です。" if item.language == "ja" else f"{value}.")
        if not is_right_answer(said, item)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "said",
    [
        lambda item: "",
        lambda item: "。",
        lambda item: item.instruction,
        lambda item: item.input,
        lambda item: f"{item.instruction}\n{item.input}",
    ],
    ids=["nothing", "a full stop", "the question", "the passage", "both"],
)
def test_saying_nothing_and_repeating_the_question_is_wrong(said: Callable[[Item], str]) -> None:
    assert [item.id for item in ALL if item.expected and is_right_answer(said(item), item)] == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_admitting_counts_in_the_asked_language_alone(language: str) -> None:
    asked = [item for item in ALL if item.domain == "unanswerable" and item.language == language]
    said = {"en": "I do not know that.", "ja": "それはわかりません。"}
    assert {is_correct(item, said[language]) for item in asked} == {True}
    assert {is_correct(item, said["ja" if language == "en" else "en"]) for item in asked} == {False}


def test_a_leaked_marker_makes_a_right_answer_wrong() -> None:
    item = next(item for item in ALL if item.domain == "reading")
    leaked = ParsedCompletion(TAGS, item.reference, leaked_markers=True)
    assert score(item, leaked, ended=True).correct is False


def test_sample_items_are_the_samples_third_paraphrases() -> None:
    made = {item.id: item for item in benchmark_v1.sample_items()}
    stored = {item.id: item for item in V1}
    assert {name: stored.get(name) for name in made} == made


@pytest.mark.parametrize("pool", POOLS)
def test_reports_of_v1_are_found_by_the_hash_that_they_were_stored_under(pool: str) -> None:
    assert items_hash(load(pool, "v1")) == V1_HASHES[pool]
    assert '"expected"' not in item_to_json(load(pool, "v1")[0])


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
    assert questions.verify() == f"v2 {told.questions_hash[:12]}, {len(ALL)} items"


def test_earlier_versions_stay() -> None:
    assert CURRENT_VERSION == VERSIONS[-1]
    assert questions.verify("v1").endswith(", 652 items")


def test_an_item_survives_its_line() -> None:
    for item in (ALL[0], replace(V1[0], accepted=("a", "b"))):
        assert item_from_json(item_to_json(item)) == item


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / CURRENT_VERSION
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


@pytest.mark.parametrize(("version", "write"), [("v1", benchmark_v1.write), ("v2", build.write)])
def test_the_builder_writes_the_version_that_ships(version: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path)
    names = [f"{pool}.jsonl" for pool in POOLS]
    made = {name: (tmp_path / name).read_bytes() for name in [*names, "manifest.json"]}
    assert made == {name: (version_folder(version) / name).read_bytes() for name in made}
