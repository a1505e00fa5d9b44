"""Which of the owner's wordings become questions instead of lessons."""

from __future__ import annotations

from bonsai.domain.records import Origin, Record, Tag, Tags
from bonsai.evaluate import personal_set
from bonsai.ingest.dedup.paraphrases import ParaphraseGroup

THREE = ParaphraseGroup("mike_food", "ja", ("r1", "r2", "r3"))
TWO = ParaphraseGroup("mike_bed", "ja", ("r4", "r5"))
ENGLISH = ParaphraseGroup("mike_food", "en", ("e1", "e2", "e3", "e4"))


def test_one_paraphrase_of_three_becomes_an_item_and_two_are_left_to_train() -> None:
    chosen = personal_set.hold_out_paraphrases([THREE, TWO, ENGLISH])
    assert [one.cluster for one in chosen] == ["mike_food", "mike_food"], "two languages of one fact are one cluster"
    assert chosen[0].record_id in THREE.record_ids
    assert chosen[1].record_id in ENGLISH.record_ids


def test_the_choice_depends_on_the_records_alone() -> None:
    shuffled = ParaphraseGroup("mike_food", "ja", ("r3", "r1", "r2"))
    assert personal_set.hold_out_paraphrases([THREE]) == personal_set.hold_out_paraphrases([shuffled])
    groups = [ParaphraseGroup(f"f{n}", "en", (f"{n}a", f"{n}b", f"{n}c")) for n in range(60)]
    places = [
        group.record_ids.index(one.record_id)
        for group, one in zip(groups, personal_set.hold_out_paraphrases(groups), strict=True)
    ]
    assert set(places) == {0, 1, 2}, "not always the first wording"


def test_a_fact_that_has_its_item_gets_no_second_one() -> None:
    first = personal_set.hold_out_paraphrases([THREE])[0]
    assert personal_set.hold_out_paraphrases([THREE], frozenset({first.record_id})) == ()
    left = ParaphraseGroup("mike_food", "ja", ("r1", "r2", "r3", "r9"))
    assert personal_set.hold_out_paraphrases([left], known=frozenset({("mike_food", "ja")})) == ()
    assert len(personal_set.hold_out_paraphrases([ENGLISH], known=frozenset({("mike_food", "ja")}))) == 1


def test_a_correction_needs_two_paraphrases() -> None:
    assert personal_set.hold_out_paraphrases([TWO]) == ()
    assert len(personal_set.hold_out_paraphrases([TWO], corrections=frozenset({"r5"}))) == 1
    alone = ParaphraseGroup("x", "ja", ("r6",))
    assert personal_set.hold_out_paraphrases([alone], corrections=frozenset({"r6"})) == (), (
        "what never trains cannot be learned"
    )


def test_a_paraphrase_that_no_adapter_learned_is_taken_first() -> None:
    assert personal_set.hold_out_paraphrases([THREE], learned=frozenset({"r1", "r3"}))[0].record_id == "r2"


def test_only_languages_that_the_gate_judges_become_items() -> None:
    assert personal_set.hold_out_paraphrases([ParaphraseGroup("f", "zh", ("z1", "z2", "z3"))]) == ()


def test_an_item_asks_what_the_record_tells() -> None:
    record = Record("a" * 64, "ミケの好物は?", "", "かつお節です。", Origin("form"))
    tags = Tags(Tag("ja", "rule", 1.0, "v"), Tag("open_qa", "rule", 1.0, "v"), Tag("", "rule", 1.0, "v"))
    item = personal_set.item_of(record, tags, "ja", "mike_food")
    assert (item.id, item.pool, item.cluster, item.domain) == (f"own/{'a' * 16}", "owner", "mike_food", "own")
    assert (item.instruction, item.reference, item.accepted) == ("ミケの好物は?", "かつお節です。", ())
