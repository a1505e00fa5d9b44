"""What `bonsai snapshots preview` shows is what trains, on a tokenizer that cuts characters into bytes."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bonsai.cli.snapshots import MARKS, token_lines
from bonsai.domain.snapshots import Example
from bonsai.model.encoding import Encoder
from bonsai.model.prompt import CURRENT, Question, completion, neutralise, prompt
from bonsai.model.prompt import AnswerTags as Tags
from bonsai.train.preview import Piece, preview, sized, token_costs


@dataclass
class Ids:
    ids: list[int]


class ByteTokenizer:
    """One byte a token: a kana takes three, an emoji four."""

    def encode(self, sequence: str, *, add_special_tokens: bool = True) -> Ids:
        return Ids(list(sequence.encode()))

    def decode(self, ids: list[int], skip_special_tokens: bool = True) -> str:
        return bytes(one for one in ids if one < 256).decode("utf-8", "replace") + "<|endoftext|>" * (256 in ids)

    def token_to_id(self, token: str) -> int | None:
        return 256

    def to_str(self) -> str:
        return "{}"


ENCODER = Encoder(ByteTokenizer(), ends=(256,))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\N{REPLACEMENT CHARACTER}"), max_size=20)


def row(instruction: str, output: str, context: str = "") -> Example:
    return Example("r1", "own", instruction, context, "Answer in Japanese.", "open_qa", "ja", output)


@given(texts, texts, texts)
def test_the_pieces_are_the_whole_example_and_the_learned_ones_are_its_labels(a: str, b: str, c: str) -> None:
    one = row(a, b, c)

    seen = preview(ENCODER, CURRENT, one, limit=1000)

    given_text = "".join(piece.text for piece in seen.pieces if piece.part == "given")
    learned = "".join(piece.text for piece in seen.pieces if piece.part in ("declared", "answer"))
    assert given_text == prompt(CURRENT, Question(a, c))
    assert learned == completion(CURRENT, Tags(one.reasoning, one.category, one.language), b)
    assert [piece.part for piece in seen.pieces].count("end") == 1
    assert seen.pieces[-1].part == "end"
    encoded = ENCODER.example(CURRENT, one)
    assert seen.tokens() == len(encoded.input_ids)
    assert seen.tokens("given") == encoded.labels.count(-100)


def test_a_character_of_several_tokens_stays_whole() -> None:
    seen = preview(ENCODER, CURRENT, row("Q", "猫🐈a"), limit=1000)

    assert [piece for piece in seen.pieces if piece.part == "answer"] == [
        Piece("猫", 3, "answer"),
        Piece("🐈", 4, "answer"),
        Piece("a", 1, "answer"),
    ]


def test_a_record_that_is_one_token_too_long_is_too_long() -> None:
    length = preview(ENCODER, CURRENT, row("Q", "A"), limit=1000).tokens()

    assert not preview(ENCODER, CURRENT, row("Q", "A"), limit=length).too_long
    assert preview(ENCODER, CURRENT, row("Q", "A"), limit=length - 1).too_long


def test_tokens_a_character_are_summed_by_language() -> None:
    found = token_costs(
        sized(ENCODER, text, language) for text, language in [("猫", "ja"), ("犬と", "ja"), ("a", "en")]
    )

    assert [(cost.language, cost.texts, cost.characters, cost.tokens) for cost in found] == [
        ("ja", 2, 3, 9),
        ("en", 1, 1, 1),
    ]
    assert found[0].tokens_a_character == 3.0
    assert sized(ENCODER, "<|x|>", "en").characters == len(neutralise("<|x|>"))


@given(texts, texts)
def test_lines_fit_the_width_and_hold_one_part_each(question: str, answer: str) -> None:
    seen = preview(ENCODER, CURRENT, row(question, answer), limit=1000)

    lines = token_lines(seen.pieces, 60)

    assert all(cell_len(line.plain) <= 60 for line in lines)
    assert {line.plain[2] for line in lines} <= set(MARKS.values())
    assert all(line.plain.isprintable() for line in lines)
    assert lines[-1].plain.endswith("<|endoftext|>")
