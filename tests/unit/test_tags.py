from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.domain.records import LANGUAGES, Category, Origin, Record, Tag, Tags, TagSource, parse
from bonsai.errors import IntegrityError
from bonsai.ingest.tags import merge_tag, question_language, retag_batch, tag, tag_batch
from bonsai.ingest.tags.category import CategoryTagger, Example, by_rule
from bonsai.ingest.tags.language import detect, guess_answer


def record(instruction: str, output: str, input: str = "", **more: object) -> Record:
    made = parse({"instruction": instruction, "output": output, "input": input, **more}, Origin("cats.csv", 1))
    assert isinstance(made, Record), made
    return made


# --- language


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("ja", "猫は泳げますか。"),
        ("ja", "東京都"),
        ("ja", "動物病院 予防接種"),
        ("ja", "目的"),
        ("ja", "自己責任"),
        ("ja", "円、働、込"),
        ("ja", "ﾈｺ"),
        ("ja", "次のコードを実行します: import numpy as np"),
        ("zh", "猫会游泳吗？"),
        ("zh", "我们都是好朋友。"),
        ("zh", "台灣的貓很可愛。"),
        ("zh", "卡通人物・米老鼠很有名，这是一个故事"),
        ("en", "Most cats do not like water."),
        ("en", "The Japanese word for cat is 猫 (neko)."),
        ("en", "skateboard"),
        ("other", "고양이는 수영할 수 있습니다."),
        ("other", "Кошки умеют плавать."),
        ("other", "Les chats n'aiment pas beaucoup l'eau froide."),
        ("other", "Die meisten Katzen mögen kein Wasser."),
    ],
)
def test_the_script_and_the_grammar_tell_the_language(language: str, written: str) -> None:
    assert detect(written).value == language


@given(st.text(max_size=40))
def test_every_text_has_a_language_and_a_confidence(written: str) -> None:
    found = detect(written)
    assert found.value in LANGUAGES
    assert 0 <= found.confidence <= 1.001


@pytest.mark.parametrize(
    ("question", "answer", "language"),
    [
        ("猫は何匹いますか?", "3", "ja"),
        ("How many cats are there?", "3", "en"),
        ("这里有几只猫？", "3", "zh"),
        ("国際連合休戦監視機構の略称は?", "UNTSO", "ja"),
        ("猫を英語で何と言いますか?", "cat", "en"),
        ('How do you write "library" in Japanese?', "図書館", "ja"),
        ("Who wrote Jane Eyre?", "Charlotte Brontë", "en"),
        ("Translate into French: I am a student.", "Je suis étudiant.", "other"),
        ("中国的首都是哪里？", "北京", "zh"),
    ],
)
def test_the_question_decides_where_the_answer_alone_cannot(question: str, answer: str, language: str) -> None:
    assert guess_answer(answer, question).language == language


def test_a_quoted_word_is_not_the_questions_language() -> None:
    assert question_language(record('Give me the English word for "爪とぎ".', "scratching post")) == "en"
    assert question_language(record("「cat」を日本語で?", "猫")) == "ja"


# --- category


@pytest.mark.parametrize(
    ("category", "instruction", "input", "output"),
    [
        ("translation", "Translate to Japanese: cat", "", "猫"),
        ("translation", "「猫」を英語で何と言いますか?", "", "cat"),
        ("translation", "How do you say dog in Japanese?", "", "犬"),
        ("classification", "Classify each as fruit or vegetable: apple, leek", "", "Apple is a fruit."),
        ("classification", "次の動物を哺乳類と鳥類に分類してください。", "", "猫は哺乳類です。"),
        ("brainstorming", "Give me some ideas for a rainy day with a cat", "", "Boxes, strings."),
        ("brainstorming", "猫の名前のアイデアを3つください。", "", "ミケ、クロ、タマ"),
        ("creative", "Write a haiku about a cat", "", "Soft paws"),
        ("creative", "猫の俳句を詠んでください。", "", "春の猫"),
        ("question_to_question", "My cat is strange today.", "", "What is different from yesterday?"),
        ("question_to_question", "猫の様子が変です。", "", "いつから変ですか。"),
        ("closed_qa", "When did she win?", "Ann came from Osaka and won the race in Kobe in 1999 by bike.", "1999"),
        ("", "What is the capital of Japan?", "", "Tokyo."),
        ("", "Which movie star was in Lost in Translation?", "", "Bill Murray."),
        ("", "Rewrite this as a question: You like cats.", "", "Do you like cats?"),
        ("", "けがをしたときに喉を鳴らすのが猫ですが、その訳は?", "", "痛みがやわらぐからです。"),
    ],
)  # fmt: skip
def test_rules_know_the_clear_cases_and_leave_the_rest(
    category: str, instruction: str, input: str, output: str
) -> None:
    found = by_rule(record(instruction, output, input))
    assert (found.value if found else "") == category


