"""Where a broker can be reached, in a line of JSON."""

from __future__ import annotations

import json
import os

import pytest

from amqpd import __version__
from amqpd.config import Config
from amqpd.process import Announcement, amqp_url


def test_it_says_what_a_script_needs_to_know() -> None:
    said = Announcement.of(Config(data_dir="/data"), {"amqp": [("127.0.0.1", 5672)]})
    assert json.loads(said.to_json()) == {
        "pid": os.getpid(),
        "ports": {"amqp": 5672},
        "urls": {"amqp": "amqp://guest:guest@127.0.0.1:5672/%2F"},
        "data_dir": "/data",
        "version": __version__,
    }
    assert "\n" not in said.to_json()


def test_each_protocol_is_named_by_its_first_address() -> None:
    said = Announcement.of(
        Config(memory=True),
        {
            "amqp": [("::1", 1), ("127.0.0.1", 2)],
            "amqps": [("0.0.0.0", 3)],
            "http": [("::", 4)],
            "https": [("::1", 5)],
            "none": [],
        },
    )
    assert said.ports == {"amqp": 1, "amqps": 3, "http": 4, "https": 5}
    assert said.urls == {
        "amqp": "amqp://guest:guest@[::1]:1/%2F",
        "amqps": "amqps://guest:guest@127.0.0.1:3/%2F",
        "http": "http://[::1]:4/",
        "https": "https://[::1]:5/",
    }


def test_clients_connect_without_tls_where_they_may() -> None:
    both = {"amqps": [("127.0.0.1", 1)], "amqp": [("127.0.0.1", 2)]}
    assert Announcement.of(Config(), both).url == "amqp://guest:guest@127.0.0.1:2/%2F"
    assert Announcement.of(Config(), {"amqps": [("127.0.0.1", 1)]}).url == "amqps://guest:guest@127.0.0.1:1/%2F"


def test_logins_that_are_not_everybodys_are_kept() -> None:
    said = Announcement.of(Config(default_pass="secret"), {"amqp": [("127.0.0.1", 1)]})
    assert said.urls == {"amqp": "amqp://127.0.0.1:1/%2F"}


def test_another_vhost_than_the_usual_one_is_named() -> None:
    said = Announcement.of(Config(), {"amqps": [("127.0.0.1", 1)]}, "a/b c")
    assert said.urls == {"amqps": "amqps://guest:guest@127.0.0.1:1/a%2Fb%20c"}
    assert said.vhost == "a/b c"


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("fe80::1", "[fe80::1]")])
def test_what_listens_everywhere_is_reached_here(host: str, shown: str) -> None:
    assert amqp_url(host, 1) == f"amqp://{shown}:1/%2F"


def test_it_reads_what_it_wrote_and_nothing_else() -> None:
    said = Announcement.of(Config(), {"amqp": [("127.0.0.1", 1)]})
    assert Announcement.from_json(said.to_json()) == said
    for wrong in ("", "{}", '{"pid": 1, "more": 2}', "[1]"):
        with pytest.raises(ValueError, match=r"announcement|Expecting value"):
            Announcement.from_json(wrong)
