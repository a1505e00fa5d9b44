"""A real home with a judged night, told records and a reject; every text in it is full of script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from desk import EVIL, NOW, TEXT_FIELDS, Desk
from hand_nights import EVENING, open_stage
from hand_speaker import HandSpeaker

from bonsai import curating, pipeline, views, wiring
from bonsai.pipeline.asking import asked
from bonsai.progress import silent


def make_evil_home(folder: Path) -> None:
    """Its gate waits for a person, and one adapter does."""
    stage = open_stage(folder)
    with (folder / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write('\n[gate]\nmode = "review"\n')
    b = replace(wiring.open(folder, {}), trainer=stage.trainer, examiner=stage.examiner)
    for number in range(3):
        fields = {name: f"{EVIL} {name} {number}" for name in TEXT_FIELDS}
        pipeline.submit(b, {**fields, "happened_on": "2026-11-20", "source": "self"}, EVENING)
    pipeline.submit(b, {"instruction": EVIL, "output": "", "language": EVIL}, EVENING)
    pipeline.submit(
        b, {"instruction": "なぜタマは鳴くの?", "output": "おなかがすいたからです。", "subject": "タマ"}, EVENING
    )
    pipeline.drain_inbox(b, EVENING)
    begun = pipeline.run_night(b, EVENING, silent)
    assert begun.status == "started"


def use_evilly(desk: Desk) -> None:
    """A history: approved with an evil reason by an evil person, asked and answered in script, edited, uploaded."""
    promotion = views.list_promotions(desk.b)[0]
    pipeline.approve(desk.b, promotion.adapter, by=EVIL, reason=EVIL, now=promotion.created_at)
    record = views.list_records(desk.b, views.RecordFilter(subject="タマ"), None)[0].record
    wanted = asked.Wanted(EVIL, EVIL, EVIL, language="ja")
    speaking = HandSpeaker(EVIL)
    speaking.may_speak.set()
    told = asked.ask_beside(replace(desk.b, speaker=speaking), wanted, asked.new_id(), NOW)
    asked.keep(desk.b, told)
    asked.rate_answer(desk.b, told.id, 1, "down", EVIL)
    pipeline.edit_record(desk.b, record.id, {"output": EVIL}, EVIL, promotion.created_at)
    beside = {"instruction": f"Is it {EVIL}?", "source": "self", "author": EVIL}
    for answer in ("Yes.", "No."):
        pipeline.submit(desk.b, {**beside, "output": answer}, NOW)
    desk.drain()
    [pair] = curating.waiting_pairs(desk.b, "contradiction", 1)
    pipeline.resolve_pair(desk.b, pair.stored.record.id, "this", EVIL, NOW)
    rows = f"question,answer,{EVIL}\n{EVIL},{EVIL},a\n{EVIL}\n".replace('"', "''")
    (desk.b.places.runs / views.list_nights(desk.b, 1)[0].night / "log.txt").write_text(EVIL)
    desk.client().post("/records/upload", files={"file": (f"{EVIL}.csv", rows)})
