"""amqpctl against a broker of its own: what the verbs do, and how what they list is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amqpd.cli.ctl.main import answer
from amqpd.cli.ctl.verbs import VERBS
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicConsume,
    BasicConsumeOk,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionBlocked,
    ConnectionClose,
    ConnectionUnblocked,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties
from tests.cli.command import CLEAN, PATIENCE

Ctl = Callable[..., str]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that may be changed as a whole."""
    with BrokerProcess("-D", str(tmp_path_factory.mktemp("own"))) as process:
        yield process


@pytest.fixture
def call(own: BrokerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ctl:
    """Exit code, output and errors of a command line."""
    for name in os.environ:
        if name.startswith(("AMQPD_", "AMQP_", "AMQPCTL_", "RABBITMQ_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AMQPD_DATA_DIR", own.options[1])

    def call(*words: str) -> tuple[int, str, str]:
        code = answer("amqpctl", words)
        return (code, *capsys.readouterr())

    return call  # type: ignore[return-value]


@pytest.fixture
def ctl(call: Callable[..., tuple[int, str, str]]) -> Ctl:
    """The output of a command line that does what it is told, quietly."""

    def ctl(*words: str) -> str:
        code, output, errors = call("-q", *words)
        assert (code, errors) == (os.EX_OK, ""), words
        return output

    return ctl


@pytest.fixture
def client(own: BrokerProcess, ctl: Ctl) -> Iterator[Client]:
    """A connection with channel 1 open, and a vhost that is as new after the test."""
    with Client(own.url) as client:
        client.channel(1)
        yield client
    ctl("reset")


def declare(client: Client, queue: str, **properties: object) -> None:
    client.call(1, QueueDeclare(queue=queue, **properties), QueueDeclareOk)  # type: ignore[arg-type]


# --- lists


def test_queues_are_listed_with_the_columns_that_are_wanted(client: Client, ctl: Ctl) -> None:
    declare(client, "one", durable=True, arguments={"x-max-length": 5, "x-overflow": "reject-publish"})
    declare(client, "two", exclusive=True)
    client.publish(1, "", "one", b"hello")
    client.call(1, BasicGet(queue="one", no_ack=False), BasicGetOk)
    assert ctl("list_queues") == "name\tmessages\none\t1\ntwo\t0\n"
    assert ctl("list_queues", "name,messages_unacknowledged", "durable", "exclusive") == (
        "name\tmessages_unacknowledged\tdurable\texclusive\none\t1\ttrue\tfalse\ntwo\t0\tfalse\ttrue\n"
    )
    assert '[{"x-max-length",5},{"x-overflow","reject-publish"}' in ctl("list_queues", "arguments")
    connection = json.loads(ctl("list_connections", "name", "--formatter", "json"))[0]["name"]
    assert ctl("list_queues", "name", "owner_pid", "-s") == f"one\t\ntwo\t{connection}\n"


def test_each_formatter_shows_the_same(client: Client, ctl: Ctl) -> None:
    declare(client, 'with "quotes", é', durable=True)
    declare(client, "plain", durable=True)
    assert ctl("list_queues", "--formatter", "json") == (
        '[\n{"name":"plain","messages":0}\n,{"name":"with \\"quotes\\", é","messages":0}\n]\n'
    )
    assert ctl("list_queues", "--formatter", "csv") == ('"name","messages"\n"plain","0"\n"with ""quotes"", é","0"\n')
    assert ctl("list_queues", "--formatter", "erlang") == (
        '[[{name,<<"plain">>},{messages,0}],\n [{name,<<"with \\"quotes\\", é">>},{messages,0}]]\n'
    )
    assert ctl("list_queues", "--formatter", "json_stream").split("\n\n")[0] == '{"name":"plain","messages":0}'
    assert ctl("list_queues", "--formatter", "pretty_table").splitlines()[:4] == [
        "┌──────────────────┬──────────┐",
        "│ name             │ messages │",
        "├──────────────────┼──────────┤",
        "│ plain            │ 0        │",
    ]


def test_an_empty_list_has_no_header(ctl: Ctl) -> None:
    assert ctl("list_queues") == ""
    assert ctl("list_queues", "--formatter", "json") == "[\n]\n"
    assert ctl("list_queues", "--formatter", "csv") == ""


def test_bindings_exchanges_channels_and_consumers_are_listed(client: Client, ctl: Ctl) -> None:
    client.call(1, ExchangeDeclare(exchange="x", type="topic", durable=True), ExchangeDeclareOk)
    declare(client, "q", durable=True)
    client.call(1, QueueBind(queue="q", exchange="x", routing_key="a.#", arguments={"n": 1, "s": "t"}), QueueBindOk)
    client.call(1, BasicConsume(queue="q", consumer_tag="tag"), BasicConsumeOk)
    assert ctl("list_bindings") == (
        "source_name\tsource_kind\tdestination_name\tdestination_kind\trouting_key\targuments\n"
        "\texchange\tq\tqueue\tq\t[]\n"
        'x\texchange\tq\tqueue\ta.#\t[{"n",1},{"s","t"}]\n'
    )
    assert json.loads(ctl("list_bindings", "arguments", "--formatter", "json"))[1] == {
        "arguments": [["n", "long", 1], ["s", "longstr", "t"]]
    }
    assert "x\ttopic\ttrue\n" in ctl("list_exchanges", "name", "type", "durable")
    name = ctl("list_connections", "name", "-s").strip()
    assert ctl("list_connections", "-s").split("\t")[::3] == ["guest", "running\n"]
    assert ctl("list_channels") == f"pid\tuser\tconsumer_count\tmessages_unacknowledged\n{name} (1)\tguest\t1\t0\n"
    assert ctl("list_consumers") == (
        "queue_name\tchannel_pid\tconsumer_tag\tack_required\tprefetch_count\tactive\targuments\n"
        f"q\t{name} (1)\ttag\ttrue\t0\ttrue\t[]\n"
    )


def test_columns_are_told_apart_from_what_is_none(call: Callable[..., tuple[int, str, str]]) -> None:
    code, output, errors = call("list_queues", "name", "nonsense")
    assert (code, output) == (os.EX_USAGE, "")
    assert errors.startswith(
        "Error (argument validation): Info key(s) nonsense are not supported\nArguments given:\n\tlist_queues name"
        " nonsense\n\nUsage\n\namqpctl [--node <node>] [--longnames] [--quiet] list_queues [--vhost <vhost>]"
    )


# --- changes


def test_users_come_and_go(ctl: Ctl, call: Callable[..., tuple[int, str, str]]) -> None:
    code, output, _ = call("add_user", "anna", "secret")
    assert (code, output.splitlines()[0]) == (os.EX_OK, 'Adding user "anna" ...')
    assert call("add_user", "anna", "secret")[0] == os.EX_SOFTWARE
    ctl("set_user_tags", "anna", "monitoring", "management")
    assert "anna\t[monitoring, management]\n" in ctl("list_users")
    assert ctl("authenticate_user", "anna", "secret") == ""
    assert call("authenticate_user", "anna", "wrong")[::2] == (
        os.EX_DATAERR,
        "Error:\nError: failed to authenticate user \"anna\"\nuser 'anna' - invalid credentials\n",
    )
    ctl("change_password", "anna", "other")
    ctl("authenticate_user", "anna", "other")
    assert "anna\t[monitoring, management]\n" in ctl("list_users")
    ctl("clear_password", "anna")
    assert call("authenticate_user", "anna", "other")[0] == os.EX_DATAERR
    ctl("delete_user", "anna")
    assert call("delete_user", "anna")[::2] == (os.EX_NOUSER, 'Error:\nUser "anna" does not exist\n')


def test_a_password_may_come_from_the_input(own: BrokerProcess, ctl: Ctl) -> None:
    environment = {**CLEAN, "AMQPD_DATA_DIR": own.options[1]}
    done = subprocess.run(
        [sys.executable, "-m", "amqpd.cli.ctl", "-q", "add_user", "paul"],
        input="from stdin\n", capture_output=True, text=True, timeout=PATIENCE, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    ctl("authenticate_user", "paul", "from stdin")
    ctl("delete_user", "paul")


def test_permissions_are_given_and_taken(ctl: Ctl) -> None:
    ctl("add_vhost", "v", "--description", "text", "--tags", "a,b", "--default-queue-type", "quorum")
    ctl("add_vhost", "v")
    assert "v\ttext\t[a, b]\tquorum\n" in ctl("list_vhosts", "name", "description", "tags", "default_queue_type")
    ctl("add_user", "anna", "secret")
    ctl("set_permissions", "-p", "v", "anna", ".*", "^a", "")
    assert "anna\t.*\t^a\t\n" in ctl("list_permissions", "-p", "v")
    assert ctl("list_user_permissions", "anna") == "vhost\tconfigure\twrite\tread\nv\t.*\t^a\t\n"
    for exchange in ("amq.topic", "other"):
        ctl("set_topic_permissions", "-p", "v", "anna", exchange, "^w", "^r")
    ctl("clear_topic_permissions", "-p", "v", "anna", "amq.topic")
    assert ctl("list_topic_permissions", "-p", "v") == "user\texchange\twrite\tread\nanna\tother\t^w\t^r\n"
    ctl("clear_permissions", "-p", "v", "anna")
    assert "anna" not in ctl("list_permissions", "-p", "v")
    ctl("delete_user", "anna")
    ctl("delete_vhost", "v")


def test_policies_and_limits_are_set_and_cleared(client: Client, ctl: Ctl) -> None:
    declare(client, "q", durable=True)
    ctl("set_policy", "p", "^q", '{"max-length":3}', "--priority", "2", "--apply-to", "queues")
    assert ctl("list_policies", "-s") == '/\tp\t^q\tqueues\t{"max-length":3}\t2\n'
    assert ctl("list_queues", "policy", "-s") == "p\n"
    ctl("clear_policy", "p")
    ctl("set_operator_policy", "o", "^q", '{"max-length":3}')
    assert ctl("list_operator_policies", "-s") == '/\to\t^q\tall\t{"max-length":3}\t0\n'
    ctl("set_vhost_limits", '{"max-connections": 9, "max-queues": 8}')
    assert ctl("list_vhost_limits") == '{"max-connections":9,"max-queues":8}\n'
    ctl("set_vhost_limits", '{"max-queues": 8}')
    assert ctl("list_vhost_limits", "--global") == 'vhost\tlimits\n/\t{"max-queues":8}\n'
    ctl("clear_vhost_limits")
    assert ctl("list_vhost_limits") == "\n"
    ctl("set_user_limits", "guest", '{"max-channels": 5}')
    assert ctl("list_user_limits", "--user", "guest") == '{"max-channels":5}\n'
    ctl("clear_user_limits", "guest", "all")
    ctl("set_global_parameter", "gp", '{"a":[1,2]}')
    assert 'gp\t{"a":[1,2]}\n' in ctl("list_global_parameters")


def test_a_queue_is_created_looked_into_purged_and_deleted(
    client: Client, ctl: Ctl, call: Callable[..., tuple[int, str, str]]
) -> None:
    ctl("create_queue", "--durable", "--max-length", "5", "q")
    client.publish(1, "", "q", b"first")
    client.publish(1, "", "q", b"second", Properties(headers={"a": 1}))
    declare(client, "q", durable=True, arguments={"x-max-length": 5})  # everything before has been handled
    assert "payload\tsecond\n" in ctl("peek", "q", "2")
    assert call("peek", "q", "3")[2] == "Error:\nno_message_at_pos\n"
    assert ctl("list_queues", "messages_ready", "-s") == "2\n"
    assert call("delete_queue", "q", "--if-empty")[::2] == (os.EX_USAGE, "Error:\nQueue is not empty\n")
    ctl("purge_queue", "q")
    assert isinstance(client.call(1, BasicGet(queue="q"), BasicGetEmpty), BasicGetEmpty)
    assert call("delete_queue", "-e", "q")[1].endswith("Queue was successfully deleted with 0 ready messages\n")
    assert ctl("list_queues") == ""


@pytest.mark.parametrize("how", ["name", "pattern", "everything"])
def test_a_client_is_sent_away_with_a_reason(how: str, own: BrokerProcess, ctl: Ctl) -> None:
    with Client(own.url) as client:
        name = ctl("list_connections", "name", "-s").strip()
        words = {
            "name": ["close_connection", name, "go", "now"],
            "pattern": ["close_connection", "127.*", "go now"],
            "everything": ["close_all_connections", "go now"],
        }[how]
        ctl(*words)
        close = client.expect(0, ConnectionClose)
    assert close.reply_text == "CONNECTION_FORCED - go now"


# --- the broker as a whole


def test_publishers_are_blocked_by_a_limit_that_is_passed(own: BrokerProcess, ctl: Ctl, call: Ctl) -> None:
    with Client(own.url) as client:
        client.channel(1)
        ctl("set_vm_memory_high_watermark", "absolute", "1kB")
        client.publish(1, "", "nowhere", b"")
        assert client.expect(0, ConnectionBlocked).reason == "low on memory"
        code, _, errors = call("check_local_alarms", "-n", "rabbit@here")
        assert code == os.EX_UNAVAILABLE
        assert errors == "Error:\nNode rabbit@here reported local alarms:\nMemory alarm on node rabbit@here\n"
        ctl("set_vm_memory_high_watermark", "0.9")
        client.expect(0, ConnectionUnblocked)
    ctl("check_alarms")
    ctl("set_disk_free_limit", "10000GB")
    assert call("check_alarms")[0] == os.EX_UNAVAILABLE
    ctl("set_disk_free_limit", "mem_relative", "0.000001")
    ctl("check_local_alarms")


def test_a_reset_leaves_nothing_but_the_defaults(own: BrokerProcess, ctl: Ctl) -> None:
    with Client(own.url) as client:
        client.channel(1)
        declare(client, "q", durable=True)
        client.publish(1, "", "q", b"m", Properties(delivery_mode=2))
        ctl("add_vhost", "v")
        ctl("add_user", "anna", "secret")
        ctl("set_policy", "p", "^q", '{"max-length":3}')
        ctl("reset")
        client.expect(0, ConnectionClose)
    for verb, shown in (("list_queues", ""), ("list_policies", "\n"), ("list_vhosts", "name\n/\n"),
                        ("list_users", "user\ttags\nguest\t[administrator]\n"),
                        ("list_permissions", "user\tconfigure\twrite\tread\nguest\t.*\t.*\t.*\n")):  # fmt: skip
        assert ctl(verb).strip() == shown.strip(), verb
    with Client(own.url) as client:
        client.channel(1)
        declare(client, "q", durable=True)
    ctl("reset")


def test_a_broker_that_is_suspended_takes_nobody(own: BrokerProcess, ctl: Ctl, call: Ctl) -> None:
    with Client(own.url) as stays, Client(own.url) as leaves:
        ctl("suspend_listeners")
        with pytest.raises(ConnectionRefusedError):
            Client(own.url)
        stays.call(1, ChannelOpen(), ChannelOpenOk)
        declare(stays, "kept", durable=True)
        declare(stays, "transient")
        ctl("resume_listeners")
        ctl("resume_listeners")
        Client(own.url).drop()
        ctl("stop_app")
        stays.expect(0, ConnectionClose)
        leaves.expect(0, ConnectionClose)
    assert call("ping")[0] == os.EX_UNAVAILABLE
    ctl("start_app")
    ctl("ping")
    left = ctl("list_queues", "name").split()
    assert "kept" in left
    assert "transient" not in left
    ctl("delete_queue", "kept")


def test_the_settings_are_shown_without_passwords(ctl: Ctl) -> None:
    shown = ctl("environment")
    assert "{heartbeat,60}" in shown
    assert "default_pass" in shown
    assert "guest" not in shown.partition("{default_pass,")[2].partition("}")[0]


@pytest.mark.parametrize("verb", ["eval", "exec", "eval_file"])
def test_nobody_evaluates_erlang(verb: str, call: Ctl) -> None:
    code, output, errors = call(verb, "rabbit:stop().")  # type: ignore[misc]
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert errors.startswith("Error:\nthere is no Erlang to evaluate")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["cluster_status"], os.EX_OK),
        (["force_boot"], os.EX_OK),
        (["join_cluster", "rabbit@other"], os.EX_UNAVAILABLE),
        (["forget_cluster_node", "rabbit@other"], os.EX_UNAVAILABLE),
        (["change_cluster_node_type", "ram"], os.EX_UNAVAILABLE),
        (["await_online_nodes", "1"], os.EX_OK),
        (["await_online_nodes", "2"], os.EX_TEMPFAIL),
        (["list_feature_flags"], os.EX_OK),
        (["enable_feature_flag", "all"], os.EX_OK),
        (["enable_feature_flag", "nonsense"], os.EX_USAGE),
        (["rebalance", "all"], os.EX_OK),
        (["discover_peers"], os.EX_OK),
        (["check_if_node_is_quorum_critical"], os.EX_OK),
        (["schema_info"], os.EX_UNAVAILABLE),
        (["report"], os.EX_OK),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_belongs_to_a_cluster_is_answered_politely(words: list[str], code: int, call: Ctl) -> None:
    found, _output, errors = call(*words)  # type: ignore[misc]
    assert found == code
    assert bool(errors) is (code != os.EX_OK)
    assert "Traceback" not in errors


def test_a_quorum_queue_has_one_member(client: Client, ctl: Ctl, call: Ctl) -> None:
    declare(client, "q", durable=True, arguments={"x-queue-type": "quorum"})
    declare(client, "c", durable=True)
    assert ctl("quorum_status", "q").splitlines()[1].split("\t")[1] == "leader"
    assert call("quorum_status", "c")[2] == "Error:\nCannot get quorum status of a classic queue\n"  # type: ignore[misc]
    assert call("add_member", "q", "rabbit@other")[0] == os.EX_UNAVAILABLE


# --- the command itself


def test_every_verb_is_where_the_table_says() -> None:
    from amqpd.cli.ctl.main import _function

    for verb in VERBS.values():
        assert callable(_function(verb)), verb.name
        assert verb.most is None or verb.least <= verb.most


def test_help_is_given_for_all_and_for_each(call: Ctl) -> None:
    code, output, errors = call("help")  # type: ignore[misc]
    assert (code, errors) == (os.EX_OK, "")
    for name in VERBS:
        assert f"\n   {name} " in output
        assert call("help", name)[0] == os.EX_OK  # type: ignore[comparison-overlap]
    assert "must be one of ack_required, " in call("list_consumers", "--help")[1]
    assert call()[0] == os.EX_USAGE  # type: ignore[comparison-overlap]
    assert call("autocomplete", "list_q")[1] == "list_queues\n"
    assert call("list_qeues")[2] == "\nCommand 'list_qeues' not found. \nDid you mean 'list_queues'? \n\n"


def test_a_shell_is_told_what_may_follow() -> None:
    def completed(line: str) -> list[str]:
        words = line.split(" ")
        done = subprocess.run(
            [sys.executable, "-m", "amqpd.cli.ctl"], capture_output=True, text=True, timeout=PATIENCE,
            env={**CLEAN, "_AMQPCTL_COMPLETE": "1", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        )  # fmt: skip
        return done.stdout.split()

    assert completed("amqpctl list_qu") == ["list_queues"]
    assert "messages_ready" in completed("amqpctl list_queues messages_r")
    assert "--if-empty" in completed("amqpctl delete_queue --if")
    assert "json" in completed("amqpctl list_queues --formatter js")


def test_a_list_is_quickly_there(own: BrokerProcess, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "amqpd.cli.ctl", "list_queues"]
    environment = {**CLEAN, "AMQPD_DATA_DIR": own.options[1], "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as it is installed
    best = 10.0
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        best = min(best, time.perf_counter() - began)
    assert best < 0.3


def test_it_loads_next_to_nothing() -> None:
    script = "import sys, amqpd.cli.ctl.main, amqpd.cli.ctl.lists; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=CLEAN)
    assert not {"asyncio", "starlette", "uvicorn", "structlog", "lmdb", "amqpd.config", "amqpd.broker"} & set(
        done.stdout.split()
    )


def test_the_control_socket_is_nobody_elses(own: BrokerProcess) -> None:
    socket = Path(own.options[1]) / "control.sock"
    assert socket.is_socket()
    assert socket.stat().st_mode & 0o077 == 0


# --- definitions


def test_definitions_are_exported_and_imported(client: Client, ctl: Ctl, call: Ctl, tmp_path: Path) -> None:
    declare(client, "kept", durable=True)
    file = tmp_path / "definitions.json"
    ctl("export_definitions", str(file))
    assert "kept" in [queue["name"] for queue in json.loads(file.read_text())["queues"]]
    assert json.loads(ctl("export_definitions", "-"))["vhosts"][0]["name"] == "/"
    ctl("reset")
    assert ctl("list_queues") == ""
    ctl("import_definitions", str(file))
    assert ctl("list_queues", "name", "-s") == "kept\n"
    file.write_text("{")
    assert call("import_definitions", str(file))[0] == os.EX_DATAERR  # type: ignore[comparison-overlap]
    assert call("import_definitions", "/nonexistent")[0] == os.EX_DATAERR  # type: ignore[comparison-overlap]
    assert list(tmp_path.iterdir()) == [file]


def test_the_log_level_is_set_while_the_broker_runs(own: BrokerProcess, call: Ctl, client: Client) -> None:
    declare(client, "before")
    assert call("set_log_level", "debug") == (os.EX_OK, 'Setting log level to "debug" ...\n', "")  # type: ignore[comparison-overlap]
    declare(client, "meanwhile")
    assert call("-q", "set_log_level", "notice") == (os.EX_OK, "", "")  # type: ignore[comparison-overlap]
    declare(client, "after")
    call("set_log_level", "debug")
    declare(client, "again")
    logged: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while "again" not in logged and time.monotonic() < deadline:
        logged = [line.split("queue=")[1].split()[0] for line in list(own.log) if "] queue created" in line]
    assert logged == ["meanwhile", "again"]
    call("set_log_level", "info")
    code, output, errors = call("set_log_level", "loud")
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert errors == "Error:\nlevel loud is not supported. Try one of debug, info, warning, error, critical, none\n"


# --- what may be said to any verb


def test_what_is_only_rehearsed_is_not_done(ctl: Ctl, call: Ctl) -> None:
    users = ctl("list_users", "-s")
    said = 'Adding user "rehearsed" ...\n'
    assert call("add_user", "rehearsed", "secret", "--dry-run") == (os.EX_OK, said, "")  # type: ignore[comparison-overlap]
    assert call("-q", "add_user", "rehearsed", "secret", "--dry-run") == (os.EX_OK, "", "")  # type: ignore[comparison-overlap]
    assert call("--dry-run", "list_queues", "--formatter", "json") == (os.EX_OK, "", "")  # type: ignore[comparison-overlap]
    assert ctl("list_users", "-s") == users


def test_no_time_is_too_little(call: Ctl) -> None:
    code, output, errors = call("list_queues", "-t", "0", "-n", "rabbit@here")
    assert (code, output) == (os.EX_TEMPFAIL, "")
    assert errors == "Error: operation list_queues on node rabbit@here timed out. Timeout value used: 0\n"
    assert call("list_queues", "-t", "-1")[0] == os.EX_USAGE  # type: ignore[comparison-overlap]


def test_programs_are_told_of_errors_in_json(call: Ctl) -> None:
    code, output, errors = call("delete_user", "nobody", "--formatter", "json", "-n", "rabbit@here")
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert errors == '{"message":"User nobody does not exists","node":"rabbit@here","result":"error"}\n'
    errors = call("check_port_listener", "1", "--formatter", "json")[2]
    assert json.loads(errors)["missing"] == "1"
    assert json.loads(call("list_users", "--formatter", "json")[1])[0] == {"user": "guest", "tags": ["administrator"]}


def test_the_end_of_the_log_is_shown_where_it_is_a_file(call: Ctl, tmp_path: Path) -> None:
    assert "not in a file" in call("log_tail")[2]
    log = tmp_path / "amqpd.log"
    with BrokerProcess("-D", str(tmp_path), environment={"AMQPD_LOG_FILE": str(log), "AMQPD_LOG_CONSOLE": "true"}):
        code, output, _ = call("-q", "log_tail", "-N", "1", "-D", str(tmp_path))
        assert (code, output) == (os.EX_OK, log.read_text().splitlines()[-1] + "\n")


def test_what_is_about_erlang_is_answered_whatever_its_options(call: Ctl) -> None:
    code, _, errors = call("runtime_thread_stats", "--sample-interval", "1")
    assert code == os.EX_UNAVAILABLE
    assert "is not there" in errors


def test_a_node_can_be_drained_and_revived(own: BrokerProcess, call: Ctl) -> None:
    assert call("drain")[0] == os.EX_OK  # type: ignore[comparison-overlap]
    with pytest.raises(ConnectionError):
        Client(own.url).__enter__()
    assert call("revive")[0] == os.EX_OK  # type: ignore[comparison-overlap]
    with Client(own.url):
        pass
    for verb in ("await_online_quorum_plus_one", "await_online_synchronized_mirror", "post_upgrade"):
        assert call(verb)[0] == os.EX_OK  # type: ignore[comparison-overlap]
