"""A home after two nights whose reports are really there: what the second one learned, edited, retagged and lost.

The first champion knows general things; the challenger of the second night learns cat care, forgets one capital,
answers two creative questions in other words, and waits for a person. One answer is full of script.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from desk import EVIL
from hand_answers import DeskEvaluator, learned
from hand_nights import EVENING, Stage, open_stage, write_log

from bonsai import bootstrap
from bonsai.actions.edit import edit_record, exclude_records
from bonsai.actions.promotions import approve
from bonsai.actions.tag import tag_record
from bonsai.evaluate import questions
from bonsai.queries.records import list_records
from storage.tables.records_table import RecordFilter

CAPITAL = next(one for one in questions.load("selection") if one.domain == "general" and one.language == "ja")
GRAPES = next(one for one in questions.load("selection") if one.id == "v2/food_grapes/en-en")
CREATIVE = tuple(one.id for one in questions.load("selection") if one.category == "creative")[:2]


def record(stage: Stage, words: str) -> str:
    """Id of the one record whose question contains the words."""
    [found] = list_records(stage.b, RecordFilter(text=words, status="active"), None)
    return found.record.id


def two_mornings(folder: Path) -> Path:
    """Two nights in the home of this folder, made if it is not there; its gate waits for a person."""
    made = open_stage(folder)
    with (folder / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write('\n[gate]\nmode = "review"\n')
    evaluator = DeskEvaluator(newcomer=learned(1.5, domains=("general",)))
    stage = replace(made, b=replace(bootstrap.open(folder, {}), trainer=made.trainer, evaluator=evaluator))
    stage.tell(5)
    first = stage.night()
    approve(stage.b, first.challenger, by="mika", reason="", now=EVENING)
    evaluator.planned_models[first.challenger] = learned(1.5, domains=("general",))
    evaluator.newcomer = learned(1.0, domains=("general", "cat_care"), forgot=(CAPITAL.id,))
    edit_record(stage.b, record(stage, "at 1 o'clock"), {"output": "Mike sits on the roof."}, "mika", EVENING)
    tag = {"language": None, "category": "creative", "reasoning": None}
    tag_record(stage.b, record(stage, "at 2 o'clock"), **tag, by="mika", now=EVENING)
    exclude_records(stage.b, [record(stage, "at 3 o'clock")], "mika", EVENING)
    stage.tell(2, subject="Tama")
    second = stage.night(day=1)
    say(stage, second.challenger, {CAPITAL.id: EVIL, **dict.fromkeys(CREATIVE, "Something else altogether.")})
    for night, first_loss in ((first.night, 1.6), (second.night, 0.8)):
        write_log(stage.b.places.runs / night / "log.txt", first_loss)
    return folder


def say(stage: Stage, adapter: str, answers: dict[str, str]) -> None:
    """Put other words into an adapter's mouth."""
    [path] = stage.b.places.reports.glob(f"{adapter}-v2-selection-*.json")
    report = json.loads(path.read_text("utf-8"))
    for item in report["items"]:
        item["free"]["response"] = answers.get(item["id"], item["free"]["response"])
    path.write_text(json.dumps(report), "utf-8")
