"""Writes benchmark 2 into a folder."""

import sys
from pathlib import Path

from research.benchmark_v2.build import write

write(Path(sys.argv[1]))
