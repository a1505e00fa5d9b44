"""Questions that are kept: forgotten with the records that they tell of; the records that are like a question."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_client import HandClient
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.ask import QuestionRequest, ask_models, new_question_id, rate_answer, show_question, store_question
from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.errors import UsageError
from bonsai.queries.records import list_records
from bonsai.queries.similar import quoted_records, search_words, similar_records
from storage.scale import text_index
from storage.tables import questions_table
from storage.tables.records_table import RecordFilter

SECRET = "Mike hides from the neighbour Tanaka."
QUESTION = "Why is Mike under the bed?"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = open_stage(tmp_path / "home")
    inference = HandClient()
    inference.may_speak.set()
    made.b = replace(made.b, inference=inference)
    submit(made.b, {"instruction": QUESTION, "output": SECRET, "source": "self"}, EVENING)
    submit(made.b, {"instruction": "Who naps?", "output": "Kuro naps on the piano.", "source": "self"}, EVENING)
    drain_inbox(made.b, EVENING)
    return made


def ask(stage: Stage, question: str, says: str = "I do not know.") -> questions_table.StoredQuestion:
    stage.b.inference.says = says  # type: ignore[attr-defined]
    made = ask_models(stage.b, QuestionRequest(question, "mika"), new_question_id(), EVENING)
    store_question(stage.b, made)
    return made


def holding(stage: Stage, text: str) -> list[str]:
    files = [path for path in stage.b.home.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if text.encode() in path.read_bytes())


def secret_id(stage: Stage) -> str:
    return next(one.record.id for one in list_records(stage.b, RecordFilter(text="Tanaka"), None))


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Why is Mike under the bed?", "No idea"),  # drew on the record
        ("Zzz?", f"Well: {SECRET}"),  # the model says it, though the question is like nothing
        ("Zzz?", "Mike hides from that neighbour, Tanaka"),  # in other words
    ],
)
def test_what_tells_of_a_forgotten_record_is_emptied(stage: Stage, question: str, says: str) -> None:
    told = ask(stage, question, says)
    other = ask(stage, "Kuro?", "Kuro, on the piano")
    rate_answer(stage.b, told.id, 1, "down", "mika")

    assert forget_records(stage.b, [secret_id(stage)], "Mika", EVENING).erased

    left = show_question(stage.b, told.id)
    assert (left.question, left.record_ids, left.answers[0].answer, left.answers[0].thumb) == ("", (), "", "down")
    assert show_question(stage.b, other.id).answers[0].answer == "Kuro, on the piano (base)"
    assert holding(stage, says) == []
    assert holding(stage, "Tanaka") == []


def test_the_likest_record_comes_first_and_a_forgotten_one_not_at_all(stage: Stage) -> None:
    day = {"source": "self", "happened_on": "2024-11-21", "subject": "Mike"}
    submit(stage.b, {"instruction": "ミケはなぜくしゃみをしましたか?", "output": "ほこりのせいです。", **day}, EVENING)
    submit(stage.b, {"instruction": "Why does Mike sneeze?", "output": "Dust in the litter.", **day}, EVENING)
    drain_inbox(stage.b, EVENING + timedelta(seconds=1))
    found = similar_records(stage.b, "Mike sneezes again, why?")
    assert found[0].output == "Dust in the litter."
    assert str(found[0].happened_on) == "2024-11-21"
    assert [one.output for one in similar_records(stage.b, "ミケのくしゃみ、前にもありましたか?")] == [
        "ほこりのせいです。"
    ]
    assert similar_records(stage.b, "くしゃみをしましたか")[0].output == "ほこりのせいです。"  # no word but hiragana
    forget_records(stage.b, [found[0].id], "Mika", EVENING)
    assert "Dust in the litter." not in [one.output for one in similar_records(stage.b, "Mike sneezes again, why?")]
    assert similar_records(stage.b, "???") == ()
    with pytest.raises(UsageError):
        similar_records(stage.b, " ")


def test_an_answer_is_quoted_once_and_a_search_lists_every_record(stage: Stage) -> None:
    for question in ("Where does Mike hide from dogs?", "Which place does Mike hide in?"):
        submit(stage.b, {"instruction": question, "output": "In the airing cupboard.", "source": "self"}, EVENING)
    drain_inbox(stage.b, EVENING + timedelta(seconds=1))
    asked = "Where does Mike hide?"
    said = [one.output for one in quoted_records(stage.b, asked)]
    assert said.count("In the airing cupboard.") == 1
    listed = [one.output for one in similar_records(stage.b, asked)]
    assert listed.count("In the airing cupboard.") == 2


def test_words_to_look_for() -> None:
    assert {"mike", "sneeze"} <= set(search_words("Why does Mike sneeze?"))
    assert search_words("日本語学校") == ["学校", "日本", "本語", "語学"]
    assert search_words("ねむい") == ["ねむい"]


def test_among_many_alike_the_rarest_word_finds_its_record(stage: Stage) -> None:
    with stage.b.database.writing() as con:
        con.execute(
            """
            INSERT INTO records BY NAME
            SELECT * EXCLUDE (i) REPLACE (
                sha256(i::VARCHAR) AS id, 'What is cat ' || i || ' doing at ' || i % 24 || ' o''clock?' AS instruction,
                'Cat ' || i || ' sits on chair ' || i % 1000 || ' and looks out.' AS output,
                nextval('record_sequence') AS sequence
            ) FROM (FROM records LIMIT 1), range(20000) t(i)
            """
        )
        text_index.clear(con, EVENING)
    text_index.complete(stage.b.database, EVENING)
    found = similar_records(stage.b, "What is cat 17182 doing?")
    assert "cat 17182 " in found[0].instruction
