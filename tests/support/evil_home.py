"""A real home with a judged night, told records and a reject; every text in it is full of script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from desk import EVIL, NOW, TEXT_FIELDS, Desk
from hand_client import HandClient
from hand_nights import EVENING, open_stage

from bonsai import bootstrap
from bonsai.actions import ask
from bonsai.actions.edit import edit_record
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.promotions import approve
from bonsai.actions.resolve import resolve_pair
from bonsai.night.steps import run_night
from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import list_records, waiting_pairs
from bonsai.system.progress import silent
from storage.tables.records_table import RecordFilter


def make_evil_home(folder: Path) -> None:
    """Its gate waits for a person, and one adapter does."""
    stage = open_stage(folder)
    with (folder / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write('\n[gate]\nmode = "review"\n')
    b = replace(bootstrap.open(folder, {}), trainer=stage.trainer, evaluator=stage.evaluator)
    for number in range(3):
        fields = {name: f"{EVIL} {name} {number}" for name in TEXT_FIELDS}
        submit(b, {**fields, "happened_on": "2026-11-20", "source": "self"}, EVENING)
    submit(b, {"instruction": EVIL, "output": "", "language": EVIL}, EVENING)
    submit(b, {"instruction": "なぜタマは鳴くの?", "output": "おなかがすいたからです。", "subject": "タマ"}, EVENING)
    drain_inbox(b, EVENING)
    begun = run_night(b, EVENING, silent)
    assert begun.status == "started"


def use_evilly(desk: Desk) -> None:
    """A history: approved with an evil reason by an evil person, asked and answered in script, edited, uploaded."""
    promotion = list_promotions(desk.b)[0]
    approve(desk.b, promotion.adapter, by=EVIL, reason=EVIL, now=promotion.created_at)
    record = list_records(desk.b, RecordFilter(subject="タマ"), None)[0].record
    wanted = ask.QuestionRequest(EVIL, EVIL, EVIL, language="ja")
    speaking = HandClient(EVIL)
    speaking.may_speak.set()
    told = ask.ask_models(replace(desk.b, inference=speaking), wanted, ask.new_question_id(), NOW)
    ask.store_question(desk.b, told)
    ask.rate_answer(desk.b, told.id, 1, "down", EVIL)
    edit_record(desk.b, record.id, {"output": EVIL}, EVIL, promotion.created_at)
    beside = {"instruction": f"Is it {EVIL}?", "source": "self", "author": EVIL}
    for answer in ("Yes.", "No."):
        submit(desk.b, {**beside, "output": answer}, NOW)
    desk.drain()
    [pair] = waiting_pairs(desk.b, "contradiction", 1)
    resolve_pair(desk.b, pair.stored.record.id, "this", EVIL, NOW)
    rows = f"question,answer,{EVIL}\n{EVIL},{EVIL},a\n{EVIL}\n".replace('"', "''")
    (desk.b.places.runs / list_nights(desk.b, 1)[0].night / "log.txt").write_text(EVIL)
    desk.client().post("/records/upload", files={"file": (f"{EVIL}.csv", rows)})
