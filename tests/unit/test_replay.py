"""What a base replays is its own: the seedling its facts, another base its answers, and neither what is tested."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hand_bases import HandSpeaker, endless_answer, make_base

from bonsai.config.settings import load_config
from bonsai.domain.records import Category
from bonsai.errors import IntegrityError
from bonsai.evaluate import questions
from bonsai.evaluate.replay_maker import answers_file, source_of
from bonsai.evaluate.replay_rows import replay_check, usable
from bonsai.evaluate.replay_worker import answered, fitting
from bonsai.model.answerer import Generated
from bonsai.model.bases import SEEDLING, Base
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import CURRENT, completion
from bonsai.train import own_answers, seedling_facts
from bonsai.train.own_answers import OwnAnswers, Prompt
from bonsai.train.replay import replay_samples

PROMPTS = own_answers.prompts()
ENGLISH = next(one for one in PROMPTS if one.tags.language == "en" and one.tags.category == "open_qa")
JAPANESE = next(one for one in PROMPTS if one.tags.language == one.asked_in == "ja" and one.tags.category == "open_qa")


def base_at(folder: Path) -> Base:
    settings = load_config(folder, {}).profiles["phi2-qlora"].base
    return replace(settings, name="hand-made", model=str(folder), revision="")


def said(prompt: Prompt, text: str, *, ended: bool = True) -> Generated:
    return Generated(completion(CURRENT, prompt.tags, "") + text, ended, 9)


def all_answered() -> OwnAnswers:
    return answered(HandSpeaker(), "hand-made", PROMPTS, [True] * len(PROMPTS), lambda done, of: None)


# the prompts


def test_there_are_enough_prompts_of_every_kind_in_both_languages() -> None:
    assert len({one.question for one in PROMPTS}) == len(PROMPTS) >= 600
    kinds = Counter((one.tags.category, one.tags.language) for one in PROMPTS)
    expected = {kind.value for kind in Category} - {Category.UNCATEGORISED.value}
    assert {category for category, _ in kinds} == expected
    assert min(kinds.values()) >= 30
    languages = Counter(one.tags.language for one in PROMPTS)
    assert set(languages) == {"en", "ja"}
    assert abs(languages["en"] - languages["ja"]) < 0.05 * len(PROMPTS)
    assert any(one.asked_in != one.tags.language for one in PROMPTS)


def test_the_versions_of_the_benchmark_are_all_found() -> None:
    folders = {path.name for path in questions.version_folder().parent.glob("v[0-9]*") if path.is_dir()}
    assert folders >= set(questions.versions()) >= {questions.CURRENT_VERSION}


def test_no_prompt_asks_what_the_benchmark_asks() -> None:
    check = replay_check()
    assert not [one for one in PROMPTS if check.finds(one.question.instruction, one.question.context, "")]


# what is tested is not replayed


@pytest.mark.parametrize("version", questions.versions())
def test_a_row_with_a_tested_question_or_answer_is_found(version: str) -> None:
    check = replay_check()
    for pool in questions.manifest(version).pools:
        for item in questions.load(pool, version):
            assert check.finds(item.instruction, item.input, "x"), item.id
    item = next(one for one in questions.load("selection", version) if one.domain == "general" and not one.input)
    assert check.finds("Tell me something.", "", f"People ask: {item.instruction}")
    assert check.finds("Tell me something.", "", f"{'Well. ' * 300}{item.instruction}")


def test_a_row_whose_answer_holds_a_reference_is_found_however_it_is_written() -> None:
    items = [one for pool in questions.POOLS for one in questions.load(pool) if one.domain == "general"]
    item = max((one for one in items if one.language == "en"), key=lambda one: len(one.reference))
    check = replay_check()
    assert check.finds("Tell me a story.", "", f"Once upon a time. {item.reference.upper()} The end.")
    assert not check.finds("Tell me a story.", "", "Once upon a time there was a frog in a boat.")


def test_no_row_that_the_seedling_may_replay_holds_what_is_tested() -> None:
    check = replay_check()
    assert not any(check.finds(one.instruction, one.context, one.output) for one in seedling_facts.all_rows())


# which answers are usable


@pytest.mark.parametrize(
    ("prompt", "made", "reason"),
    [
        (ENGLISH, None, "too_long"),
        (ENGLISH, said(ENGLISH, "Because yeast makes gas and", ended=False), "endless"),
        (ENGLISH, said(ENGLISH, " . "), "empty"),
        (ENGLISH, said(ENGLISH, "It rises. <|instruction|>Why"), "markers"),
        (ENGLISH, said(ENGLISH, "It rises because it rises because " * 8), "looping"),
        (ENGLISH, said(ENGLISH, "酵母がガスを出すからです。"), "other_language"),
        (JAPANESE, said(JAPANESE, "Because the yeast makes a gas in the dough."), "other_language"),
    ],
)
def test_an_unusable_answer_is_dropped_and_counted(prompt: Prompt, made: Generated | None, reason: str) -> None:
    found = usable("hand-made", [prompt], [made])
    assert (found.rows, found.dropped, found.few) == ((), {reason: 1}, True)


@pytest.mark.parametrize(
    ("prompt", "cut", "kept"),
    [
        (
            ENGLISH,
            "Yeast makes gas. The gas cannot leave the dough! And then it",
            "Yeast makes gas. The gas cannot leave the dough!",
        ),
        (ENGLISH, "Two things happen:\n1. Yeast makes gas.\n2. The dough", "Two things happen:\n1. Yeast makes gas."),
        (ENGLISH, "It takes 3.5 hours. At 27.5 degrees it", "It takes 3.5 hours."),
        (
            JAPANESE,
            "酵母がガスを出します。それで生地がふくらみます。そのあと",
            "酵母がガスを出します。それで生地がふくらみます。",
        ),
    ],
)
def test_of_an_answer_that_was_cut_off_the_whole_sentences_are_kept(prompt: Prompt, cut: str, kept: str) -> None:
    [row] = usable("hand-made", [prompt], [said(prompt, cut, ended=False)]).rows
    assert row.output == kept


def test_an_answer_that_gives_away_a_tested_fact_is_dropped() -> None:
    items = [one for one in questions.load("confirmation") if one.domain == "general" and one.language == "en"]
    item = max(items, key=lambda one: len(one.reference))
    found = usable("hand-made", [ENGLISH], [said(ENGLISH, f"I know this one: {item.reference}")])
    assert (found.rows, found.dropped) == ((), {"tested": 1})


def test_a_usable_answer_becomes_a_row_with_the_tags_of_its_prompt() -> None:
    [row] = usable("hand-made", [JAPANESE], [said(JAPANESE, " 酵母がガスを出すからです。")]).rows
    assert (row.role, row.instruction, row.output) == (
        "anchor",
        JAPANESE.question.instruction,
        "酵母がガスを出すからです。",
    )
    assert (row.reasoning, row.category, row.language) == (
        "The question is in Japanese; answer in Japanese.", "open_qa", "ja",
    )  # fmt: skip
    assert len(row.record_id) == 64


def test_a_base_is_asked_each_prompt_that_fits_once_and_tells_its_progress() -> None:
    speaker, told = HandSpeaker(), []
    fits = [number % 2 == 0 for number in range(len(PROMPTS))]
    found = answered(speaker, "hand-made", PROMPTS, fits, lambda done, of: told.append((done, of)))
    assert speaker.asked == [one.question for one, does in zip(PROMPTS, fits, strict=True) if does]
    assert told[-1] == (len(speaker.asked), len(speaker.asked))
    assert (found.prompts, found.dropped) == (len(PROMPTS), {"too_long": len(PROMPTS) - len(speaker.asked)})
    assert len(found.rows) == len(speaker.asked)


def test_a_base_that_never_ends_has_nothing_to_replay() -> None:
    found = answered(HandSpeaker(endless_answer), "hand-made", PROMPTS, [True] * len(PROMPTS), lambda done, of: None)
    assert (found.rows, found.few, found.dropped) == ((), True, {"endless": len(PROMPTS)})


def test_a_prompt_that_leaves_no_room_for_an_answer_is_not_asked(tmp_path: Path) -> None:
    base = base_at(make_base(tmp_path / "base"))
    encoder = load_encoder(Path(base.model))
    assert all(fitting(PROMPTS, base, encoder, CURRENT))
    tight = replace(base, max_tokens=base.answer_tokens_ja + 60)
    assert 0 < sum(fitting(PROMPTS, tight, encoder, CURRENT)) < len(PROMPTS)


# the file, and what is drawn from it


def test_the_file_holds_all_of_it_and_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    found, path, again = all_answered(), tmp_path / "replay" / "a.jsonl.gz", tmp_path / "b.jsonl.gz"
    own_answers.write(path, found)
    own_answers.write(again, found)
    assert own_answers.read(path) == found
    assert path.read_bytes() == again.read_bytes()
    assert (len(found.rows), found.few, found.dropped) == (len(PROMPTS), False, {})


@pytest.mark.parametrize("content", [None, b"", b"no gzip", "half"])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "a.jsonl.gz"
    own_answers.write(path, all_answered())
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    with pytest.raises(IntegrityError, match=path.name):
        replay_samples(path, 5, seed=1)


def test_samples_are_drawn_by_seed_each_once_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    own_answers.write(path, all_answered())
    drawn = replay_samples(path, 200, seed=3)
    assert drawn == replay_samples(path, 200, seed=3) != replay_samples(path, 200, seed=4)
    assert Counter(row.language for row in drawn) == {"en": 100, "ja": 100}
    every = replay_samples(path, 10_000, seed=3)
    assert len({row.record_id for row in every}) == len(every) == len(PROMPTS)


def test_one_language_fills_what_the_other_lacks(tmp_path: Path) -> None:
    rows = all_answered().rows
    few = (*[row for row in rows if row.language == "ja"][:5], *(row for row in rows if row.language == "en"))
    drawn = own_answers.samples(few, 30, seed=1)
    assert Counter(row.language for row in drawn) == {"ja": 5, "en": 25}
    assert Counter(row.language for row in drawn[:10]) == {"ja": 5, "en": 5}
    assert own_answers.samples((), 30, seed=1) == []


# whose it is


def test_the_seedling_replays_its_facts_and_another_base_a_file_of_its_own(tmp_path: Path) -> None:
    seedling = load_config(tmp_path, {}).profiles["seedling"].base
    assert source_of(seedling, "tagged", tmp_path) == SEEDLING
    base = base_at(make_base(tmp_path / "base"))
    made = source_of(base, "tagged", tmp_path / "replay")
    assert isinstance(made, Path)
    assert (made.parent, made.name.endswith(".jsonl.gz")) == (tmp_path / "replay", True)


def test_the_file_is_named_by_all_that_the_answers_depend_on(tmp_path: Path) -> None:
    base = base_at(make_base(tmp_path / "base"))
    moved = replace(base, name="renamed", model=str(make_base(tmp_path / "moved")))
    other = replace(base, model=str(make_base(tmp_path / "other", weights="others")))
    first = answers_file(base, "tagged", tmp_path)
    assert answers_file(moved, "tagged", tmp_path) == first
    differing = [
        answers_file(other, "tagged", tmp_path),
        answers_file(base, "alpaca", tmp_path),
        answers_file(replace(base, quantisation="none"), "tagged", tmp_path),
        answers_file(replace(base, generation_batch=2), "tagged", tmp_path),
    ]
    assert len({first, *differing}) == 5
