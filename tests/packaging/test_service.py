"""The systemd unit: right in systemd's eyes where that is installed, and in keeping with what amqpd does."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import PATIENCE

UNIT = Path(__file__).parents[2] / "conf" / "amqpd.service"


@pytest.fixture
def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    assert set(parser.sections()) == {"Unit", "Service", "Install"}
    return parser["Service"]


def test_it_is_told_when_the_broker_is_ready_and_alive(service: configparser.SectionProxy) -> None:
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 10


def test_data_is_where_a_user_without_a_home_may_keep_it(service: configparser.SectionProxy) -> None:
    assert service["DynamicUser"] == "yes"
    assert service["StateDirectory"] == "amqpd"
    assert service["WorkingDirectory"] == "/var/lib/amqpd"
    assert service["Environment"] == "AMQPD_DATA_DIR=/var/lib/amqpd"


def test_what_trying_again_cannot_mend_is_not_tried_again(service: configparser.SectionProxy) -> None:
    codes = {int(code) for code in service["RestartPreventExitStatus"].split()}
    assert codes == {os.EX_USAGE, os.EX_DATAERR, os.EX_NOINPUT, os.EX_NOHOST, os.EX_CONFIG}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/amqpd/bin/amqpd", sys.executable))  # which has to be there
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
