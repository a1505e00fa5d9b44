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
    rate: float = 1.0
    "Times the shipped peak learning rate."
    passes: float = 1.0
    "Times the shipped number of passes."
    pulled_back: float = 1.0
    "The adapter's update of the base is scaled to this share after the training."


ARMS: Mapping[str, Arm] = {
    SHIPPED: Arm("as it ships"),
    "labels": Arm(
        "replay rows are taught like own ones, facts alone, as in version 0.1.0", kl_to_base=0.0, own_share=0.0
    ),
    "facts": Arm("held to the base on facts alone, without invented questions", own_share=0.0),
    "more-replay": Arm("four replay rows beside every own row instead of two", anchor_share=0.8),
    "more-passes": Arm("half as many passes again", passes=1.5),
    "pulled-back": Arm("learned as in version 0.1.0, and a fifth of the update taken back", 0.0, 0.0, pulled_back=0.8),
    "labels-own": Arm("replay rows are taught like own ones, invented questions among them", kl_to_base=0.0),
    "slow": Arm("half the learning rate", rate=0.5),
}
