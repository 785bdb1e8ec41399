"""The scripts of perf/ import each other from their own folder."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[2] / "perf"), str(Path(__file__).parents[2] / "perf" / "micro")]
