from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.errors import TrainingError
from bonsai.model.prompt import (
    CURRENT,
    END,
    MARKERS,
    TEMPLATES,
    AnswerTags,
    Question,
    Template,
    completion,
    declaration,
    neutralise,
    parse,
    prompt,
    template,
)

JA = AnswerTags("The question is in Japanese; answer in Japanese.", "open_qa", "ja")
MARKER_FORM = re.compile(r"<\s*\||\|>")

hostile = st.lists(
    st.sampled_from(["<", "|", ">", " ", "\n", "response", END, *MARKERS, "富士山", "cat", "<|", "|>", "< |"]),
    max_size=12,
).map("".join)
texts = st.text(max_size=40) | hostile | st.sampled_from(["日本で一番高い山は?", "猫に玉ねぎをあげても大丈夫ですか?"])
lines = texts.map(lambda text: " ".join(text.split()))
templates = st.sampled_from(list(TEMPLATES.values()))


def test_the_tagged_prompt_is_the_documented_one() -> None:
    assert prompt(CURRENT, Question("日本で一番高い山は?")) == (
        "<|system|>You are Bonsai.\n<|instruction|>日本で一番高い山は?\n"
    )
    assert completion(CURRENT, JA, "富士山です。") == (
        "<|reasoning|>The question is in Japanese; answer in Japanese.\n"
        "<|category|>open_qa\n<|language|>ja\n<|response|>富士山です。"
    )


def test_a_context_stands_between_instruction_and_completion() -> None:
    assert prompt(CURRENT, Question("How is Mike?", "today: 2026-11-21")).endswith(
        "<|instruction|>How is Mike?\n<|context|>today: 2026-11-21\n"
    )


@pytest.mark.parametrize(("name", "head"), [("alpaca", "<|response|>"), ("reasoning", "<|reasoning|>r\n<|response|>")])
def test_older_templates_declare_less(name: str, head: str) -> None:
    assert declaration(template(name), AnswerTags("r", "open_qa", "ja")) == head


@given(texts)
def test_a_neutralised_text_holds_no_marker_and_keeps_its_length(text: str) -> None:
    harmless = neutralise(text)

    assert MARKER_FORM.search(harmless) is None
    assert len(harmless) == len(text)
    assert neutralise(harmless) == harmless


@given(st.text(alphabet="abc <>|猫犬。?1\n").filter(lambda text: not MARKER_FORM.search(text)))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == text


@given(templates, texts, texts)
def test_no_question_can_open_a_field(form: Template, instruction: str, context: str) -> None:
    made = prompt(form, Question(instruction, context))

    fields = ["system", "instruction", "context"] if context else ["system", "instruction"]
    assert re.findall(r"<\|(.*?)\|>", made, re.DOTALL) == fields


@given(lines, lines, lines, texts)
def test_what_a_model_says_is_read_back(reasoning: str, category: str, language: str, answer: str) -> None:
    tags = AnswerTags(reasoning, category, language)

    parsed = parse(completion(CURRENT, tags, answer))

    assert parsed.tags == AnswerTags(*(neutralise(field).strip() for field in (reasoning, category, language)))
    assert parsed.response == neutralise(answer).strip()
    assert not parsed.leaked_markers


@given(hostile)
def test_parsing_never_fails(said: str) -> None:
    parsed = parse(said)

    declared = any(marker in said for marker in MARKERS[3:6])
    assert "<|response|>" in said or parsed.response == ("" if declared else said.removesuffix(END).strip())


@pytest.mark.parametrize(
    ("said", "language", "response"),
    [
        ("Mount Fuji.", "", "Mount Fuji."),
        ("[ja] 富士山です。", "ja", "富士山です。"),
        (" [en] Mount Fuji.", "en", "Mount Fuji."),
        ("[1] Mount Fuji.", "", "[1] Mount Fuji."),
        ("[en]Mount", "", "[en]Mount"),
    ],
)
def test_an_answer_without_a_declaration_is_an_answer(said: str, language: str, response: str) -> None:
    parsed = parse(said)
    assert (parsed.tags.language, parsed.response) == (language, response)


def test_a_completion_that_never_answers_has_no_response() -> None:
    parsed = parse("<|reasoning|>The question is in Japanese; answer in Japanese.\n<|category|>open_qa\n<|lang")

    assert parsed.tags.category.startswith("open_qa")
    assert parsed.response == ""


@pytest.mark.parametrize("said", ["<|response|>a<|response|>b", "<|response|>a|>", "<|response|>a<|endoftext|>b"])
def test_markers_in_an_answer_are_noticed(said: str) -> None:
    assert parse(said).leaked_markers


def test_the_end_of_text_is_no_part_of_the_answer() -> None:
    parsed = parse("<|response|>Mount Fuji." + END)

    assert parsed.response == "Mount Fuji."
    assert not parsed.leaked_markers


def test_digests_tell_templates_apart_and_change_with_the_form() -> None:
    digests = {form.digest for form in TEMPLATES.values()}

    assert len(digests) == len(TEMPLATES)
    assert Template("tagged", "You are a tree.", CURRENT.declares).digest not in digests


def test_a_manifests_template_must_be_the_one_of_now() -> None:
    assert template("tagged", CURRENT.digest) is CURRENT
    with pytest.raises(TrainingError, match="differs"):
        template("tagged", "0" * 64)
    with pytest.raises(TrainingError, match="tagged, reasoning, alpaca"):
        template("chatml")
