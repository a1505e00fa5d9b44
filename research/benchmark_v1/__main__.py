"""Writes benchmark 1 into a folder."""

import sys
from pathlib import Path

from research.benchmark_v1 import write

write(Path(sys.argv[1]))
