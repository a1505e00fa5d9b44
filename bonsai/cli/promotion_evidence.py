"""How the rest of a promotion's evidence looks in the terminal: answers, data, loss, blind reviews."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bonsai.cli.records_shown import on_one_line, short
from bonsai.texts import TextLanguage, text

if TYPE_CHECKING:
    from bonsai.cli.shell import Shell
    from bonsai.pipeline import Beside, Compared, Review
    from bonsai.pipeline.verdicts.data_changes import Changed
    from bonsai.review import Tally

MOST_POINTS = 60
"Of a loss curve in JSON; single steps are noise, and the log has them."


def tell_evidence(shell: Shell, found: Beside) -> None:
    """Under the explanation of `promotions show`: a line each."""
    shell.show("")
    adapter = found.promotion.adapter
    shell.show(shell.text("review.data_line", adapter=short(adapter), **found.data_changes))
    for one in found.learned:
        shell.show(f"{shell.text('review.loss_title')}: {one.words(one.adapter == adapter, shell.language)}")
    for review in found.reviews:
        shell.show(f"{shell.text('review.evidence')}: {review_words(review, shell.language)}")


def review_words(one: Review, language: TextLanguage) -> str:
    """A person's review, or how far it is."""
    from bonsai.review import words

    unfinished = text("review.unfinished", language, done=one.done, asked=one.asked)
    result = " ".join(words(one.tally, language)) if one.tally else unfinished
    return text("review.by_person", language, person=one.person, result=result)


def evidence_object(found: Beside) -> dict[str, object]:
    """The same as JSON."""
    from bonsai.training.curve import thinned

    return {
        "data_changes": found.data_changes,
        "losses": [
            {
                "adapter": one.adapter,
                "steps": one.curve.losses[-1].step,
                "validation_loss": one.validation_loss,
                "points": thinned(one.curve.losses, MOST_POINTS),
            }
            for one in found.learned
        ],
        "reviews": [review_object(one) for one in found.reviews],
    }


def review_object(one: Review) -> dict[str, object]:
    """The JSON shape of a person's review."""
    told = tally_object(one.tally) if one.tally else None
    return {"person": one.person, "done": one.done, "asked": one.asked, "last_at": one.last_at, "result": told}


def tally_object(found: Tally) -> dict[str, object]:
    """The JSON shape of a result; shares from 0 to 1."""
    low, high = found.interval
    counts = {"challenger": found.challenger, "champion": found.champion, "same": found.same}
    return counts | {"share": found.share, "low": low, "high": high, "finding": found.finding}


def answer_rows(answers: Sequence[Compared], language: TextLanguage) -> Iterator[tuple[str, ...]]:
    """One line an answer."""
    from bonsai.benchmark.report import domain_name

    for one in answers:
        said = (on_one_line(words) or "-" for words in (one.question, one.before, one.after))
        topic = f"{domain_name(one.domain, language)}, {one.language}"
        yield text(f"review.turn_{one.turn}", language), topic, *said


def answer_object(one: Compared) -> dict[str, object]:
    """The JSON shape of an answer."""
    names = ("sheet", "item", "domain", "language", "question", "reference", "before", "after", "was_right", "is_right")
    return {name: getattr(one, name) for name in names} | {"turn": one.turn}


def change_rows(found: Sequence[Changed], language: TextLanguage) -> Iterator[tuple[str, ...]]:
    """One line a record that changed."""
    for one in found:
        tags, record = one.stored.tags, one.stored.record
        kind = text(f"review.kind_{one.kind}", language)
        named = (short(record.id), tags.language.value, tags.category.value, one.stored.status.value)
        yield kind, *named, on_one_line(record.instruction)


def change_object(one: Changed) -> dict[str, object]:
    """The JSON shape of a record that changed."""
    from bonsai.cli.records_shown import record_object

    return {"kind": one.kind, "earlier": one.earlier, **record_object(one.stored)}
