"""Where commands find the HTTP API."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from amqpd.cli.http import Api, Place, Unreachable, find, name, place_of


def test_a_url_is_taken_apart() -> None:
    assert place_of("http://u%40:p%3A@host:1/prefix/api/") == Place("", "host", 1, "u@", "p:", "/prefix")
    assert place_of("host") == Place("", "host", 15672, "guest", "guest")
    assert place_of("http://u:@[::1]") == Place("", "::1", 15672, "u", "")
    assert place_of("unix:/run/control.sock") == place_of("unix:///run/control.sock") == Place("/run/control.sock")
    tls = place_of("https://host")
    assert (tls.port, tls.tls is not None) == (15671, True)
    for wrong in ("amqp://host", "http://host:port"):
        with pytest.raises(ValueError, match=r"scheme|port"):
            place_of(wrong)


def test_the_socket_of_the_usual_data_folder_comes_before_the_usual_port(tmp_path: Path) -> None:
    folder = {"AMQPD_DATA_DIR": str(tmp_path)}
    assert find(None, None, folder) == Place()
    said = {"pid": 1, "ports": {"amqp": 7}, "urls": {"amqp": "amqp://127.0.0.1:7/", "http": "http://127.0.0.1:8/"}}
    (tmp_path / "running.json").write_text(json.dumps(said))
    assert find(None, None, folder).port == 8
    (tmp_path / "control.sock").touch()
    assert find(None, None, folder) == find(None, str(tmp_path), {}) == Place(str(tmp_path / "control.sock"))
    assert find(None, None, {**folder, "RABBITMQ_NODE_PORT": "7"}).socket
    assert find(None, None, {**folder, "RABBITMQ_NODE_PORT": "9"}) == Place(port=10009)
    assert find(None, None, {**folder, "AMQPCTL_URL": "http://there:1"}).host == "there"
    assert find("http://here:1", str(tmp_path), folder).host == "here"
    with pytest.raises(Unreachable):
        find(None, "/nonexistent", folder)


def test_names_are_encoded_in_paths() -> None:
    assert name("/", "a b/é") == "/%2F/a%20b%2F%C3%A9"


def test_what_does_not_answer_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        api = Api(Place(port=server.getsockname()[1]), timeout=0.05)
        with pytest.raises(Unreachable, match=r"did not answer within 0\.05 s") as silent:
            api.get("/overview")
        assert silent.value.exit_code == os.EX_TEMPFAIL


def test_a_stranger_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"AMQP\x00\x00\x09\x01\r\n")

        other = threading.Thread(target=greet)
        other.start()
        with pytest.raises(Unreachable, match="is no HTTP API") as stranger:
            Api(Place(port=server.getsockname()[1]), timeout=5).get("/overview")
        other.join()
    assert stranger.value.exit_code == os.EX_PROTOCOL
