"""What every step of the pipeline is given: one home, opened, with the two slow things behind their protocols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bonsai.config.settings import Config
from bonsai.evaluate.evaluation import Evaluator
from bonsai.inference.client import InferenceClient
from bonsai.train.plan import Trainer
from storage.connect import Database
from storage.home import Home


@dataclass(frozen=True, slots=True)
class Bonsai:
    """One person's Bonsai. Made by `bonsai.bootstrap.open`; holds no connection and no model."""

    places: Home
    config: Config
    trainer: Trainer
    evaluator: Evaluator
    inference: InferenceClient
    find_profile: Callable[[], str]
    "Name of the training profile that this machine can carry; asks the GPU driver only when the settings say `auto`."

    @property
    def home(self) -> Path:
        """The home's folder."""
        return self.places.root

    @property
    def database(self) -> Database:
        """Opened and locked by each step for itself."""
        return self.places.database

    def kept(self) -> Bonsai:
        """The same for many reads in a row: DuckDB is started once (`storage.scale.shared_engine`)."""
        return replace(self, places=replace(self.places, database=self.database.kept()))
