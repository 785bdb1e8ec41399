"""What the page works out without a browser, tested by Node.js. The tests are in the folder logic."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "logic"

NODE = shutil.which("node", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]))


@pytest.mark.skipif(NODE is None, reason="there is no Node.js: pip install -e '.[test]'")
def test_the_modules_of_the_page() -> None:
    assert NODE is not None
    tests = sorted([str(path) for path in FOLDER.glob("*.test.js")])
    result = subprocess.run([NODE, "--test", *tests], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