def examples() -> tuple[list[Example], list[Category]]:
    animals = ["cat", "dog", "owl", "猫", "犬", "cow", "ant", "bee"]
    questions = [Example(f"What does the {animal} eat at night?", False, "It eats fish.") for animal in animals]
    songs = [Example(f"Sing something soft for the {animal}", False, "La la la") for animal in animals]
    return questions + songs, [Category.OPEN_QA] * len(animals) + [Category.CREATIVE] * len(animals)


def test_the_tagger_learns_the_same_from_the_same_and_survives_the_disk(tmp_path: Path) -> None:
    tagger = CategoryTagger.fit(*examples())
    again = CategoryTagger.fit(*examples())
    assert tagger.version == again.version
    asked = [Example("What does the fox eat at night?", False, "Mice."), Example("Sing for the fox", False, "La")]
    assert [one.value for one in tagger.predict_batch(asked, 0.5)] == ["open_qa", "creative"]
    assert [one.value for one in tagger.predict_batch(asked, 1.01)] == ["uncategorised"] * 2
    tagger.save(tmp_path / "tagger.npz")
    loaded = CategoryTagger.load(tmp_path / "tagger.npz")
    assert loaded.version == tagger.version
    assert loaded.predict_batch(asked, 0.5) == tagger.predict_batch(asked, 0.5)
    assert tagger.predict_batch([], 0.5) == []


def test_the_tagger_is_unsure_of_what_it_has_never_seen() -> None:
    tagger = CategoryTagger.fit(*examples())
    assert float(tagger.probabilities([Example("Zyx 七", False, "Qwv")]).max()) < 0.95


def test_a_batch_is_tagged_as_its_records_are_alone() -> None:
    tagger = CategoryTagger.fit(*examples())
    asked = [Example(f"What does animal {i} eat?", bool(i % 2), "x" * i) for i in range(50)]
    alone = np.concatenate([tagger.probabilities([one]) for one in asked])
    assert np.allclose(tagger.probabilities(asked), alone, atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 torn"])
def test_a_damaged_tagger_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tagger.npz"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        CategoryTagger.load(path)


# --- all three, and who wins


def test_what_a_file_gives_is_kept_as_imported() -> None:
    made = tag(record("Can cats swim?", "はい。", language="en", category="creative", reasoning="I know."), None)
    assert [(one.value, one.source) for one in (made.language, made.category, made.reasoning)] == [
        ("en", "import"),
        ("creative", "import"),
        ("I know.", "import"),
    ]
    assert made.language.version == "cats.csv"


def test_what_a_person_gives_is_a_persons() -> None:
    made = tag_batch([record("Can cats swim?", "Yes.", category="open_qa", author="Ann")], None, given_by="person")[0]
    assert (made.category.source, made.category.version) == ("person", "Ann")
    assert (made.language.value, made.language.source) == ("en", "rule")


def test_the_rest_is_found_and_the_reasoning_names_both_languages() -> None:
    made = tag(record("What is 猫 in English? 日本語の質問です。英語で答えてください。", "Cat is the word."), None)
    assert (made.language.value, made.category.value) == ("en", "translation")
    assert made.reasoning.value == "The question is in Japanese; answer in English."


def test_without_a_rule_or_a_tagger_a_record_is_uncategorised() -> None:
    made = tag(record("What is the capital of Japan?", "Tokyo."), None)
    assert (made.category.value, made.category.confidence) == ("uncategorised", 0.0)


SOURCES: tuple[TagSource, ...] = ("rule", "learned", "import", "person")


@pytest.mark.parametrize(
    ("old", "new", "stands"),
    [
        ("person", "import", "old"),
        ("person", "learned", "old"),
        ("person", "rule", "old"),
        ("person", "person", "new"),
        ("import", "learned", "old"),
        ("import", "rule", "old"),
        ("import", "person", "new"),
        ("learned", "rule", "new"),
        ("rule", "learned", "new"),
        ("rule", "import", "new"),
    ],
)
def test_a_tag_is_replaced_only_by_an_equal_or_stronger_source(old: TagSource, new: TagSource, stands: str) -> None:
    before, after = Tag("ja", old, 1.0, "1"), Tag("en", new, 1.0, "2")
    assert merge_tag(before, after) == (before if stands == "old" else after)
    assert merge_tag(None, after) == after


@given(st.lists(st.sampled_from(SOURCES), max_size=6))
def test_a_persons_tag_survives_any_retagging(sources: list[TagSource]) -> None:
    mine = standing = Tag("ja", "person", 1.0, "Ann")
    for source in sources:
        if source != "person":
            standing = merge_tag(standing, Tag("en", source, 1.0, "x"))
    assert standing == mine


def test_tagging_again_keeps_imported_and_personal_tags() -> None:
    told = record("Write a haiku about a cat", "Soft paws")
    mine = Tag("open_qa", "person", 1.0, "Ann")
    old = Tags(Tag("ja", "import", 1.0, "f"), mine, Tag("old", "rule", 1.0, "reasoning-0"))
    new = retag_batch([told], [old], None)[0]
    assert (new.language, new.category) == (old.language, mine)
    assert new.reasoning.value != "old"
