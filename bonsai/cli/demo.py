"""`bonsai demo`: the whole loop with the embedded database and the seedling; fails if an expected outcome does not
occur.

Four nights, run by the same steps as the flow `nightly`, dated to the evenings of the four days before today. Each
takes its real time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.records import short
from bonsai.cli.shell import Shell, one_of, shell_of
from bonsai.errors import TerminalError

if TYPE_CHECKING:
    from bonsai.context import Bonsai
    from bonsai.evaluate.questions import Item
    from bonsai.queries.nights import NightReport


app = noun()

ASKED = (
    "food_grapes/en-en",
    "sign_lily/ja-ja",
    "on_mike_sneezing/en-en",
    "many_whiskers/ja-ja",
    "highest_mountain:Japan/ja-ja",
)
"Items of the selection pool, which may be shown: four that only the samples teach, one that the base knows."
NIGHTS, EVENING = 4, timedelta(hours=22)
BEFORE = timedelta(hours=2)
"Records are added this long before their night."
BATCHES = ("experience.jsonl", "messy.jsonl", "messy.csv")
CAT_CARE_BEFORE, CAT_CARE_AFTER = 0.15, 0.50
"Share of right answers on unseen paraphrases about cat care: below and above these, in each language."


@verb(app, "cli.demo")
def demo(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option("--home", help="demo.opt_home", show_default=False)] = None,
    base: Annotated[str, typer.Option("--base", help="demo.opt_base")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="demo.opt_yes")] = False,
) -> None:
    """An empty home, four nights, a promotion, a rejection, a rollback."""
    from bonsai import bootstrap
    from bonsai.cli import demo_real

    shell = shell_of(ctx)
    real = one_of(base, ("", demo_real.BASE), "--base")
    folder = home or Path(tempfile.mkdtemp(prefix="bonsai-demo-")) / "home"
    if real:
        demo_real.tell(shell, folder, yes)
        return
    today = shell.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    bootstrap.init(folder, shell.language, evening(today, 1) - BEFORE, shell.environ)
    _Story(shell, bootstrap.open(folder, shell.environ), today).tell()


def evening(today: datetime, night: int) -> datetime:
    """Start of the night with this number; the last one was yesterday."""
    return (today - timedelta(days=NIGHTS + 1 - night) + EVENING).astimezone(UTC)


def _is_right(item: Item, answer: str) -> bool:
    from bonsai.evaluate.scoring import is_right_answer

    return is_right_answer(answer, item)


@dataclass(frozen=True, slots=True)
class _Story:
    """One run of the demo."""

    shell: Shell
    b: Bonsai
    today: datetime
    "Start of today, in local time."

    def tell(self) -> None:
        """All chapters, in order. Raises TerminalError if an expectation fails."""
        self.chapter(1, home=self.b.home)
        self.records()
        items = self.questions()
        self.chapter(3)
        before = self.answers(items)
        self.first_night()
        self.chapter(5)
        self.learned(before, self.answers(items))
        self.quiet_night()
        self.poisoned_night()
        self.household_night()
        self.back_and_forth()
        self.chapter(10, home=self.b.home)

    def chapter(self, number: int, **values: object) -> None:
        """A heading and its introduction."""
        self.shell.line("")
        self.shell.line(f"{number}. {self.shell.text(f'demo.title_{number}')}")
        self.shell.line(self.shell.text(f"demo.chapter_{number}", **values))

    def records(self) -> None:
        """Import the samples and the messy files."""
        from bonsai import samples
        from bonsai.actions.import_file import import_file
        from bonsai.queries.records import list_rejects

        self.chapter(2)
        imported_at = evening(self.today, 1) - BEFORE
        counted = [
            (name, import_file(self.b, samples.sample_path(name), now=imported_at, source="community"))
            for name in BATCHES
        ]
        rows = ((name, c.read, c.new, c.duplicate, c.held_back, c.rejected) for name, c in counted)
        headings = ("file", "read", "new", "duplicate", "held_back", "rejected")
        self.shell.table(headings, rows, right=(1, 2, 3, 4, 5))
        for name, c in counted:
            self.expect(c.read == c.new + c.duplicate + c.held_back + c.rejected, "counts", file=name)
        rejects = [stored.reject for stored in list_rejects(self.b, 3)]
        self.shell.bullets(
            [f"{one.file}:{one.line}  {self.shell.text(one.reason_key, **dict(one.values))}" for one in rejects]
        )

    def questions(self) -> tuple[Item, ...]:
        """Questions asked before and after a night."""
        from bonsai.evaluate import questions

        known = {item.id: item for item in questions.load("selection")}
        return tuple(known[f"{questions.CURRENT_VERSION}/{name}"] for name in ASKED)

    def answers(self, items: Iterable[Item]) -> tuple[bool, ...]:
        """Ask the champion, show its answers, return which are right."""
        from bonsai.actions.ask import ask_all
        from bonsai.model.prompt import Question

        asked = tuple(items)
        given = ask_all(self.b, [Question(item.instruction, item.input) for item in asked])
        right = tuple(_is_right(item, answer.answer) for item, answer in zip(asked, given, strict=True))
        for item, answer, ok in zip(asked, given, right, strict=True):
            self.shell.line(f"  {item.instruction}")
            self.shell.line(f"    {'✓' if ok else '✗'} {answer.answer or '-'}")
        return right

    def night(self, number: int) -> NightReport:
        """Run one night on its evening and advance the clock."""
        from bonsai.night.steps import run_night
        from bonsai.queries.nights import show_night

        begins = evening(self.today, number)
        ahead = begins - self.shell.now()
        with progress.shown(self.shell) as report:
            begun = run_night(self.b, begins, report, clock=lambda: self.shell.now() + ahead)
        return show_night(self.b, begun.night)

    def show_verdict(self, found: NightReport) -> NightReport:
        """Verdict, reasons, and figures before and after."""
        self.shell.line(self.shell.text("demo.verdict", verdict=self.shell.text(f"demo.verdict_{found.verdict}")))
        self.shell.bullets(found.reasons_in(self.shell.language))
        self.figures(found.accuracy)
        return found

    def figures(self, accuracy: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> None:
        """Right answers by domain and language."""
        from bonsai.evaluate.report import domain_name, percent

        rows = (
            (domain_name(domain, self.shell.language), language, percent(share["before"]), percent(share["after"]))
            for domain, languages in accuracy.items()
            for language, share in languages.items()
        )
        self.shell.table(("domain", "language", "before", "after"), rows, right=(2, 3))

    def first_night(self) -> None:
        """Night 1 learns the samples and is promoted."""
        self.chapter(4)
        found = self.show_verdict(self.night(1))
        self.expect(found.verdict == "promote", "not_promoted", night=1, verdict=found.verdict)
        for language, share in found.accuracy["cat_care"].items():
            before, after = share["before"] or 0.0, share["after"] or 0.0
            reached = before < CAT_CARE_BEFORE and after >= CAT_CARE_AFTER
            self.expect(reached, "not_learned", language=language, before=f"{before:.0%}", after=f"{after:.0%}")

    def learned(self, before: tuple[bool, ...], after: tuple[bool, ...]) -> None:
        """Requires at least one right answer that the base did not give."""
        new = sum(now and not then for then, now in zip(before, after, strict=True))
        self.expect(new > 0, "no_new_answer")
        self.shell.line(self.shell.text("demo.new_answers", new=new))

    def quiet_night(self) -> None:
        """Night 2 finds no new records."""
        self.chapter(6)
        found = self.night(2)
        self.expect(found.status == "nothing_to_do", "not_quiet", status=found.status)
        self.shell.line(self.shell.text("demo.quiet"))

    def poisoned_night(self) -> None:
        """Night 3 trains on poisoned records; the gate keeps the champion and marks the batch suspect."""
        from bonsai.queries import promotions
        from bonsai.queries.records import list_records
        from storage.tables.records_table import RecordFilter

        self.chapter(7)
        champion = promotions.champion(self.b)
        self.import_batch("poison.jsonl", night=3)
        found = self.show_verdict(self.night(3))
        kept = found.verdict == "keep" and promotions.champion(self.b) == champion
        self.expect(kept, "poison_promoted", verdict=found.verdict)
        suspects = len(list_records(self.b, RecordFilter(status="suspect"), None))
        self.expect(suspects > 0, "no_suspects")
        self.shell.line(self.shell.text("demo.suspects", count=suspects, champion=short(champion)))

    def household_night(self) -> None:
        """Night 4 learns facts that the benchmark does not cover, and is promoted on the personal set."""
        from bonsai.actions.ask import ask_all
        from bonsai.model.prompt import Question

        self.chapter(8)
        self.import_batch("household.jsonl", night=4)
        found = self.show_verdict(self.night(4))
        self.expect(found.verdict == "promote", "not_promoted", night=4, verdict=found.verdict)
        self.figures(found.suite)
        asked = [self.shell.text(f"demo.household_{number}") for number in (1, 2)]
        for question, answer in zip(asked, ask_all(self.b, [Question(one) for one in asked]), strict=True):
            self.shell.line(f"  {question}\n    {answer.answer}")

    def import_batch(self, name: str, night: int) -> None:
        """A bundled batch, imported before a night."""
        from bonsai import samples
        from bonsai.actions.import_file import import_file

        imported_at = evening(self.today, night) - BEFORE
        counts = import_file(self.b, samples.sample_path(name), now=imported_at, source="self")
        self.shell.line(self.shell.text("demo.imported", file=name, new=counts.new, read=counts.read))

    def back_and_forth(self) -> None:
        """A rollback, and the same adapter promoted again."""
        from bonsai.actions.maintenance import check
        from bonsai.actions.promotions import approve, rollback
        from bonsai.queries import promotions

        self.chapter(9)
        newest = promotions.champion(self.b)
        acting = {"by": "demo", "now": self.shell.now()}
        rollback(self.b, reason=self.shell.text("demo.why_back"), **acting)  # type: ignore[arg-type]
        former = promotions.champion(self.b)
        approve(self.b, newest, reason=self.shell.text("demo.why_forth"), **acting)  # type: ignore[arg-type]
        again = promotions.champion(self.b)
        self.expect(former != newest and again == newest, "no_rollback")
        self.shell.line(self.shell.text("demo.moved", newest=short(newest), former=short(former)))
        broken = [one.name for one in check(self.b) if not one.ok]
        self.expect(not broken, "home_broken", what=", ".join(broken))
        self.shell.line(self.shell.text("demo.chain_holds"))

    def expect(self, holds: bool, failure: str, **values: object) -> None:
        """End the demo with an error if an expectation fails."""
        if not holds:
            raise TerminalError(f"demo.failed_{failure}", home=self.b.home, **values)
