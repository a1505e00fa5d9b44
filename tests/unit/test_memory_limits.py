"""Main memory is what a container leaves of the machine's."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from bonsai.system.memory import ContainerMemory, available_memory, container_memory, total_memory

GIB = 2**30
VERSION_2 = {"memory.max": f"{2 * GIB}\n", "memory.current": f"{GIB}\n", "memory.stat": "anon 5\ninactive_file 1024\n"}
VERSION_1 = {
    "memory/memory.limit_in_bytes": f"{2 * GIB}\n",
    "memory/memory.usage_in_bytes": f"{GIB}\n",
    "memory/memory.stat": "cache 7\ninactive_file 7\ntotal_inactive_file 1024\n",
}


def group(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 GiB, of which 5 are free."""

    class Memory:
        total, available = 8 * GIB, 5 * GIB

    monkeypatch.setattr(psutil, "virtual_memory", Memory)


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1], ids=["version 2", "version 1"])
def test_a_container_has_less_than_its_machine(files: dict[str, str], tmp_path: Path) -> None:
    folder = group(tmp_path, files)
    assert container_memory(folder) == ContainerMemory(2 * GIB, GIB - 1024)
    assert total_memory(folder) == 2 * GIB
    assert available_memory(folder) == GIB + 1024, "cached files go when memory is short"


@pytest.mark.parametrize(
    "files",
    [{}, {**VERSION_2, "memory.max": "max\n"}, {**VERSION_1, "memory/memory.limit_in_bytes": "9223372036854771712\n"}],
    ids=["no control group", "version 2 without a limit", "version 1 without a limit"],
)
def test_without_a_limit_the_machine_counts(files: dict[str, str], tmp_path: Path) -> None:
    folder = group(tmp_path, files)
    assert (total_memory(folder), available_memory(folder)) == (8 * GIB, 5 * GIB)


def test_a_limit_that_is_used_up_leaves_nothing(tmp_path: Path) -> None:
    files = {"memory.max": str(GIB), "memory.current": str(3 * GIB)}
    assert available_memory(group(tmp_path, files)) == 0
