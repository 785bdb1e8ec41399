"""A process of its own for a broker: what it says, and that it ends when it is to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from amqpd.process.child import shell_code
from tests.cli.command import CLEAN, PATIENCE

READY = """
    from tests.process.running import Running
    for attendant in attendants[:1]:
        attendant.started(Running())
"""


def script(serve: str, then: str, tied: bool = False) -> str:
    """What a process prints that forks one which serves like this, and does that with it."""
    source = (
        "import os, signal, sys, tempfile\n"
        "from amqpd.errors import StartupError\n"
        "from amqpd.process.child import fork\n"
        "log = tempfile.TemporaryFile()\n"
        f"def serve(attendants):\n{serve}\n"
        f"child = fork(serve, log.fileno(), tied={tied})\n"
        f"{then}\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=PATIENCE, env=CLEAN)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOGGED = "\nprint(os.pread(log.fileno(), 4096, 0).decode(), end='')"


def test_it_says_when_it_is_ready_and_leaves_with_its_code() -> None:
    said = script(
        f"{READY}\n    return 3", "print(child.wait_until_ready().ports, child.wait(), child.wait(), child.ended())"
    )
    assert said == "{'amqp': 1234} 3 3 True\n"


def test_one_that_refuses_to_start_says_why_in_its_log() -> None:
    said = script("    raise StartupError('no room', 75)", "print(child.wait_until_ready(), child.wait())" + LOGGED)
    assert said == "None 75\namqpd: no room\n"


def test_one_that_fails_leaves_a_trace_in_its_log() -> None:
    said = script("    1 / 0", "print(child.wait_until_ready(), child.wait())" + LOGGED)
    assert said.startswith(f"None {os.EX_SOFTWARE}\nTraceback")
    assert said.endswith("ZeroDivisionError: division by zero\n")


def test_it_has_a_session_of_its_own_and_no_input() -> None:
    said = script(
        "    print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()))\n    return 0", "child.wait()" + LOGGED
    )
    assert said == "True ''\n"


def test_one_that_is_tied_has_an_input_that_ends_with_its_parent() -> None:
    said = script("    print(os.read(0, 1))\n    return 0", "os.close(child._tie); child.wait()" + LOGGED, tied=True)
    assert said == "b''\n"


def test_it_can_be_stopped_also_when_it_does_not_mind() -> None:
    serve = f"    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{READY}\n    signal.pause()"
    said = script(serve, "child.wait_until_ready(); child.stop(0.1); child.stop(0.1); print(child.wait())")
    assert said == f"{128 + signal.SIGKILL}\n"


def test_an_exit_code_is_as_a_shell_gives_it() -> None:
    assert (shell_code(0), shell_code(42), shell_code(-signal.SIGTERM)) == (0, 42, 143)
