"""rabbitmqadmin v2's grammar, tables and exit codes."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from amqpd.cli.admin.commands import COMMANDS, find
from amqpd.cli.admin.main import is_second
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import ConnectionClose

from .conftest import Call


@pytest.mark.parametrize(
    ("line", "second"),
    [
        ("queues declare --name q", True),
        ("declare queue --name q --durable true", True),
        ("declare queue name=q", False),
        ("--vhost v declare queue --name q", True),
        ("--vhost=v declare queue name=q durable=true", False),
        ("declare queue", False),
        ("list queues", False),
        ("list queues name messages", False),
        ("list queues --columns name", True),
        ("--non-interactive list queues", True),
        ("queues list", True),
        ("show overview", False),
        ("show churn", True),
        ("get queue=q", False),
        ("get messages --queue q", True),
        ("get messages -q q", True),
        ("publish routing_key=q payload=x", False),
        ("publish message -k q -m x", True),
        ("export file.json", False),
        ("definitions export --stdout", True),
        ("export definitions --file x", True),
        ("delete vhost name=v", False),
        ("delete vhost --name v --idempotently", True),
        ("close connection name=c", False),
        ("close connection --name c", True),
        ("shell completions --shell bash", True),
        ("help", False),
        ("help v2", True),
        ("help subcommands", False),
        ("", False),
    ],
)
def test_each_command_line_is_of_one_grammar(line: str, second: bool) -> None:
    assert is_second(shlex.split(line)) is second


def test_the_noun_or_the_verb_comes_first() -> None:
    assert find("queues", "declare") == find("declare", "queue") == find("declare", "queues")
    assert find("messages", "get") == find("get", "messages")
    assert find("users", "permissions") == find("permissions", "list")
    assert find("queues", "dance") is None
    assert sum(len(verbs) for verbs in COMMANDS.values()) > 80


def test_what_is_declared_is_listed_and_deleted(call: Call, vhost: str) -> None:
    for line in (
        "queues declare --name q --type quorum --durable true",
        'declare queue --name c --arguments {"x-max-length":5}',
        "streams declare --name s --expiration 1D",
        "exchanges declare --name x --type topic --durable true --auto-delete false",
        "exchanges bind --source x --destination-type queue --destination q --routing-key a.#",
    ):
        assert call("--vhost", vhost, *shlex.split(line.replace('{"x', "'{\"x").replace("5}", "5}'"))) == (0, "", "")
    assert call("-V", vhost, "queues", "list", "--columns", "name,queue_type,message_count") == (
        os.EX_OK,
        (
            "┌──────┬────────────┬───────────────┐\n"
            "│ name │ queue_type │ message_count │\n"
            "├──────┼────────────┼───────────────┤\n"
            "│ c    │ classic    │ 0             │\n"
            "├──────┼────────────┼───────────────┤\n"
            "│ q    │ quorum     │ 0             │\n"
            "├──────┼────────────┼───────────────┤\n"
            "│ s    │ stream     │ 0             │\n"
            "└──────┴────────────┴───────────────┘\n"
        ),
        "",
    )
    assert call("--non-interactive", "-V", vhost, "bindings", "list", "--columns", "source,routing_key")[1] == (
        "source  routing_key\n        c\n        q\n        s\nx       a.#\n"
    )
    unbind = "exchanges unbind --source x --destination-type queue --destination q --routing-key a.#"
    assert call("-V", vhost, *shlex.split(unbind)) == (0, "", "")
    assert call("-V", vhost, *shlex.split(unbind))[0] == os.EX_DATAERR
    assert call("-V", vhost, "queues", "delete", "--name", "q") == (0, "", "")
    code, output, errors = call("-V", vhost, "queues", "delete", "--name", "q")
    assert (code, output) == (os.EX_DATAERR, "")
    assert errors.startswith("API responded with status 404 to /queues/v/q: ")
    assert call("-V", vhost, "delete", "queue", "--name", "q", "--idempotently") == (0, "", "")


def test_messages_are_published_and_got(call: Call, vhost: str, tmp_path: Path) -> None:
    call("-V", vhost, "queues", "declare", "--name", "q")
    assert "true" in call("-V", vhost, "publish", "message", "-k", "q", "-m", "hello")[1]
    (tmp_path / "file").write_bytes(b"from a file")
    assert "true" in call("-V", vhost, "publish", "message", "-k", "q", "-f", str(tmp_path / "file"))[1]
    shown = call("--non-interactive", "-V", vhost, "get", "messages", "-q", "q", "-c", "5", "--columns", "payload")
    assert shown == (os.EX_OK, "payload\nhello\nfrom a file\n", "")
    assert call("-V", vhost, "queues", "purge", "--name", "q") == (0, "", "")


def test_users_permissions_policies_and_limits(call: Call, vhost: str) -> None:
    lines = (
        "users declare --name anna --password secret --tags monitoring",
        "permissions declare --username anna --configure .* --write .* --read .*",
        "policies declare --name p --pattern ^q --apply-to queues --priority 3 --definition '{\"max-length\":3}'",
        "operator_policies declare --name p --pattern ^q --apply-to queues --definition '{\"max-length\":3}'",
        "vhost_limits declare --name max-queues --value 7",
        "user_limits declare --username anna --name max-channels --value 7",
        "global_parameters set --name gp --value '{\"a\":1}'",
        "global_parameters clear --name gp",
        "vhosts declare --name v --description text",
    )
    for line in lines:
        assert call("-V", vhost, *shlex.split(line)) == (0, "", ""), line
    assert "anna   v      .*" in call("--non-interactive", "permissions", "list")[1]
    assert '{"max-queues": 7}' in call("vhost_limits", "list")[1]
    for line in (
        "user_limits delete --username anna --name max-channels",
        "vhost_limits delete --name max-queues",
        "policies delete --name p",
        "operator_policies delete --name p",
        "permissions delete --username anna",
        "users delete --name anna",
    ):
        assert call("-V", vhost, *shlex.split(line)) == (0, "", ""), line


def test_vhosts_are_protected_from_deletion(call: Call) -> None:
    assert call("vhosts", "declare", "--name", "w")[0] == os.EX_OK
    assert call("vhosts", "enable_deletion_protection", "--name", "w")[0] == os.EX_OK
    assert call("vhosts", "delete", "--name", "w")[0] == os.EX_DATAERR
    assert call("vhosts", "disable_deletion_protection", "--name", "w")[0] == os.EX_OK
    assert call("vhosts", "delete", "--name", "w")[0] == os.EX_OK


def test_connections_are_closed(call: Call, own: BrokerProcess) -> None:
    with Client(own.url) as client:
        name = call("--non-interactive", "connections", "list", "--columns", "name")[1].splitlines()[1]
        assert call("close", "connection", "--name", name) == (0, "", "")
        client.expect(0, ConnectionClose)
    with Client(own.url) as client:
        assert call("close", "user_connections", "-u", "guest") == (0, "", "")
        client.expect(0, ConnectionClose)


@pytest.mark.parametrize("style", ["modern", "ascii", "psql", "markdown", "dots", "sharp", "borderless"])
def test_tables_have_styles(style: str, call: Call) -> None:
    code, output, _ = call("--table-style", style, "vhosts", "list", "--columns", "name,tracing")
    assert code == os.EX_OK
    assert "name" in output
    assert len({len(line) for line in output.splitlines()} if style not in ("psql", "borderless") else {1}) == 1


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("queues declare", os.EX_USAGE, "the following required arguments were not provided:\n  --name <name>"),
        ("queues declare --name q --colour red", os.EX_USAGE, "unexpected argument '--colour' found"),
        ("queues declare --name q --durable maybe", os.EX_USAGE, "invalid value 'maybe' for '--durable'"),
        ("queues declare --name q --arguments {", os.EX_DATAERR, "`{` is not a valid JSON value for --arguments"),
        ("queues dance", os.EX_USAGE, "Usage: "),
        ("--table-style baroque queues list", os.EX_USAGE, "invalid value 'baroque' for '--table-style'"),
        ("--timeout soon queues list", os.EX_USAGE, "--timeout"),
        ("-P 1 queues list", os.EX_UNAVAILABLE, "Connection refused"),
        ("health_check port_listener --port 1", os.EX_UNAVAILABLE, "health check failed: "),
        ("users declare --name u", os.EX_USAGE, "either --password or --password-hash"),
    ],
)
def test_what_cannot_be_is_said(line: str, code: int, said: str, call: Call) -> None:
    found, output, errors = call(*shlex.split(line))
    assert (found, output) == (code, "")
    assert said in errors


def test_the_broker_is_shown(call: Call, own: BrokerProcess) -> None:
    assert "│ Product name " in call("--table-style", "modern", "show", "overview")[1]
    assert "control.sock" in call("show", "endpoint")[1]
    assert call("health_check", "local_alarms")[1] == "health check passed\n"
    assert call("health_check", "port_listener", "--port", str(own.port))[0] == os.EX_OK
    assert "rabbitmq_management" in call("plugins", "list_all")[1]
    assert "enabled" in call("feature_flags", "list")[1]
    assert call("feature_flags", "enable_all")[0] == os.EX_OK
    node = call("--non-interactive", "nodes", "list", "--columns", "name")[1].split()[1]
    assert "100.00%" in call("show", "memory_breakdown_in_percent", "--node", node)[1]


def test_a_password_is_hashed_with_salt(call: Call) -> None:
    first = call("--non-interactive", "passwords", "salt_and_hash", "secret")[1].split()[-1]
    second = call("--non-interactive", "passwords", "salt_and_hash", "secret")[1].split()[-1]
    assert len(first) == len(second) == 48
    assert first != second
    longer = call("--non-interactive", "passwords", "salt_and_hash", "secret", "--hashing-algorithm", "SHA512")
    assert len(longer[1].split()[-1]) == 92


def test_definitions_are_changed_on_their_way_out() -> None:
    from amqpd.cli.admin.actions import TRANSFORMATIONS

    definitions = {
        "users": [{"name": "u"}],
        "policies": [{"name": "p", "definition": {"ha-mode": "all"}}, {"name": "o", "definition": {"max-length": 1}}],
    }
    for name in ("exclude_users", "strip_cmq_keys_from_policies", "drop_empty_policies", "no_op"):
        TRANSFORMATIONS[name](definitions)
    assert definitions == {"users": [], "policies": [{"name": "o", "definition": {"max-length": 1}}]}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_learn_to_complete(shell: str, call: Call) -> None:
    code, output, _ = call("shell", "completions", "--shell", shell)
    assert code == os.EX_OK
    assert "operator_policies" in output


def test_help_is_given_for_all_and_for_each(call: Call) -> None:
    assert "queues: list, show, declare" in call("help", "v2")[1]
    assert "--destination-type <destination-type>" in call("declare", "binding", "--help", "--source", "x")[1]
    assert json.dumps(call("help", "subcommands")[1]).count("declare queue") == 1
