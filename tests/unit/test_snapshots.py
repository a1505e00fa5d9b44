from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bonsai.domain.snapshots import Example, Role, Snapshot, build, content_hash


def example(
    number: int, role: Role = "own", language: str = "en", category: str = "open_qa", words: int = 3
) -> Example:
    return Example(
        record_id=f"{role}{number:03}",
        role=role,
        instruction=f"Question {number}?",
        context="",
        reasoning="",
        category=category,
        language=language,
        output=" ".join(["word"] * words),
    )


OWN = [example(n, language="ja" if n % 2 else "en", category="open_qa" if n < 30 else "translation") for n in range(40)]
ANCHORS = [example(n, "anchor") for n in range(100)]


def words(row: Example) -> int:
    return len(row.output.split())


def made(
    rows: list[Example], anchors: list[Example], validation_share: float = 0.0, anchor_share: float = 0.5, seed: int = 1
) -> Snapshot:
    return build(
        rows,
        anchors,
        seed=seed,
        validation_share=validation_share,
        anchor_share=anchor_share,
        count_tokens=words,
        max_tokens=10,
    )


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(chance: Random) -> None:
    rows, anchors = list(OWN), list(ANCHORS)
    chance.shuffle(rows)
    chance.shuffle(anchors)

    assert made(rows, anchors, 0.2) == made(OWN, ANCHORS, 0.2)


def test_half_replay_is_one_sample_for_each_own_row() -> None:
    roles = Counter(row.role for row in made(OWN, ANCHORS).train)

    assert roles == {"own": 40, "anchor": 40}
    assert Counter(row.role for row in made(OWN, ANCHORS, anchor_share=0.2).train) == {"own": 40, "anchor": 10}
    assert Counter(row.role for row in made(OWN, ANCHORS, anchor_share=0.0).train) == {"own": 40}


def test_more_passes_take_more_replay_samples_but_each_pass_the_same_number() -> None:
    snapshot = build(
        OWN[:10],
        ANCHORS,
        seed=1,
        validation_share=0.0,
        anchor_share=0.75,
        count_tokens=words,
        max_tokens=10,
        anchor_passes=3,
    )

    assert sum(row.role == "anchor" for row in snapshot.train) == 90
    assert snapshot.anchors_a_pass == 30
    assert made(OWN, ANCHORS[:7]).anchors_a_pass == 7


def test_fewer_replay_samples_than_asked_for_are_all_used() -> None:
    assert sum(row.role == "anchor" for row in made(OWN, ANCHORS[:7]).train) == 7


def test_validation_is_spread_over_language_and_category_and_never_trains() -> None:
    snapshot = made(OWN, ANCHORS, validation_share=0.2)

    groups = Counter((row.language, row.category) for row in snapshot.validation)
    assert groups == {("en", "open_qa"): 3, ("ja", "open_qa"): 3, ("en", "translation"): 1, ("ja", "translation"): 1}
    assert {row.role for row in snapshot.validation} == {"own"}
    assert not set(snapshot.validation) & set(snapshot.train)


@given(st.integers(0, 60), st.floats(0, 0.4))
def test_nothing_is_lost_and_the_share_is_kept(count: int, share: float) -> None:
    rows = OWN[:count]

    snapshot = made(rows, [], validation_share=share)

    assert sorted(row.record_id for row in (*snapshot.train, *snapshot.validation)) == [r.record_id for r in rows]
    assert abs(len(snapshot.validation) - share * len(rows)) <= 1


def test_over_long_rows_are_listed_and_do_not_train() -> None:
    long = example(500, words=11)
    fitting = example(501, words=10)

    snapshot = made([long, fitting], [example(502, "anchor", words=11), example(503, "anchor")])

    assert snapshot.refused == (long.record_id,)
    assert [row.record_id for row in snapshot.train] == ["anchor503", fitting.record_id]
    assert snapshot.train_tokens == 13
    assert all(row.output for row in snapshot.train)


def test_the_hash_follows_every_field_and_the_split() -> None:
    one, other = example(1), example(2)
    hashes = {
        content_hash([one, other], []),
        content_hash([one], [other]),
        content_hash([one], []),
        content_hash([one, example(2, words=4)], []),
        content_hash([one, example(2, language="ja")], []),
    }

    assert len(hashes) == 5
    assert content_hash([other, one], []) == content_hash([one, other], [])
    assert made(OWN, ANCHORS).id == made(OWN, ANCHORS).content_hash[:16]


def test_another_seed_chooses_other_replay_samples() -> None:
    assert made(OWN, ANCHORS, seed=1).content_hash != made(OWN, ANCHORS, seed=2).content_hash


def test_replayed_rows_train_beside_the_own_ones_and_samples_keep_their_share() -> None:
    replay = [replace(row, role="replay") for row in OWN[10:30]]
    snapshot = build(
        OWN[:10],
        ANCHORS,
        seed=1,
        validation_share=0.0,
        anchor_share=0.5,
        count_tokens=words,
        max_tokens=10,
        anchor_passes=4,
        replay=replay,
        replayed_a_pass=5,
    )

    assert Counter(row.role for row in snapshot.train) == {"own": 10, "replay": 20, "anchor": 60}
    assert (snapshot.anchors_a_pass, snapshot.replayed_a_pass) == (15, 5)
