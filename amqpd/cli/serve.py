"""Runs the broker in this process."""

from __future__ import annotations

import os

from ..config import Config, misspelt
from ..daemon import run
from ..log import configure, get_logger


def serve(config: Config) -> int:
    """Run until stopped; returns the exit code. Raises StartupError when the broker cannot start."""
    output = configure(config.log_level, config.log_format)
    for line in misspelt(os.environ):
        get_logger().warning(line)
    return run(config, output)
