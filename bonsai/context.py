"""Context of actions, queries and nights: one opened home, with its slow parts behind protocols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bonsai.config.settings import Config
from bonsai.evaluate.evaluation import Evaluator
from bonsai.evaluate.replay_maker import ReplayMaker
from bonsai.inference.client import InferenceClient
from bonsai.train.plan import Trainer
from storage.connect import Database
from storage.home import Home


@dataclass(frozen=True, slots=True)
class Bonsai:
    """One opened home. Made by `bonsai.bootstrap.open`; holds no connection and no model."""

    places: Home
    config: Config
    trainer: Trainer
    evaluator: Evaluator
    replay_maker: ReplayMaker
    inference: InferenceClient
    find_profile: Callable[[], str]
    "Name of the training profile for this machine; asks the GPU driver only if the setting is `auto`."

    @property
    def home(self) -> Path:
        """The home's folder."""
        return self.places.root

    @property
    def database(self) -> Database:
        """Each step opens and locks it itself."""
        return self.places.database

    def kept(self) -> Bonsai:
        """The same home for many reads in a row: DuckDB starts once (`storage.scale.shared_engine`)."""
        return replace(self, places=replace(self.places, database=self.database.kept()))
