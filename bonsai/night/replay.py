"""What tonight's base replays: the seedling its facts, another base its own answers, which it gives before its first
night and never again."""

from __future__ import annotations

from pathlib import Path

from bonsai.context import Bonsai
from bonsai.errors import BonsaiError
from bonsai.evaluate.replay_maker import ReplayJob, source_of
from bonsai.model.bases import find_device
from bonsai.night.device_lock import alone_on_device
from bonsai.night.status import Clock, enter_step, fail_night, watched
from bonsai.system.progress import Progress, Report
from bonsai.train import own_answers
from bonsai.train.replay import ReplaySource

STEP = "replay"


def find_replay(b: Bonsai, night: str, report: Report, clock: Clock) -> ReplaySource:
    """The source of the night's replay samples, made first if it is missing. Safe to repeat after a kill.

    An error while it is made fails the night; raises NightCancelled when a person asked for it.
    """
    profile = b.config.profiles[b.find_profile()]
    source = source_of(profile.base, profile.recipe.template, b.places.replay)
    if isinstance(source, Path) and not source.is_file():
        try:
            _make(b, night, source, report, clock)
        except BonsaiError as error:
            fail_night(b, night, error, clock())
            raise
        enter_step(b, night, "snapshot", clock())
    return source


def _make(b: Bonsai, night: str, path: Path, report: Report, clock: Clock) -> None:
    profile = b.config.profiles[b.find_profile()]
    prompts = len(own_answers.prompts())
    device = find_device().kind
    job = ReplayJob(profile.base, device, profile.recipe.template, str(path), str(b.places.runs / night))
    with watched(b, night, STEP, report, clock) as tell:
        tell(Progress(STEP, 0, prompts))
        with alone_on_device(b.home, device, 1, lambda: tell(Progress(STEP, 0, prompts))):
            if not path.is_file():  # another night of this home made it in the meantime
                b.replay_maker.make(job, lambda done, total: tell(Progress(STEP, done, total)))
