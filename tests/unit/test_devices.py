"""Which GPU a training gets, which lock it holds meanwhile, and how a batch is cut for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipes import SMALL

from bonsai.domain.snapshots import Example, Snapshot
from bonsai.errors import TrainingError
from bonsai.model.bases import Base, Device, cpu_features, read_gpus
from bonsai.night.device_lock import lock_files
from bonsai.train.checkpoints import plan_hash
from bonsai.train.order import packed
from bonsai.train.plan import TrainingPlan, make_plan

FEATURES = cpu_features  # before a test puts a plain CPU in its place
SMI = "0, GPU-aaaa, 81079\n1, GPU-bbbb, 4096\n"
BASE = Base("tiny", "/bases/tiny", "", "nf4", True, "float32", 64, 24, 32, 4)
SNAPSHOT = Snapshot("0" * 16, "0" * 64, "/s/0", (Example("r", "own", "Q?", "", "", "open_qa", "en", "A."),), (), 7)


def planned(processes: int = 1, batch_size: int = 12) -> TrainingPlan:
    return make_plan(
        "tiny",
        BASE,
        replace(SMALL, batch_size=batch_size),
        SNAPSHOT,
        device="cpu",
        threads=0,
        seed=7,
        run_folder=Path("/runs/1"),
        adapters_folder=Path("/adapters"),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        processes=processes,
    )


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, Device("cuda", 81079 / 1024, ("GPU-aaaa", "GPU-bbbb"))),
        ("1", Device("cuda", 4.0, ("GPU-bbbb",))),
        ("GPU-bb,0", Device("cuda", 4.0, ("GPU-bbbb", "GPU-aaaa"))),
        ("", Device("cpu", 0.0)),
        ("MIG-1234", Device("cuda", 81079 / 1024, ("GPU-aaaa", "GPU-bbbb"))),
    ],
)
def test_the_gpus_are_those_that_torch_will_see(visible: str | None, found: Device) -> None:
    assert read_gpus(SMI, visible) == found


def test_two_homes_share_the_lock_of_a_gpu_and_not_of_a_cpu() -> None:
    gpu, cpu = read_gpus(SMI, None), Device("cpu", 0.0)

    assert lock_files(Path("/home/a"), gpu, 1) == lock_files(Path("/home/b"), gpu, 1)
    assert lock_files(Path("/home/a"), gpu, 1) != lock_files(Path("/home/a"), read_gpus(SMI, "1"), 1)
    assert lock_files(Path("/home/a"), gpu, 2) == lock_files(Path("/home/a"), read_gpus(SMI, "1,0"), 2)
    assert lock_files(Path("/home/a"), cpu, 2) != lock_files(Path("/home/b"), cpu, 2)


def test_a_batch_goes_through_in_smaller_parts_until_one_example_is_left() -> None:
    plan, seen = planned(), [planned().batch_on_device]
    while smaller := plan.in_smaller_parts():
        plan = smaller
        seen.append(plan.batch_on_device)

    assert seen == [12, 6, 3, 1]
    assert all(12 % size == 0 for size in seen)  # the parts of a batch are equal
    assert plan_hash(plan) == plan_hash(planned())  # its checkpoints are the same training's


def test_processes_share_a_batch_and_do_not_enlarge_it() -> None:
    assert planned(processes=4).batch_on_device == 3
    assert planned(processes=4).steps == planned().steps
    with pytest.raises(TrainingError, match="5 processes"):
        planned(processes=5)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 3), st.integers(60, 200))
def test_packs_hold_every_row_as_often_as_it_trains_and_no_row_twice(
    lengths: list[int], passes: int, room: int
) -> None:
    order = [row for _ in range(passes) for row in range(len(lengths))]

    packs = packed(order, lengths, room)

    assert Counter(row for pack in packs for row in pack) == Counter(order)
    assert all(sum(lengths[row] for row in pack) <= room for pack in packs)
    assert all(len(set(pack)) == len(pack) for pack in packs)


def test_packs_waste_little_room() -> None:
    lengths = [(37 * n) % 180 + 20 for n in range(900)]

    packs = packed(list(range(900)), lengths, 1024)

    assert sum(lengths) / (len(packs) * 1024) > 0.95


def test_a_cpu_tells_what_it_can_and_other_systems_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nflags\t\t: fpu amx_bf16 amx_tile\n\nflags\t\t: fpu\n", "utf-8")
    assert FEATURES(tmp_path / "cpuinfo") == {"fpu", "amx_bf16", "amx_tile"}
    assert FEATURES(tmp_path / "none") == set()
