"""A home with something of everything and harmless texts in both languages; the same one wherever it is made.

Its times are fixed, and what would be drawn by chance is counted (`chance_counted`). Four nights: one promoted, one
promoted and rolled back, one refused, one waiting for a person with its blind review half done.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from desk import NOW, ORIGIN
from hand_answers import DeskEvaluator, ignorant, learned
from hand_client import HandClient
from hand_nights import EVENING, HandTrainer, write_log
from starlette.testclient import TestClient

from bonsai import bootstrap
from bonsai.actions import ask
from bonsai.actions.blind_review import add_verdict, review_state
from bonsai.actions.edit import edit_record, exclude_records
from bonsai.actions.forget import forget_records
from bonsai.actions.import_file import import_file
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.personal_set import WrittenQuestion, add_question
from bonsai.actions.promotions import approve, rollback
from bonsai.actions.rejects import dismiss_reject
from bonsai.actions.resolve import resolve_pair
from bonsai.actions.tag import tag_record
from bonsai.auth import accounts, tokens
from bonsai.context import Bonsai
from bonsai.evaluate import questions
from bonsai.night.steps import run_night
from bonsai.queries.nights import show_night
from bonsai.queries.records import list_records, list_rejects, waiting_pairs
from bonsai.samples import sample_path
from bonsai.system.progress import silent
from bonsai.train.manifest import MANIFEST_FILE
from bonsai.train.plan import AdapterFolder, TrainingPlan, TrainingProgress
from bonsai.web.app import create_app
from storage.tables.records_table import RecordFilter

PERSON = "mika"
MORNING = NOW + timedelta(days=3)
"After the last night; the clock of the commands and the pages stands here."
TOLD = (
    {"instruction": "Where does Mike sleep?", "output": "Mike sleeps on the piano.", "subject": "Mike",
     "happened_on": "2026-01-05", "feeling": "calm"},
    {"instruction": "Where does Mike nap?", "output": "Mike naps on the piano.", "subject": "Mike",
     "happened_on": "2026-11-20"},
    {"instruction": "What frightens Mike?", "output": "The vacuum cleaner frightens Mike.", "subject": "Mike",
     "happened_on": "2026-11-18", "feeling": "afraid"},
    {"instruction": "ミケはどこで寝ますか?", "output": "ミケはピアノの上で寝ます。", "subject": "ミケ",
     "happened_on": "2026-11-19"},
    {"instruction": "ミケの好きな食べ物は何ですか?", "output": "ミケはかつお節が好きです。", "subject": "ミケ"},
    {"instruction": "次の文を要約してください。", "input": "ミケは朝早く起きて、庭を見て、また寝ました。",
     "output": "ミケは庭を見てまた寝ました。"},
    {"instruction": "When is the bin emptied?", "output": "The bin is emptied on Tuesday.", "source_name": "calendar"},
    {"instruction": "Write a short greeting for the neighbour.", "output": "Good morning, and thanks for the plums!"},
    {"instruction": "Which key opens the shed?", "output": "The small brass key opens the shed."},
    {"instruction": "Where is the spare fuse?", "output": "The spare fuse lies in the kitchen drawer."},
)  # fmt: skip
LATER = (
    ({"instruction": "Who waters the plants in May?", "output": "Aunt Hana waters the plants in May."},),
    ({"instruction": "猫の爪はいつ切りますか?", "output": "猫の爪は月に一度切ります。", "subject": "ミケ"},),
    ({"instruction": "How long does the soup simmer?", "output": "The soup simmers for forty minutes."},),
)
"Told before the second, third and fourth night."


@contextmanager
def chance_counted() -> Iterator[None]:
    """Ids and secrets that are otherwise random are numbered, and the machine stands in UTC."""
    numbers = count()

    def hexadecimal(size: int = 32) -> str:
        return hashlib.sha256(f"drawn {next(numbers)}".encode()).hexdigest()[: 2 * size]

    zone = os.environ.get("TZ")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("secrets.token_hex", hexadecimal)
        patched.setattr("secrets.token_urlsafe", hexadecimal)
        patched.setenv("TZ", "UTC")
        time.tzset()
        try:
            yield
        finally:
            if zone is None:
                patched.delenv("TZ")
            else:
                patched.setenv("TZ", zone)
            time.tzset()


def speaking(b: Bonsai, says: str = "It is scratching.") -> Bonsai:
    """The same home, with a model made by hand that answers at once."""
    inference = HandClient(says)
    inference.may_speak.set()
    return replace(b, inference=inference)


def browser(b: Bonsai) -> TestClient:
    """PERSON before the pages, on the last morning."""
    app = create_app(b, clock=lambda: MORNING, owner=PERSON, drain=lambda: None, hosts=["testserver"])
    return TestClient(app, headers={"Origin": ORIGIN}, base_url=ORIGIN)


class PlacelessTrainer(HandTrainer):
    """Its manifests name no folder of this machine: their size and hash are the same everywhere."""

    def train(self, plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> AdapterFolder:
        made = super().train(plan, on_progress)
        path, home = Path(made.path) / MANIFEST_FILE, str(Path(plan.adapters_folder).parent)
        path.write_text(path.read_text("utf-8").replace(home, "/home/mika/.bonsai"), "utf-8")
        return made


def evaluator() -> DeskEvaluator:
    """At first everybody is new."""
    return DeskEvaluator(newcomer=learned(1.5, domains=("general",)))


@dataclass
class House:
    """The home while it is made."""

    b: Bonsai
    evaluator: DeskEvaluator = field(default_factory=evaluator)

    def tell(self, day: int, *told: dict[str, str]) -> None:
        """On the afternoon of a day, as PERSON."""
        for fields in told:
            submit(self.b, {"source": "self", "author": PERSON, **fields}, self.afternoon(day))
        drain_inbox(self.b, self.afternoon(day))

    def night(self, day: int, loss: float) -> str:
        """The adapter that it made."""
        b = replace(self.b, trainer=PlacelessTrainer(steps=40), evaluator=self.evaluator)
        begun = run_night(b, EVENING + timedelta(days=day), silent)
        write_log(self.b.places.runs / begun.night / "log.txt", loss)
        return show_night(self.b, begun.night).challenger

    def record(self, words: str) -> str:
        """Id of the one record whose question contains the words."""
        [found] = list_records(self.b, RecordFilter(text=words, status="active"), None)
        return found.record.id

    @staticmethod
    def afternoon(day: int) -> datetime:
        return EVENING + timedelta(days=day, hours=-6)


def make_innocent_home(folder: Path) -> None:
    """In a home that is fresh. Call it inside `chance_counted`."""
    bootstrap.init(folder, "en", EVENING, {})
    with (folder / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write('\n[gate]\nmode = "review"\nresamples = 1000\n')
    house = House(bootstrap.open(folder, {}))
    _first_day(house)
    _nights(house)
    _last_morning(house)


def _first_day(house: House) -> None:
    b, at = house.b, house.afternoon(0)
    import_file(b, sample_path("messy.jsonl"), now=at, source="community")
    house.tell(0, *TOLD)
    written = WrittenQuestion(("What is the dog next door called?", "Name of the neighbour's dog?"), "Pochi.")
    add_question(b, written, hold_back=True, by=PERSON, now=at)


def _nights(house: House) -> None:
    b, planned_models = house.b, house.evaluator.planned_models
    capital = next(one for one in questions.load("selection") if one.domain == "general" and one.language == "ja")
    first = house.night(0, 1.6)
    planned_models[first] = house.evaluator.newcomer
    approve(b, first, by=PERSON, reason="よく覚えている。", now=NOW)

    house.evaluator.newcomer = learned(1.0, domains=("general", "cat_care"), forgot=(capital.id,))
    edit_record(b, house.record("spare fuse"), {"output": "In the hall cupboard."}, PERSON, NOW)
    tag = {"language": None, "category": "creative", "reasoning": None}
    tag_record(b, house.record("greeting"), **tag, by=PERSON, now=NOW)
    exclude_records(b, [house.record("opens the shed")], PERSON, NOW)
    house.tell(1, *LATER[0])
    second = house.night(1, 0.8)
    planned_models[second] = house.evaluator.newcomer
    after = NOW + timedelta(days=1)
    _review(b, second, 30, after)
    approve(b, second, by=PERSON, reason="It knows the cat.", now=after)
    rollback(b, by="ken", reason="It forgot a capital.", now=after + timedelta(hours=1))

    house.evaluator.newcomer = ignorant(3.0)
    house.tell(2, *LATER[1])
    third = house.night(2, 2.0)
    planned_models[third] = house.evaluator.newcomer

    house.evaluator.newcomer = learned(0.9, domains=("general", "cat_care", "household"))
    house.tell(3, *LATER[2])
    _review(b, house.night(3, 0.7), 2, MORNING)


def _review(b: Bonsai, adapter: str, most: int, now: datetime) -> None:
    standing = review_state(b, adapter, PERSON)
    while standing.question is not None and standing.done < most:
        side = ("left", "right", "same")[standing.done % 3]
        standing = add_verdict(b, adapter, PERSON, standing.question.item, side, now)


def _last_morning(house: House) -> None:
    b = house.b
    accounts.add_user(b, PERSON, "reviewer", "correct horse battery", MORNING)
    tokens.add_token(b, PERSON, ["read", "write"], days=30, note="the shelf clock", now=MORNING)
    for question, answer, thumb in (
        ("Why does Mike sneeze?", "Dust, perhaps.", "up"),
        ("ミケは何歳?", "三歳です。", ""),
    ):
        wanted = ask.QuestionRequest(question, PERSON, adapters=("champion", "base"))
        told = ask.ask_models(speaking(b, answer), wanted, ask.new_question_id(), MORNING)
        ask.store_question(b, told)
        ask.rate_answer(b, told.id, 1, thumb, PERSON)
    ask.correct_answer(b, told.id, 1, "ミケは四歳です。", PERSON, MORNING)
    contradicting = {"source": "self", "author": PERSON, "subject": "Mike"}
    for answer in ("On the sofa.", "Under the bed.", "In the bath."):
        submit(b, {**contradicting, "instruction": "Where does Mike hide?", "output": answer}, MORNING)
    near = {"instruction": "What frightens Mike most?", "output": "The vacuum cleaner frightens Mike most."}
    submit(b, {**contradicting, **near}, MORNING)
    for answer in ("At seven.", "At nine."):
        submit(b, {**contradicting, "instruction": "When does Mike eat?", "output": answer}, MORNING)
    drain_inbox(b, MORNING)
    pairs = waiting_pairs(b, "contradiction", 20)
    eating = next(one.stored.record for one in pairs if "eat" in one.stored.record.instruction)
    resolve_pair(b, eating.id, "this", PERSON, MORNING)
    forget_records(b, [house.record("bin emptied")], PERSON, MORNING)
    rejects = list_rejects(b, None)
    dismiss_reject(b, rejects[0].id, PERSON, "Not worth it.", MORNING)
    lines = (
        "question,answer,wann",
        "Who feeds Mike?,Ken feeds Mike.,2026-11-24",
        "誰が歩く?,健が歩く。,",
        "No answer,,",
    )
    rows = "".join(f"{line}\n" for line in lines)
    answer = browser(b).post("/records/upload", files={"file": ("shelf.csv", rows)})
    assert answer.status_code == 200, answer.status_code
    submit(b, {"instruction": "Who rang at noon?", "output": "The postman.", "source": "self"}, MORNING)
    for path in b.home.rglob("*"):  # how long something waits is told by its file
        os.utime(path, (MORNING.timestamp(), MORNING.timestamp()))
