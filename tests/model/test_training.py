from __future__ import annotations

from bonsai.training.passport import read_passport
from bonsai.training.plan import Progress, TrainingPlan
from bonsai.training.qlora import train


def test_train(tiny_plan: TrainingPlan):
    seen: list[Progress] = []
    made = train(tiny_plan, seen.append)
    print(seen)
    passport = read_passport(made.path)
    print(passport)
