"""Reconciliation before the workers start: creates the pools, and marks runs of dead processes as crashed.

A killed worker leaves its runs RUNNING and their deployment's only slot taken. Prefect cannot detect that; the process
id that the worker stored can. Run as `python -m flows.reconcile POOL...`; prints the marked runs.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from bonsai.config.layers import home_of
from bonsai.system.locks import is_locked

UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


def main(pools: list[str]) -> None:
    """Create missing pools and mark dead runs."""
    with get_client(sync_client=True) as client:
        known = {pool.name for pool in client.read_work_pools()}
        for name in pools:
            if name not in known:
                client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        sys.stdout.write(json.dumps(mark_dead_runs(client, is_locked(home_of(os.environ) / "night.lock"))))


def mark_dead_runs(client: SyncPrefectClient, night_held: bool) -> list[str]:
    """Set every unfinished run without a living process to CRASHED; their names."""
    filters = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNFINISHED)))
    dead = [run for run in client.read_flow_runs(flow_run_filter=filters) if not may_live(run, night_held)]
    for run in dead:
        client.set_flow_run_state(run.id, Crashed(message="found dead at start-up"), force=True)
    return [run.name for run in dead]


def may_live(run: FlowRun, night_held: bool) -> bool:
    """By the worker's process (`host:pid`); a run without one is `bonsai night run`, which holds a lock."""
    if not run.infrastructure_pid:
        return night_held and run.deployment_id is None
    host, _, pid = run.infrastructure_pid.rpartition(":")
    if host and host != socket.gethostname():
        return True
    try:
        command = Path(f"/proc/{int(pid)}/cmdline").read_bytes()
    except OSError:
        return False
    return b"prefect" in command


if __name__ == "__main__":
    main(sys.argv[1:])
