"""Masks and borders, on a tokenizer that merges across them whenever it can."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.errors import TrainingError
from bonsai.model.encoding import IGNORED, Encoder, encoder_of, load_encoder
from bonsai.model.prompt import CURRENT, END, AnswerTags, Question, completion, declaration, neutralise, prompt


@dataclass
class Ids:
    ids: list[int]


class PairTokenizer:
    """Two characters a token: a border inside a text would be swallowed at every odd length."""

    def encode(self, sequence: str, *, add_special_tokens: bool = True) -> Ids:
        points = [ord(one) for one in sequence]
        pairs = zip(points[::2], [*points[1::2], 0][: len(points[::2])], strict=True)
        return Ids([1 + first * 0x110000 + second for first, second in pairs])

    def decode(self, ids: list[int], skip_special_tokens: bool = True) -> str:
        pairs = (divmod(one - 1, 0x110000) for one in ids)
        return "".join(chr(first) + (chr(second) if second else "") for first, second in pairs)

    def token_to_id(self, token: str) -> int | None:
        return 0 if token == END else None

    def to_str(self) -> str:
        return "{}"


ENCODER: Encoder = encoder_of(PairTokenizer())
fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(fields, fields, fields.filter(bool), st.sampled_from(["ja", "en"]))
def test_labels_are_the_completion_and_the_end_alone(
    instruction: str, context: str, answer: str, language: str
) -> None:
    question, tags = Question(instruction, context), AnswerTags("r", "open_qa", language)

    made = ENCODER.encode(CURRENT, question, tags, answer)

    learned = [label for label in made.labels if label != IGNORED]
    given_ids = made.input_ids[: len(made.labels) - len(learned)]
    assert len(made.labels) == len(made.input_ids)
    assert learned == made.input_ids[len(given_ids) :]
    assert learned[-1] == ENCODER.end
    assert learned.count(ENCODER.end) == 1
    assert ENCODER.text(given_ids) == prompt(CURRENT, question)
    assert ENCODER.text(learned[:-1]) == completion(CURRENT, tags, answer)


@given(fields, fields.filter(bool))
def test_forced_tags_are_tokenised_as_they_were_trained(instruction: str, answer: str) -> None:
    question, tags = Question(instruction), AnswerTags("r", "open_qa", "en")

    made = ENCODER.encode(CURRENT, question, tags, answer)

    forced = ENCODER.question(CURRENT, question, tags)
    assert forced == made.prompt + made.declaration
    assert ENCODER.text(made.declaration) == declaration(CURRENT, tags)
    assert ENCODER.text(made.response) == neutralise(answer)


def test_a_tokenizer_without_an_end_is_refused() -> None:
    class Endless(PairTokenizer):
        def token_to_id(self, token: str) -> int | None:
            return None

    with pytest.raises(TrainingError, match="endoftext"):
        encoder_of(Endless())


def chat_tokenizer(folder: Path, generation: dict[str, object] | None = None, eos: object = "</s>") -> Path:
    """A folder as of a chat model: `<s>` before every text, `</s>` behind texts, `<turn>` behind answers."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = {"<s>": 0, "</s>": 1, "<turn>": 2}
    tokenizer = Tokenizer(models.WordLevel({**special, "a": 3, "b": 4, "?": 5}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(list(special))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"text_config": {"eos_token_id": 2}}), "utf-8")
    if eos:
        (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": eos}), "utf-8")
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation), "utf-8")
    return folder


def test_what_the_tokenizer_puts_before_every_text_stands_before_the_prompt_once(tmp_path: Path) -> None:
    encoder = load_encoder(chat_tokenizer(tmp_path))
    made = encoder.encode(CURRENT, Question("a"), AnswerTags("b", "a", "b"), "b")
    assert encoder.start == (0,)
    assert made.input_ids[0] == 0
    assert 0 not in made.input_ids[1:]
    assert encoder.question(CURRENT, Question("a")) == made.prompt


@pytest.mark.parametrize(
    ("generation", "eos", "ends"),
    [
        ({"eos_token_id": [2, 1]}, "</s>", (1, 2)),
        ({"eos_token_id": 2}, {"content": "<turn>"}, (2,)),
        ({}, "", (2,)),
        (None, "</s>", (1, 2)),
        (None, "<none>", (2,)),
    ],
)
def test_an_answer_ends_where_any_file_of_the_base_says(
    tmp_path: Path, generation: dict[str, object] | None, eos: object, ends: tuple[int, ...]
) -> None:
    encoder = load_encoder(chat_tokenizer(tmp_path, generation, eos))
    assert encoder.ends == ends
    assert encoder.end == ends[0]
    assert encoder.digest != Encoder(encoder.tokenizer, (5,), encoder.start).digest
