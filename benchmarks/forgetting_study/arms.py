"""The recipes that are compared: each changes one thing of the one that ships. Pure.

Every arm trains the bundled samples on the seedling as a night does, replays no fact that the benchmark asks, and is
repeated with other seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonsai.train.seedling_facts import OWN_SHARE

SHIPPED = "shipped"
BASE = "base"
SEEDS = (11, 12, 13)


@dataclass(frozen=True, slots=True)
class Arm:
    """One recipe, as it differs from the shipped one."""

    about: str
    kl_to_base: float | None = None
    own_share: float = OWN_SHARE
    "Of own answers to invented questions among the replay samples."
    anchor_share: float | None = None
    "Of replay samples in each pass."


ARMS: Mapping[str, Arm] = {
    SHIPPED: Arm("as it ships"),
    "labels": Arm(
        "replay rows are taught like own ones, facts alone, as in version 0.1.0", kl_to_base=0.0, own_share=0.0
    ),
    "facts": Arm("held to the base on facts alone, without invented questions", own_share=0.0),
    "more": Arm("three replay samples for each own row instead of two", anchor_share=0.75),
    "labels-own": Arm("replay rows are taught like own ones, invented questions among them", kl_to_base=0.0),
}
