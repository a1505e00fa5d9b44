"""Masks and borders, on a tokenizer that merges across them whenever it can."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.errors import TrainingError
from bonsai.model.encoding import IGNORED, Encoder, encoder_of
from bonsai.model.prompt import CURRENT, END, AnswerTags, Question, completion, declaration, neutralise, prompt


@dataclass
class Ids:
    ids: list[int]


class PairTokenizer:
    """Two characters a token: a border inside a text would be swallowed at every odd length."""

    def encode(self, sequence: str, *, add_special_tokens: bool = True) -> Ids:
        assert not add_special_tokens
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
