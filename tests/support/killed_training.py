"""A training that is killed at an exact step, however fast the machine is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from bonsai.system.json_values import to_values
from bonsai.train.plan import TrainingPlan

SUICIDE = """
import json, os, signal, sys
from pathlib import Path
from bonsai.system.json_values import from_values
from bonsai.train.plan import TrainingPlan
from bonsai.train.qlora import train

def report(progress):
    if progress.step == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

train(from_values(TrainingPlan, json.loads(Path(sys.argv[1]).read_text("utf-8"))), report)
"""


def kill_at_step(plan: TrainingPlan, step: int) -> None:
    """Train in a process of its own, which kills itself after `step`."""
    plan_file = Path(plan.run_folder) / "plan.json"
    plan_file.write_text(json.dumps(to_values(plan)), "utf-8")
    killed = subprocess.run([sys.executable, "-c", SUICIDE, str(plan_file), str(step)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
