"""A model made by hand: says the tags that it was given, and remembers what it was asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from bonsai.errors import BonsaiError, InputError
from bonsai.inference.client import Completion, InferenceRequest
from bonsai.model.prompt import AnswerTags

OWN = AnswerTags("The question is in English; answer in English.", "open_qa", "en")


@dataclass
class HandClient:
    """Waits until `may_speak` is set."""

    says: str = "It is scratching."
    problem: BonsaiError | None = None
    room: int | None = None
    "Characters of a passage that it has room for."
    asked: list[InferenceRequest] = field(default_factory=list)
    may_speak: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        self.may_speak.set()

    def complete(self, asking: InferenceRequest) -> tuple[Completion, ...]:
        self.asked.append(asking)
        assert self.may_speak.wait(20)
        if self.problem:
            raise self.problem
        longest = max(len(one.context) for one in asking.questions)
        if self.room is not None and longest > self.room:
            raise InputError("model.question_too_long", tokens=longest, limit=self.room)
        who = asking.model.adapter or "base"
        return tuple(Completion(f"{self.says} ({who})", tags or OWN, True) for tags in asking.forced)
