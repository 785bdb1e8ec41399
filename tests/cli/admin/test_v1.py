"""rabbitmqadmin v1's grammar, words and tables."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from amqpd.cli.admin.main import answer
from amqpd.cli.admin.tables import table_of
from tests.cli.command import CLEAN, PATIENCE

from .conftest import Call


def test_what_is_declared_is_listed_and_deleted(call: Call, vhost: str) -> None:
    assert call("-V", vhost, "declare", "queue", "name=q", "durable=true", 'arguments={"x-max-length":5}') == (
        os.EX_OK, "queue declared\n", "",
    )  # fmt: skip
    assert call("--vhost=v", "declare", "queue", "name=quorum", "queue_type=quorum")[1] == "queue declared\n"
    assert call("-V", vhost, "declare", "exchange", "name=x", "type=topic")[1] == "exchange declared\n"
    assert call("declare", "-V", vhost, "binding", "source=x", "destination=q", "routing_key=a.#")[1] == (
        "binding declared\n"
    )
    assert call("-V", vhost, "list", "queues", "name", "type") == (
        os.EX_OK,
        (
            "+--------+---------+\n"
            "|  name  |  type   |\n"
            "+--------+---------+\n"
            "| q      | classic |\n"
            "| quorum | quorum  |\n"
            "+--------+---------+\n"
        ),
        "",
    )
    assert call("-V", vhost, "list", "bindings", "source", "routing_key", "-f", "tsv")[1] == (
        "source\trouting_key\n\tq\n\tquorum\nx\ta.#\n"
    )
    assert call(
        "-V", vhost, "delete", "binding", "source=x", "destination_type=queue", "destination=q", "properties_key=a.%23"
    )[1] == "binding deleted\n"  # fmt: skip
    assert call("-V", vhost, "delete", "queue", "name=q")[1] == "queue deleted\n"
    assert call("-V", vhost, "delete", "queue", "name=q") == (1, "", "*** Not found: /api/queues/v/q\n\n")


def test_messages_are_published_and_got(call: Call, vhost: str, tmp_path: Path) -> None:
    call("-V", vhost, "declare", "queue", "name=q")
    assert call("-V", vhost, "publish", "routing_key=q", "payload=hello")[1] == "Message published\n"
    assert call("-V", vhost, "publish", "routing_key=q", stdin=b"\xff\x00")[1] == "Message published\n"
    assert call("-V", vhost, "publish", "routing_key=nowhere", "payload=")[1] == "Message published but NOT routed\n"
    shown = json.loads(call("-V", vhost, "-f", "raw_json", "get", "queue=q", "count=2")[1])
    assert [each["payload"] for each in shown] == ["hello", "/wA="]
    file = tmp_path / "payload"
    call("-V", vhost, "get", "queue=q", "ackmode=ack_requeue_false", f"payload_file={file}")
    assert file.read_bytes() == b"hello"
    call("-V", vhost, "get", "queue=q", "ackmode=reject_requeue_false", f"payload_file={file}")
    assert file.read_bytes() == b"\xff\x00"
    assert call("-V", vhost, "get", "queue=q")[1] == "No items\n"
    assert call("-q", "-V", vhost, "get", "queue=q")[1] == ""
    assert call("-V", vhost, "purge", "queue", "name=q")[1] == "queue purged\n"


def test_everything_else_has_its_place(call: Call, vhost: str) -> None:
    for words in (
        ["user", "name=anna", "password=secret", "tags=monitoring"],
        ["permission", "vhost=v", "user=anna", "configure=.*", "write=.*", "read=.*"],
        ["policy", "name=p", "pattern=^q", 'definition={"max-length":3}', "priority=2", "-V", vhost],
        ["operator_policy", "name=p", "pattern=^q", 'definition={"max-length":3}', "-V", vhost],
        ["vhost_limit", "vhost=v", "name=max-queues", "value=5"],
    ):
        assert call("declare", *words) == (os.EX_OK, f"{words[0]} declared\n", "")
    assert '| v     | p    | all      | {"max-length": 3} | ^q      | 2        |\n' in call("list", "policies")[1]
    assert "anna" in call("list", "users", "name", "tags")[1]
    for words in (
        ["policy", "name=p", "-V", vhost],
        ["operator_policy", "name=p", "-V", vhost],
        ["vhost_limit", "vhost=v", "name=max-queues"],
        ["permission", "vhost=v", "user=anna"],
        ["user", "name=anna"],
    ):
        assert call("delete", *words) == (os.EX_OK, f"{words[0]} deleted\n", "")
    assert call("show", "overview", "object_totals.queues")[1].splitlines()[1] == "| object_totals.queues |"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "\nERROR: Action not specified\n"),
        (["dance"], "\nERROR: Action dance not understood\n"),
        (["declare"], "\nERROR: Type not specified\n"),
        (["declare", "universe"], "\nERROR: Type universe not recognised\n"),
        (["declare", "queue"], '\nERROR: mandatory argument "name" is required\n'),
        (["declare", "queue", "name"], '\nERROR: Argument "name" not in the name=value format\n'),
        (["declare", "queue", "name=q", "colour=red"], '\nERROR: Argument "colour" is not recognised\n'),
        (["declare", "queue", "name="], '\nERROR: Argument "name" must not be empty\n'),
        (["declare", "queue", "name=q", "arguments={"], "ERROR: Could not parse JSON:\n  {\n"),
        (["list", "stars"], "\nERROR: Don't know how to list stars\n"),
        (["-f", "prose", "list", "queues"], "\nERROR: Format prose not recognised\n"),
        (["-N", "elsewhere", "-c", "/nonexistent", "list", "queues"],
         "\nERROR: Could not read config file '/nonexistent'\n"),
        (["declare", "exchange", "name=x", "type=odd"], "*** unknown exchange type 'odd'\n"),
        (["-P", "1", "list", "queues"], "*** Could not connect: cannot connect to localhost:1: Connection refused\n"),
        (["-D", "/nonexistent", "list", "queues"],
         "*** Could not connect: no broker can be asked in data folder /nonexistent\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_cannot_be_is_said_and_leaves_with_1(words: list[str], said: str, call: Call) -> None:
    code, output, errors = call(*words)
    assert (code, output) == (1, "")
    assert errors.startswith(said)


def test_an_option_that_is_none_leaves_with_2(call: Call) -> None:
    code, _, errors = call("--colour", "list", "queues")
    assert code == 2
    assert "no such option: --colour\n" in errors


def test_a_wrong_password_is_refused(call: Call, http_port: str) -> None:
    found = call("-P", http_port, "-u", "guest", "-p", "wrong", "list", "queues")
    assert found == (1, "", "*** Access refused: /api/queues?columns=name,messages\n\n")


def test_a_section_of_a_file_says_where_the_broker_is(call: Call, http_port: str, tmp_path: Path) -> None:
    (tmp_path / ".rabbitmqadmin.conf").write_text(
        f"[default]\nhostname = localhost\nport = {http_port}\nusername = guest\npassword = 100%\n"
        f"[right]\nhostname = 127.0.0.1\nport = {http_port}\npassword = guest\nssl = False\n"
    )
    assert call("list", "vhosts")[0] == 1
    assert call("-N", "right", "list", "vhosts", "name")[0] == os.EX_OK
    assert call("-p", "guest", "list", "vhosts", "name")[0] == os.EX_OK
    assert "Could not read section 'none'" in call("-N", "none", "list", "vhosts")[2]
    (tmp_path / "v2.toml").write_text(f'[here]\nhostname = "localhost"\nport = {http_port}\npassword = "guest"\n')
    assert call("-c", str(tmp_path / "v2.toml"), "-N", "here", "list", "vhosts", "name")[0] == os.EX_OK


def test_so_do_variables(call: Call, http_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQADMIN_TARGET_HOST", "127.0.0.1")
    monkeypatch.setenv("RABBITMQADMIN_TARGET_PORT", "1")
    assert call("list", "vhosts")[0] == 1
    monkeypatch.setenv("RABBITMQADMIN_TARGET_PORT", http_port)
    assert call("list", "vhosts")[0] == os.EX_OK
    monkeypatch.setenv("RABBITMQADMIN_PASSWORD", "wrong")
    assert call("list", "vhosts")[0] == 1
    assert call("-U", f"http://guest:guest@localhost:{http_port}", "list", "vhosts")[0] == os.EX_OK


def test_all_columns_are_shown_in_order_unless_some_are_chosen() -> None:
    items = [{"b": 1, "name": "n", "deep": {"x": {"y": 2}}, "tags": ["a", "b"], "value": {"v": 1}}]
    assert table_of(items, (), 1) == (["name", "b", "tags"], [["n", "1", "a b"]])
    assert table_of(items, (), 3, ["value"]) == (
        ["name", "b", "deep.x.y", "tags", "value"], [["n", "1", "2", "a b", '{"v": 1}']],
    )  # fmt: skip
    assert table_of(items, ["deep.x.y"], 1) == (["deep.x.y"], [["2"]])


SAME = """
declare vhost name=same
-V same declare queue name=q1 arguments='{"x-max-length":5}'
-V same declare queue name=q1 durable=false
-V same declare exchange name=x1 type=topic
-V same declare exchange name=x1
-V same declare binding source=x1 destination=q1 routing_key=a.#
-V same publish exchange=x1 routing_key=a.b payload=hello
-V same publish exchange=x1 routing_key=z payload=hello
-V same get queue=q1 count=5 ackmode=ack_requeue_true
-V same get queue=nope
-V same list queues name durable arguments
-V same -f long list queues name durable
-V same -f kvp list queues name durable
-V same -f bash list queues name
-V same -f tsv list queues name durable
-q -V same -f tsv list queues name durable
-V same -f raw_json list queues name durable
-V same -f pretty_json list queues name durable
-V same list exchanges
-V same list bindings
-V same -S name -R list exchanges name type
-d 2 -V same list exchanges
list users name tags
list permissions
list nodes name
list nonsense
show nonsense
-V same declare policy name=p pattern=^q definition='{"max-length":3}' priority=2
-V same declare policy name=p pattern=^q definition=nojson
-V same declare policy name=p pattern=^q definition='{"nonsense":3}'
list policies
-V same delete policy name=nope
-V same purge queue name=q1
-V same purge queue name=nope
close connection name=nope
declare
declare user name=u
nonsense
-u nobody -p x list queues
delete vhost name=same
delete vhost name=same
"""


def test_it_says_what_the_script_of_the_plugin_says(
    http_port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script = shutil.which("rabbitmqadmin")
    if script is None:
        pytest.skip("there is no rabbitmqadmin, which comes with RabbitMQ")
    monkeypatch.setenv("HOME", str(tmp_path))
    for line in SAME.strip().splitlines():
        words = ["-P", http_port, *shlex.split(line)]
        changes = not {"list", "show", "get"} & set(words)
        code = answer("rabbitmqadmin", words)
        output, errors = capsys.readouterr()
        if changes and code == 0:
            continue  # done once is done; the words are tested above
        done = subprocess.run(
            [script, *words], capture_output=True, text=True, timeout=PATIENCE, env={**CLEAN, "HOME": str(tmp_path)}
        )
        theirs = done.stdout.replace("| False       |", "| True        |")  # ours has redelivered it
        ours = output.replace("| False       |", "| True        |")
        assert (code, ours, errors) == (done.returncode, theirs, done.stderr), line
