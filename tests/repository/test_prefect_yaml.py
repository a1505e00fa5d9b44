"""`prefect.yaml`, strictly: Prefect drops a key it does not know without a word, and a night would not run."""

from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule

from flows.nightly_flow import TRAINING
from flows.server import POOLS

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = FILE["deployments"]

KEYS = {"name", "prefect-version", "pull", "deployments"}
DEPLOYMENT_KEYS = {"name", "description", "entrypoint", "work_pool", "concurrency_limit", "schedules"}
SCHEDULE_KEYS = {"cron", "timezone", "interval", "slug"}


def flow_of(deployment: dict[str, Any]) -> Any:
    module, _, name = deployment["entrypoint"].rpartition(".")
    return getattr(import_module(module), name)


def names() -> list[str]:
    return [f"{flow_of(one).name}/{one['name']}" for one in DEPLOYMENTS]


def test_it_has_only_keys_that_prefect_reads() -> None:
    from prefect.cli.deploy import _models as models

    assert set(FILE) == KEYS
    known = set(models.DeploymentConfig.model_fields)
    assert DEPLOYMENT_KEYS <= known
    for one in DEPLOYMENTS:
        assert set(one) == DEPLOYMENT_KEYS, one["entrypoint"]
        assert set(one["work_pool"]) == {"name"} <= set(models.WorkPoolConfig.model_fields)
        assert set(one["concurrency_limit"]) <= set(models.ConcurrencyLimitSpec.model_fields)
        for schedule in one["schedules"]:
            assert set(schedule) <= SCHEDULE_KEYS <= set(models.RawScheduleConfig.model_fields)
    models.PrefectYamlModel.model_validate(FILE)


def test_it_names_the_prefect_that_is_pinned() -> None:
    from prefect import __version__

    assert FILE["prefect-version"] == __version__


def test_every_flow_is_deployed_once() -> None:
    files = sorted(path.stem for path in (ROOT / "flows").glob("*_flow.py"))
    assert len(files) == 4
    assert sorted(one["entrypoint"].split(".")[1] for one in DEPLOYMENTS) == files
    assert sorted(names()) == ["ingest/cpu", "nightly/cpu", "promote/cpu", "train/gpu"]


def test_entrypoints_are_modules_and_lead_to_flows() -> None:
    # `flows/nightly_flow.py:nightly` would put flows/ first on sys.path.
    for one in DEPLOYMENTS:
        assert ":" not in one["entrypoint"]
        assert type(flow_of(one)).__name__ == "Flow"


def test_only_the_training_needs_the_accelerator() -> None:
    pools = {name: one["work_pool"]["name"] for name, one in zip(names(), DEPLOYMENTS, strict=True)}
    assert {name for name, pool in pools.items() if pool == "bonsai-gpu"} == {TRAINING}
    assert set(pools.values()) == set(POOLS)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=names())
def test_one_run_at_a_time_and_a_killed_one_blocks_nothing(deployment: dict[str, Any]) -> None:
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_the_night_runs_once_a_day_in_a_named_timezone() -> None:
    nightly = next(one for one in DEPLOYMENTS if flow_of(one).name == "nightly")
    (schedule,) = nightly["schedules"]
    CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])  # raises for a wrong one
    minute, hour, *rest = schedule["cron"].split()
    assert (int(minute), int(hour), rest) == (0, 3, ["*", "*", "*"])
    assert ZoneInfo(schedule["timezone"]).key == "Asia/Tokyo"


def test_runs_start_where_the_code_lies() -> None:
    assert FILE["pull"] == [{"prefect.deployments.steps.set_working_directory": {"directory": "{{ $BONSAI_CODE }}"}}]
