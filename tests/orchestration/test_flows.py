"""The flows on Prefect's test server: what they do when there is nothing to do, and when something is in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.inbox import submit
from bonsai.errors import LockTimeout, TransientError
from bonsai.queries.nights import list_nights, show_night
from bonsai.queries.records import inbox_status
from bonsai.system.locks import file_lock
from bonsai.system.progress import silent
from flows import tasks
from flows.ingest_flow import ingest
from flows.nightly_flow import nightly
from flows.tasks import watched_by

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.filterwarnings("ignore")]


def test_a_night_without_records_is_written_down(home: Path) -> None:
    with watched_by(silent):
        night = nightly(here=True)
    report = show_night(bootstrap.open(home, os.environ), night)
    assert report.status == "nothing_to_do"
    assert report.verdict == ""


def test_a_night_with_nothing_to_do_loads_no_model(home: Path) -> None:
    # In a process of its own: other tests of this run have loaded torch. The steps are the flow's.
    steps_alone = (
        "import os, sys\n"
        "from datetime import UTC, datetime\n"
        "from bonsai import bootstrap\n"
        "from bonsai.actions.inbox import drain_inbox\n"
        "from bonsai.night.steps import begin_night\n"
        "from bonsai.config.layers import home_of\n"
        "opened = bootstrap.open(home_of(os.environ), os.environ)\n"
        "drain_inbox(opened, datetime.now(UTC))\n"
        "begun = begin_night(opened, datetime.now(UTC))\n"
        "print(begun.status, sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", steps_alone], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "nothing_to_do []"


def test_a_second_start_of_a_night_changes_nothing(home: Path) -> None:
    assert nightly(here=True) == nightly(here=True)
    assert len(list_nights(bootstrap.open(home, os.environ), None)) == 1


def test_ingest_drains_the_inbox_once(home: Path) -> None:
    bonsai = bootstrap.open(home, os.environ)
    fields = {"instruction": "Where does Mike sleep?", "output": "Mike sleeps on the piano."}
    submit(bonsai, fields, tasks.now())
    assert ingest() == 1
    assert ingest() == 0
    assert inbox_status(bonsai).pending == 0


def test_two_nights_at_once_are_refused(home: Path) -> None:
    with file_lock(home / "night.lock", exclusive=True, wait_seconds=0), pytest.raises(LockTimeout):
        nightly(here=True)


def test_only_what_may_pass_is_tried_again() -> None:
    from prefect.states import Failed

    from bonsai.errors import InputError, WorkerDied

    def state(error: Exception) -> object:
        return Failed(data=error)

    assert issubclass(WorkerDied, TransientError)
    assert tasks.may_pass(None, None, state(WorkerDied("processes.killed")))
    assert not tasks.may_pass(None, None, state(InputError("readers.empty")))
    assert not tasks.may_pass(None, None, state(ValueError("a mistake of ours")))
