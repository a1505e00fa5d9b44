"""Main memory that this process may use: the machine's, or its container's where that has less.

psutil tells what the machine has. A container's limit is in its control group, version 2 or 1:
https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
"Limit, usage, statistics, and what the statistics call cached files that go when memory is short."


@dataclass(frozen=True, slots=True)
class ContainerMemory:
    """Limit of a control group."""

    limit: int
    "Bytes."
    used: int
    "Bytes, without cached files that nothing reads at present."


def total_memory(folder: Path = CGROUP) -> int:
    """Bytes of main memory, used or not."""
    container, machine = container_memory(folder), psutil.virtual_memory().total
    return min(machine, container.limit) if container else int(machine)


def available_memory(folder: Path = CGROUP) -> int:
    """Bytes of main memory that programs can still get without swapping."""
    container, machine = container_memory(folder), psutil.virtual_memory().available
    return min(machine, max(container.limit - container.used, 0)) if container else int(machine)


def container_memory(folder: Path = CGROUP) -> ContainerMemory | None:
    """The control group of this process, as a container sees it; None without a limit."""
    for limit, usage, statistics, cached in _FILES:
        found = _number(folder / limit)
        if found is not None:
            used = _number(folder / usage) or 0
            return ContainerMemory(found, max(used - _statistic(folder / statistics, cached), 0))
    return None


def _number(file: Path) -> int | None:
    """None without the file, and for `max`: no limit."""
    text = file.read_text("ascii").strip() if file.is_file() else ""
    return int(text) if text.isdecimal() else None


def _statistic(file: Path, name: str) -> int:
    """A number of `memory.stat`; 0 if it is not there."""
    lines = file.read_text("ascii").splitlines() if file.is_file() else []
    values = dict(line.split(maxsplit=1) for line in lines if " " in line)
    return int(values.get(name, 0))
