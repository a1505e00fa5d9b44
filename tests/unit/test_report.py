"""A run against an answerer made by hand, and the report that comes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rich.console import Console

from bonsai.errors import BenchmarkError, InputError
from bonsai.evaluate import evaluation, questions, report, run, worker
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Report
from bonsai.model.answerer import Generated, Likelihood, OnProgress, Scored, ignore_progress
from bonsai.model.bases import Base
from bonsai.model.prompt import CURRENT, AnswerTags, Question, completion

SETTINGS = run.RunSettings(canaries=4)
ABOUT = run.ReportMetadata(
    "v2/selection", "a1", "hash", "seedling", "settings", "libraries", "2026-11-21T00:00:00+00:00"
)
WORDS = {"ja": ("{n}は何ですか?", "{n}です。"), "en": ("What is {n}?", "It is {n}.")}


def items(count: int = 6) -> list[Item]:
    return [
        Item(
            f"q{n}-{language}", "selection", f"f{n}", "general", "open_qa" if n else "creative", language, language,
            question.format(n=n), "", answer.format(n=n), (str(n),),
        )
        for n in range(count)
        for language, (question, answer) in WORDS.items()
    ]  # fmt: skip


@dataclass
class Parrot:
    """Knows every answer; says what it is told to say instead."""

    instead: dict[str, str] = field(default_factory=dict)
    "Responses by instruction."
    bits: float = 8.0
    longest: int = 1000
    reasoning: str = ""
    "What it declares instead of the expected sentence."
    asked: int = 0

    def answers(
        self,
        questions: Sequence[Question],
        forced: Sequence[AnswerTags | None],
        max_new_tokens: int | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> list[Generated]:
        known = {item.instruction: item for item in items(50)}
        made = []
        for question, tags in zip(questions, forced, strict=True):
            if len(question.instruction) > self.longest:
                raise InputError("benchmark.no_items")
            self.asked += 1
            item = known[question.instruction]
            said = self.instead.get(question.instruction, item.reference)
            declared = tags or AnswerTags(
                self.reasoning or run.expected_tags(item).reasoning, item.category, item.language
            )
            made.append(Generated(completion(CURRENT, declared, said), True, len(said)))
        return made

    def log_likelihoods(
        self, examples: Sequence[Scored], on_progress: OnProgress = ignore_progress
    ) -> list[Likelihood]:
        return [Likelihood(self.bits, len(one.response.encode())) for one in examples]

    def logits_fingerprint(self) -> tuple[float, ...]:
        return (self.bits, 1.0)


def made(parrot: Parrot | None = None) -> Report:
    return run.run(parrot or Parrot(), items(), SETTINGS, ABOUT, clock=lambda: 0.0)


def test_a_run_scores_every_item() -> None:
    found = made(Parrot({"What is 3?": "It is 4."}))
    assert [item.id for item in found.items] == [item.id for item in items()]
    right = {item.id: item.free.scores.correct for item in found.items}
    assert right["q3-en"] is False
    assert right["q3-ja"] is True
    assert right["q0-ja"] is None, "a creative answer is not right or wrong"
    first = found.items[0]
    assert first.bits_per_byte == pytest.approx(8.0 / len("0です。".encode()))
    assert first.free.scores.tags_ok is True
    assert found.items_hash == run.items_hash(items())
    assert len(found.canaries) == 4


def test_progress_is_told_at_each_share_and_not_at_each_token() -> None:
    events: list[dict[str, object]] = []
    progress = worker.paced(lambda event: events.append(dict(event)), 1, 2)
    for done in range(1001):
        progress(done, 1000)
    assert [event["done"] for event in events] == list(range(100, 201))
    assert {event["total"] for event in events} == {200}


def test_other_facts_answers_are_scored_in_the_domains_that_may_claim_progress() -> None:
    everywhere, nowhere = (
        run.run(Parrot(), items(), SETTINGS, ABOUT, preferred=domains, clock=lambda: 0.0)
        for domains in ((), ("no such domain",))
    )
    assert any(one.distractor_bits is not None for one in everywhere.items)
    assert all(one.distractor_bits is None for one in nowhere.items)
    domains = {one.domain for one in items()}
    assert run.run(Parrot(), items(), SETTINGS, ABOUT, preferred=domains, clock=lambda: 0.0) == everywhere


def test_an_item_that_cannot_be_asked_is_an_error_and_no_zero() -> None:
    found = made(Parrot(longest=8))
    assert [name for name, _ in found.errors] == [item.id for item in items() if len(item.instruction) > 8]
    assert found.items == ()


def test_nothing_to_ask_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="question set is empty"):
        run.run(Parrot(), [], SETTINGS, ABOUT)


def test_an_answer_that_is_missing_is_an_error() -> None:
    class Mute(Parrot):
        def answers(
            self,
            questions: Sequence[Question],
            forced: Sequence[AnswerTags | None],
            max_new_tokens: int | None = None,
            on_progress: OnProgress = ignore_progress,
        ) -> list[Generated]:
            return super().answers(questions, forced)[1:]

    with pytest.raises(BenchmarkError, match="11 answers"):
        made(Mute())


def test_the_questions_hash_sees_every_change() -> None:
    before = run.items_hash(items())
    changed = items()
    changed[2] = replace(changed[2], reference="別の答え")
    assert run.items_hash(changed) != before
    assert run.items_hash(items()) == before


def test_a_report_survives_json() -> None:
    found = made(Parrot(bits=math.nan))
    again = report.from_json(json.loads(json.dumps(report.to_json(found), allow_nan=False)))
    assert math.isnan(again.items[0].bits_per_byte)
    assert math.isnan(again.logits[0])
    whole = made()
    assert report.from_json(json.loads(json.dumps(report.to_json(whole)))) == whole


def test_a_report_of_another_format_or_a_torn_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="format 99"):
        report.from_json({**report.to_json(made()), "format": 99})
    torn = tmp_path / "r.json"
    report.write(made(), torn)
    assert report.read(torn) == made()
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(BenchmarkError, match="not a complete report"):
        report.read(torn)


def test_the_summary_has_a_row_for_each_domain_and_language() -> None:
    rows = report.summary(made(Parrot({"What is 3?": "It is 4."})))
    assert [(row.domain, row.language, row.items) for row in rows] == [
        ("all", "en", 6), ("all", "ja", 6), ("general", "en", 6), ("general", "ja", 6),
    ]  # fmt: skip
    assert rows[0].accuracy == pytest.approx(4 / 5), "the creative item does not count"
    assert dict(rows[0].guards)["language"] == 1.0


@pytest.mark.parametrize(("language", "word"), [("en", "general knowledge"), ("ja", "一般知識")])
def test_the_table_fits_80_columns(language: str, word: str) -> None:
    table = report.render_table(made(), language)  # type: ignore[arg-type]
    console = Console(width=80)
    assert console.measure(table).minimum <= 80
    with console.capture() as caught:
        console.print(table)
    assert all(part in caught.get() for part in word.split())


def test_canaries_tell_a_changed_model() -> None:
    stored = made()
    assert run.reproduces(Parrot(), stored, items(), SETTINGS)
    assert not run.reproduces(Parrot(bits=9.0), stored, items(), SETTINGS)
    said = {item.instruction: "!" for item in items()}
    assert not run.reproduces(Parrot(said), stored, items(), SETTINGS)


BASE = Base("seedling", "seedling", "", "nf4", True, "float32", 512, 96, 128, 64)
QUESTION_SET = evaluation.QuestionSet("v2/selection", tuple(items()))


def desk(folder: Path, fingerprint: str = "libraries") -> worker.Session:
    subjects = (evaluation.EvaluatedModel("base"), evaluation.EvaluatedModel("a1", "/adapters/a1"))
    one = evaluation.EvaluationRun(
        BASE, "cpu", "tagged", subjects, (QUESTION_SET,), SETTINGS, str(folder), "2026-11-21T00:00:00+00:00"
    )
    assert evaluation.from_json(json.loads(json.dumps(evaluation.to_json(one)))) == one
    return worker.Session(one, "settings", fingerprint)


def written(at: worker.Session, parrot: Parrot, subject: int = 1) -> Report:
    who = at.evaluation_run.subjects[subject]
    path = at.path(who, QUESTION_SET)
    path.parent.mkdir(exist_ok=True)
    return worker.write_report(at, parrot, who, QUESTION_SET, path, lambda done, steps: None)


def test_a_stored_report_is_believed_after_its_canaries_alone(tmp_path: Path) -> None:
    first = written(desk(tmp_path), Parrot())
    again = Parrot()
    assert written(desk(tmp_path), again) == first
    assert again.asked == SETTINGS.canaries


def test_a_report_whose_canaries_changed_is_made_again(tmp_path: Path) -> None:
    written(desk(tmp_path), Parrot())
    changed = Parrot(bits=4.0)
    assert written(desk(tmp_path), changed).items[0].bits_per_byte < 1.0
    assert changed.asked > len(items())


def test_another_library_model_or_question_is_another_report(tmp_path: Path) -> None:
    at = desk(tmp_path)
    bare, adapter = at.evaluation_run.subjects
    fewer = replace(QUESTION_SET, items=QUESTION_SET.items[1:])
    paths = {
        at.path(bare, QUESTION_SET), at.path(adapter, QUESTION_SET), at.path(adapter, fewer),
        desk(tmp_path, "others").path(adapter, QUESTION_SET),
    }  # fmt: skip
    assert len(paths) == 4


def test_a_distractor_is_another_facts_answer_in_the_same_domain_and_language() -> None:
    asked = questions.load("selection")
    found = run.distractors(asked)
    by_reference: dict[str, set[str]] = {}
    for item in asked:
        by_reference.setdefault(item.reference, set()).add(item.cluster)
    for item, one in zip(asked, found, strict=True):
        assert one is not None
        assert one != item.reference
        assert by_reference[one] != {item.cluster}
        assert any(
            other.reference == one and (other.domain, other.language) == (item.domain, item.language) for other in asked
        )
    backward = run.distractors(asked[::-1])[::-1]
    assert backward == found, "whatever the order of the questions"
    assert run.distractors(asked[:1]) == [None]
