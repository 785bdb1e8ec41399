"""Runs the broker in this process."""

from __future__ import annotations

from ..config import Config
from ..daemon import run
from ..log import configure


def serve(config: Config) -> int:
    """Run until stopped; returns the exit code. Raises StartupError when the broker cannot start."""
    output = configure(config.log_level, config.log_format)
    return run(config, output)
