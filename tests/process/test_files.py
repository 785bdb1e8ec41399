"""Files by which others find a broker: whole when they are there, and never somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amqpd.errors import StartupError
from amqpd.process.files import DataFolderFile, JsonLine, PidFile, holder_of, url_file

from .running import Running


def refusal(attendant: PidFile | object) -> StartupError:
    with pytest.raises(StartupError) as caught:
        attendant.prepare()  # type: ignore[union-attr]
    return caught.value


# --- pidfile


def test_a_pidfile_is_held_until_the_end(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    held = PidFile(file)
    held.prepare()
    assert file.read_text() == f"{os.getpid()}\n"
    assert holder_of(file) == os.getpid()
    error = refusal(PidFile(file))
    assert (error.exit_code, holder_of(file)) == (os.EX_TEMPFAIL, os.getpid())
    held.stopped()
    assert not file.exists()
    assert holder_of(file) is None
    held.stopped()


@pytest.mark.parametrize("left", ["", "1\n", "{own}\n", "99999999999\n"])
def test_one_that_nobody_holds_is_taken_over_whatever_number_it_has(left: str, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text(left.format(own=os.getpid()))
    assert holder_of(file) is None
    held = PidFile(file)
    held.prepare()
    assert file.read_text() == f"{os.getpid()}\n"
    held.stopped()


def test_what_is_no_pidfile_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text("my diary\n")
    error = refusal(PidFile(file))
    assert (str(error), error.exit_code) == (f"{file} is not a pidfile; it is left as it is", os.EX_CANTCREAT)
    assert file.read_text() == "my diary\n"


def test_one_that_somebody_replaced_is_not_removed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    held = PidFile(file)
    held.prepare()
    file.unlink()
    file.write_text("1\n")
    held.stopped()
    assert file.read_text() == "1\n"


def test_where_a_pidfile_cannot_be_is_named(tmp_path: Path) -> None:
    error = refusal(PidFile(tmp_path / "nowhere" / "pid"))
    assert error.exit_code == os.EX_CANTCREAT
    assert str(error) == f"cannot write pidfile {tmp_path}/nowhere/pid: No such file or directory"
    assert refusal(PidFile(tmp_path)).exit_code == os.EX_CANTCREAT


# --- URL


def test_a_url_is_there_while_connections_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("left by one that was killed")
    written = url_file(file)
    written.prepare()
    assert not file.exists()
    written.started(Running())
    assert file.read_text() == "amqp://127.0.0.1:1234/%2F\n"
    written.stopping()
    assert list(tmp_path.iterdir()) == []


def test_a_url_of_another_broker_is_not_removed(tmp_path: Path) -> None:
    first, second = url_file(tmp_path / "url"), url_file(tmp_path / "url")
    for written, port in ((first, 1), (second, 2)):
        written.prepare()
        written.started(Running(port))
    first.stopping()
    assert (tmp_path / "url").read_text() == "amqp://127.0.0.1:2/%2F\n"


def test_one_that_is_gone_already_is_nothing_to_complain_about(tmp_path: Path) -> None:
    written = url_file(tmp_path / "url")
    written.prepare()
    written.stopping()
    written.started(Running())
    (tmp_path / "url").unlink()
    written.stopping()


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path, Path(os.devnull)):
        error = refusal(url_file(place))
        assert (str(error), error.exit_code) == (f"cannot write {place}: it is there, and not a file", os.EX_CANTCREAT)
        assert place.exists()


def test_a_folder_that_went_away_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    written = url_file(tmp_path / "folder" / "url")
    written.prepare()
    (tmp_path / "folder").rmdir()
    with pytest.raises(StartupError, match="No such file or directory"):
        written.started(Running())


def test_a_data_folder_says_where_its_broker_listens(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text("{}")
    written = DataFolderFile(tmp_path)
    written.prepare()
    written.started(Running())
    assert (tmp_path / "running.json").read_text() == Running().announcement.to_json() + "\n"
    written.stopping()
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_cannot_be_written_keeps_nobody_from_serving(tmp_path: Path) -> None:
    written = DataFolderFile(tmp_path / "nowhere")
    written.started(Running())
    written.stopping()


# --- a line


def test_a_line_goes_to_whoever_waits() -> None:
    reading, writing = os.pipe()
    JsonLine(writing).started(Running())
    assert os.read(reading, 4096).decode() == Running().announcement.to_json() + "\n"
    os.close(reading)
    JsonLine(writing).started(Running())  # nobody waits any more
    os.close(writing)
