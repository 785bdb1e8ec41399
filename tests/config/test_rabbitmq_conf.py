"""The format of rabbitmq.conf."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.config import rabbitmq_conf
from amqpd.config.rabbitmq_conf import Entry, parse, read_file, resolved
from amqpd.errors import StartupError


def parsed(text: str) -> dict[str, str]:
    return {entry.key: entry.value for entry in parse(text, "F")}


def refused(text: str) -> str:
    with pytest.raises(StartupError) as caught:
        parse(text, "F")
    assert caught.value.exit_code == os.EX_CONFIG
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("heartbeat = 10", "heartbeat", "10"),
        ("heartbeat=10", "heartbeat", "10"),
        ("\t heartbeat\t=  10  ", "heartbeat", "10"),
        ("heartbeat = 10\r", "heartbeat", "10"),
        ("heartbeat = 10 # seconds", "heartbeat", "10"),
        ("listeners.tcp.default = 127.0.0.1:5672", "listeners.tcp.default", "127.0.0.1:5672"),
        ("log.file = /var/log/my file.log", "log.file", "/var/log/my file.log"),
        ("auth_http.user_path = http://h/u?a=b", "auth_http.user_path", "http://h/u?a=b"),
        ('motd_file = "quoted"', "motd_file", '"quoted"'),
        ("default_pass = größe", "default_pass", "größe"),
        ("default-x_1 = y", "default-x_1", "y"),
    ],
)
def test_a_line_is_a_key_and_a_value(line: str, key: str, value: str) -> None:
    assert parse(line, "F") == [Entry(key, value, "F:1")]


@pytest.mark.parametrize(
    ("written", "value"), [("abc#def", "abc"), ("'abc#def'", "abc#def"), ("'a b ' # why", "a b "), ("''", "")]
)
def test_a_comment_begins_anywhere_but_within_quotes(written: str, value: str) -> None:
    assert parsed(f"default_pass = {written}") == {"default_pass": value}


def test_a_dot_in_a_word_has_a_backslash() -> None:
    (entry,) = parse(r"default_users.a\.b.password = x", "F")
    assert entry.words == ["default_users", "a.b", "password"]
    assert rabbitmq_conf.words_of(f"x.{rabbitmq_conf.as_word('a.b')}") == ["x", "a.b"]


def test_comments_and_empty_lines_are_nothing() -> None:
    assert parsed("# a = 1\n\n   \n\t# b = 2\n#\n") == {}


def test_lines_are_counted() -> None:
    assert [entry.place for entry in parse("\n# x\na = 1\n\nb = 2\n", "F")] == ["F:3", "F:5"]


@pytest.mark.parametrize(
    "line",
    [
        "heartbeat",
        "heartbeat 10",
        "= 10",
        "a..b = 1",
        ".a = 1",
        "a b = 1",
        'a."b".c = 1',
        "a@b.c = 1",
        "[{rabbit, []}].",
    ],
)
def test_anything_else_is_refused_with_its_line(line: str) -> None:
    assert refused(f"a = 1\n{line}\n") == f"F:2: {line!r} is not 'key = value'"


@pytest.mark.parametrize("line", ["heartbeat =", "heartbeat = # none"])
def test_a_key_has_a_value(line: str) -> None:
    assert refused(line) == "F:1: 'heartbeat' has no value"


def test_the_last_key_counts(tmp_path: Path) -> None:
    entries = resolved(parse("a = 1\nb = 2\na = 3", "F"), {})
    assert entries == [Entry("b", "2", "F:2"), Entry("a", "3", "F:3")]


# --- what stands for something else


def test_a_variable_of_the_environment_may_be_named() -> None:
    (entry,) = resolved(parse("default_user = $(SEED_USER)-$(N)", "F"), {"SEED_USER": "bob", "N": "1"})
    assert entry.value == "bob-1"


def test_another_key_may_be_named() -> None:
    entries = resolved(parse("default_user = bob\ncluster_name = of-$(default_user)", "F"), {})
    assert entries[1].value == "of-bob"


def test_what_is_nowhere_is_refused() -> None:
    with pytest.raises(StartupError) as caught:
        resolved(parse("\ndefault_user = $(SEED_USER)", "F"), {})
    assert str(caught.value) == "F:2: 'default_user': $(SEED_USER) is neither in the environment nor a key"


@pytest.mark.parametrize("text", ["a = $(a)", "a = $(b)\nb = $(a)"])
def test_what_stands_for_itself_is_refused(text: str) -> None:
    with pytest.raises(StartupError, match="refers to itself"):
        resolved(parse(text, "F"), {})


# --- files


def test_a_file_includes_others_where_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "more.d").mkdir()
    (tmp_path / "more.d" / "2.conf").write_text("heartbeat = 2")
    (tmp_path / "more.d" / "1.conf").write_text("heartbeat = 1")
    (tmp_path / "one.conf").write_text("heartbeat = 3")
    main = tmp_path / "rabbitmq.conf"
    main.write_text("include one.conf # first\ninclude more.d/*.conf\nheartbeat = 4\n")
    assert [entry.value for entry in read_file(main)] == ["3", "1", "2", "4"]


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("include b.conf")
    (tmp_path / "b.conf").write_text("\ninclude a.conf")
    with pytest.raises(StartupError, match=r"b\.conf:2: .*a\.conf includes itself"):
        read_file(tmp_path / "a.conf")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"cannot read configuration file .*nope\.conf") as caught:
        read_file(tmp_path / "nope.conf")
    assert caught.value.exit_code == os.EX_NOINPUT


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rabbitmq.conf"
    file.write_bytes(b"a = 1\nb = \xff\n")
    with pytest.raises(StartupError) as caught:
        read_file(file)
    assert str(caught.value) == f"{file}:2: the text is not UTF-8"


# --- anything

LINES = st.one_of(
    st.text(max_size=30),
    st.text("ab.\\= #'$()\t\r-_1", max_size=20),
    st.builds("{} = {}".format, st.text("ab._-", min_size=1, max_size=8), st.text(max_size=10)),
)


@given(st.lists(LINES).map("\n".join))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        entries = resolved(parse(text, "F"), {})
    except StartupError as error:
        number, _, reason = str(error).removeprefix("F:").partition(": ")
        assert 1 <= int(number) <= text.count("\n") + 1
        assert reason
        assert "\n" not in reason
    else:
        assert all(entry.key == entry.key.strip() for entry in entries)
