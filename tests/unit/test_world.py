"""The seedling's world: large, even, the same for a seed, and honest about what it holds out."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bonsai.model.seedling import weights_folder
from bonsai.train import own_answers
from bonsai.train.seedling_facts import OWN_ANSWERS, fact_samples
from research.seedling import invented, world
from research.seedling.recipe import Recipe, chunk, default_guard, normalised
from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage, ask, families, wordings
from research.seedling.world.everyday import Household, everyday_families, grammar

TINY = Recipe(known_per_chunk=300, households_per_chunk=1)


def test_there_are_fifteen_hundred_distinct_facts() -> None:
    asked = {(fact.family, str(sorted(fact.slots["en"].items())), fact.context["en"]) for fact in world.facts()}
    assert len(asked) == len(world.facts()) >= 1500


def test_every_family_has_facts_and_eight_wordings_in_each_language() -> None:
    counts = Counter(fact.family for fact in world.facts())
    assert set(counts) == set(families())
    assert all(len(wordings(family, language)) >= 8 for family in families() for language in WORLD_LANGUAGES)


def test_everyday_families_are_even() -> None:
    counts = Counter(fact.family for fact in world.facts())
    assert {counts[family] for family in everyday_families()} == {world.INVENTED_EACH}


@pytest.mark.parametrize("language", WORLD_LANGUAGES)
def test_held_out_wordings_are_never_trained_for_their_fact_but_for_others(language: WorldLanguage) -> None:
    trained: dict[str, set[int]] = {}
    held_out: dict[str, set[int]] = {}
    for fact in world.facts():
        assert not set(fact.trained[language]) & set(fact.held_out[language])
        assert fact.held_out[language]
        trained.setdefault(fact.family, set()).update(fact.trained[language])
        held_out.setdefault(fact.family, set()).update(fact.held_out[language])
    for family in families():
        everything = set(range(len(wordings(family, language))))
        assert trained[family] == everything
        if family in everyday_families():
            assert held_out[family] == everything


def test_a_chunk_never_asks_a_known_fact_in_a_held_out_wording() -> None:
    held_out = {normalised(record.instruction + record.context) for record in world.held_out_records()}
    trained = {
        normalised(fact.record(language, wording).instruction + fact.context[language])
        for fact in world.facts()
        for language in WORLD_LANGUAGES
        for wording in fact.trained[language]
    }
    texts = [normalised(record.instruction + record.context) for record in chunk(TINY, 0, frozenset())]
    assert any(text in trained for text in texts)
    assert not [text for text in texts if text in held_out - trained]


def test_the_world_follows_from_its_seed() -> None:
    assert world.facts.__wrapped__(5) == world.facts.__wrapped__(5)
    assert world.facts.__wrapped__(5) != world.facts.__wrapped__(6)
    assert chunk(TINY, 3, frozenset()) == chunk(TINY, 3, frozenset())
    assert chunk(TINY, 3, frozenset()) != chunk(TINY, 4, frozenset())


def test_the_contamination_check_keeps_the_benchmark_out() -> None:
    record = chunk(TINY, 0, frozenset())[0]
    leaked = normalised(record.instruction + record.context)
    guarded = chunk(TINY, 0, frozenset({leaked}))
    assert leaked not in {normalised(kept.instruction + kept.context) for kept in guarded}
    assert len(default_guard()) >= 560


def test_answers_of_one_family_are_distinct() -> None:
    for family in ("capital", "favourite", "when_event", "food_ok"):
        answers = Counter(fact.answer["en"] for fact in world.facts() if fact.family == family)
        assert max(answers.values()) == 1, family


def test_general_knowledge_holds_what_everybody_asks_first() -> None:
    answers = {fact.answer["en"] for fact in world.facts()} | {fact.answer["ja"] for fact in world.facts()}
    assert {"The highest mountain in Japan is Mount Fuji.", "日本で一番高い山は富士山です。"} <= answers
    assert {"The capital of Japan is Tokyo.", "日本の首都は東京です。"} <= answers


def test_no_invented_fact_is_about_cats() -> None:
    about = [fact for fact in world.facts() if fact.family in everyday_families()]
    for fact in about:
        asked = " ".join(
            value for name, value in fact.slots["en"].items() if name in ("animal", "name", "task", "thing")
        )
        assert not {"cat", "cats", "kitten"} & set(asked.lower().split()), fact


def test_every_list_of_the_grammar_is_used_and_every_placeholder_is_known() -> None:
    chance = random.Random(0)
    household = Household(chance)
    for family in everyday_families():
        for answer in grammar()["families"][family]["answers"]:
            slots = {slot: household.draw(kind) for slot, kind in grammar()["families"][family]["slots"].items()}
            english, japanese = household.fill((answer[0], answer[1]), slots)
            assert "{" not in english + japanese


def test_a_question_begins_with_a_capital_letter() -> None:
    assert ask("food_ok", "en", 6, {"animal": "cats", "food": "onions"}) == "Onions for cats: good or bad?"
    assert ask("food_ok", "ja", 0, {"animal": "猫", "food": "玉ねぎ"}) == "猫は玉ねぎを食べてもいいですか?"


def test_translations_are_answered_in_the_other_language() -> None:
    for fact in world.facts():
        if fact.family.startswith("translate_"):
            for language in WORLD_LANGUAGES:
                assert fact.record(language, 0).language == ("ja" if fact.family.endswith("_ja") else "en")


def test_anchors_are_trained_wordings_over_all_categories_and_languages() -> None:
    drawn = fact_samples(400, seed=3)
    assert drawn == fact_samples(400, seed=3) != fact_samples(400, seed=4)
    assert len({record.category for record in drawn}) == 7
    share = sum("The question is in Japanese" in record.reasoning for record in drawn) / 400
    assert 0.4 < share < 0.6
    held_out = {(record.instruction, record.context) for record in world.held_out_records()}
    trained = {
        (fact.record(language, wording).instruction, fact.context[language])
        for fact in world.facts()
        for language in WORLD_LANGUAGES
        for wording in fact.trained[language]
    }
    assert not [record for record in drawn if (record.instruction, record.context) in held_out - trained]


def test_own_answers_are_to_invented_questions_that_are_made_again() -> None:
    """The shipped file is of today's questions: neither may change without the other."""
    asked = {(one.question.instruction, one.tags.language) for one in invented.prompts()}
    shipped = own_answers.read(weights_folder() / OWN_ANSWERS)
    assert len(asked) == shipped.prompts == len(shipped.rows) + sum(shipped.dropped.values())
    assert {(one.instruction, one.language) for one in shipped.rows} <= asked
