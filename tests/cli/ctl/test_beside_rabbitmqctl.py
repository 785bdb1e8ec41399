"""The same commands to amqpctl and, with `--rabbitmqctl`, to the real one: output, errors and exit codes are the same.

Names of nodes and process ids differ, lists are compared without their order, and RabbitMQ's bold is left out.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from amqpd.cli.ctl.main import answer
from amqpd.testing.harness import BrokerProcess
from tests.cli.command import PATIENCE

VHOST = "t.amqpctl"
USER = "t.amqpctl.user"

SCENARIOS = {
    "vhosts": [
        "add_vhost {v}",
        "add_vhost {v}",
        "list_vhosts name foo",
        "restart_vhost -p {v}",
        "restart_vhost -p nope",
        "trace_on -p {v}",
        "trace_off -p {v}",
        "set_vhost_limits -p {v} '{\"max-connections\": 64}'",
        "set_vhost_limits -p {v} '{\"nonsense\": 64}'",
        "set_vhost_limits -p {v} nojson",
        "set_vhost_limits -p nope '{\"max-connections\": 64}'",
        "list_vhost_limits -p {v}",
        "list_vhost_limits -p nope",
        "list_vhost_limits -p {v} --formatter json",
        "list_vhosts name cluster_state",
        "clear_vhost_limits -p {v}",
        "clear_vhost_limits -p nope",
        "delete_vhost nope",
        "delete_vhost {v} extra",
        "delete_vhost {v}",
    ],
    "users": [
        "add_user {u} secret",
        "add_user {u} secret",
        "add_user",
        "add_user a b c",
        "add_user '' secret",
        "add_user {u}.other secret --dry-run",
        "add_user {u} secret --formatter json",
        "delete_user {u}.other --formatter json",
        "set_permissions {u}.other .* .* .* --formatter json",
        "set_permissions -p nope {u} .* .* .* --formatter json",
        "list_user_permissions {u} --formatter json",
        "list_user_limits",
        "list_user_limits --user {u} --formatter json",
        "authenticate_user {u} secret --formatter json",
        "change_password {u} other",
        "change_password nobody other",
        "authenticate_user {u} other",
        "authenticate_user {u} secret",
        "set_user_tags {u} management monitoring",
        "set_user_tags nobody management",
        "set_user_limits {u} '{\"max-connections\": 3}'",
        "set_user_limits {u} '{\"nonsense\": 3}'",
        "set_user_limits nobody '{\"max-connections\": 3}'",
        "list_user_limits --user {u}",
        "list_user_limits --user nobody",
        "clear_user_limits {u} max-connections",
        "clear_user_limits nobody all",
        "clear_password {u}",
        "clear_password nobody",
        "delete_user {u}",
        "delete_user {u}",
    ],
    "permissions": [
        "add_vhost {v}",
        "add_user {u} secret -q",
        "set_permissions -p {v} {u} .* ^a ''",
        "set_permissions -p {v} nobody .* ^a ''",
        "set_permissions -p nope {u} .* ^a ''",
        "set_permissions -p {v} {u} .*",
        "list_permissions -p {v}",
        "list_permissions -p {v} --formatter json",
        "list_permissions -p nope",
        "list_user_permissions {u}",
        "list_user_permissions nobody",
        "set_topic_permissions -p {v} {u} amq.topic ^a ^b",
        "list_topic_permissions -p {v}",
        "list_user_topic_permissions {u}",
        "clear_topic_permissions -p {v} {u} amq.topic",
        "list_topic_permissions -p {v}",
        "clear_permissions -p {v} {u}",
        "list_permissions -p {v}",
        "delete_user {u}",
        "delete_vhost {v}",
    ],
    "policies": [
        "add_vhost {v}",
        'set_policy -p {v} pol ^q \'{"max-length":10,"message-ttl":1000}\' --priority 3 --apply-to queues',
        "set_policy -p {v} pol2 ^q '{\"nonsense\":10}'",
        "set_policy -p {v} pol2 ^q nojson",
        "set_policy -p {v} pol2 ^q '{\"max-length\":10}' --priority abc",
        "set_policy -p {v} pol2 ^q",
        "set_policy -p nope pol2 ^q '{\"max-length\":10}'",
        "list_policies -p {v}",
        "list_policies -p {v} --formatter json",
        "list_policies -p nope",
        "clear_policy -p {v} pol",
        "clear_policy -p {v} pol",
        "set_operator_policy -p {v} op ^q '{\"max-length\":20}' --priority 1",
        "list_operator_policies -p {v}",
        "clear_operator_policy -p {v} op",
        "set_parameter -p {v} nonsense name '\"x\"'",
        "set_parameter -p {v} nonsense name notjson",
        "clear_parameter -p {v} nonsense name",
        "list_parameters -p {v}",
        "list_parameters -p nope",
        "set_global_parameter t.gp '{\"a\":1}'",
        "clear_global_parameter t.gp",
        "clear_global_parameter t.gp",
        "delete_vhost {v}",
    ],
    "lists": [
        "add_vhost {v}",
        "list_queues -p {v}",
        "list_queues -p {v} -t 5",
        "list_queues -p {v} --offline",
        "list_queues -p nope",
        "list_queues -p {v} name foo bar",
        "list_queues -p {v} --nonsense",
        "list_queues -p",
        "list_exchanges -p {v}",
        "list_exchanges -p {v} name type durable auto_delete internal arguments policy",
        "list_exchanges -p {v} --formatter csv",
        "list_exchanges -p {v} -q",
        "list_exchanges -p {v} -s",
        "list_exchanges -p {v} -t 0",
        "list_exchanges -p {v} --dry-run",
        "list_exchanges -p {v} --formatter csv -s",
        "list_queues -p {v} --formatter json",
        "list_queues -p {v} --dry-run",
        "list_parameters -p {v} --formatter json",
        "list_exchanges -p {v} foo",
        "list_bindings -p {v}",
        "list_bindings -p {v} foo",
        "list_consumers -p {v}",
        "list_connections foo",
        "list_channels foo",
        "list_users foo",
        "list_users -t abc",
        "delete_vhost {v}",
    ],
    "queues and connections": [
        "add_vhost {v}",
        "purge_queue -p {v} nope",
        "delete_queue -p {v} nope",
        "delete_queue",
        "close_connection nonsense bye",
        "close_all_connections -p {v} bye",
        "close_all_connections -p {v} --limit 3 bye",
        "close_all_connections",
        "close_all_user_connections nobody bye",
        "sync_queue -p {v} nope",
        "delete_vhost {v}",
    ],
    "the node": [
        "await_startup",
        "list_qeues",
        "rotate_logs",
        "set_log_level debug",
        "set_log_level notice",
        "set_log_level loud",
        "set_log_level INFO",
        "set_log_level",
        "set_log_level info extra",
        "set_log_level info",
        "hipe_compile /tmp",
        "enable_feature_flag all",
        "enable_feature_flag nonsense",
        "set_vm_memory_high_watermark",
        "set_vm_memory_high_watermark abc",
        "set_vm_memory_high_watermark absolute",
        "set_vm_memory_high_watermark 5",
        "set_disk_free_limit abc",
        "set_disk_free_limit mem_relative",
        "export_definitions",
        "import_definitions /nonexistent.json",
        "import_definitions /dev/null",
        "export_definitions /nonexistent/x.json",
        "wait",
        "join_cluster",
    ],
    "rabbitmq-diagnostics": [
        "-s check_alarms",
        "-s check_local_alarms",
        "-s check_virtual_hosts",
        "check_local_alarms --formatter json",
        "check_virtual_hosts --formatter json",
        "check_running --formatter json",
        "is_running --formatter json",
        "is_booting --formatter json",
        "ping --formatter json",
        "check_certificate_expiration --unit nope --within 3",
        "check_certificate_expiration --unit weeks --within 3 --formatter json",
        "check_if_node_is_quorum_critical --formatter json",
        "check_if_node_is_quorum_critical -s",
        "check_protocol_listener amqp --formatter json",
        "check_port_listener abc",
        "memory_breakdown --unit nope",
        "status --unit nope",
    ],
    "rabbitmq-queues": [
        "rebalance nope",
        "grow node nope",
        "peek nope 1",
        "peek nope 0",
        "quorum_status nope",
        "reclaim_quorum_memory nope",
    ],
    "rabbitmq-streams": [
        "add_replica nope other@node",
        "delete_replica nope other@node",
        "set_stream_retention_policy nope 1h",
        "stream_status nope",
    ],
    "rabbitmq-upgrade": [
        "await_online_quorum_plus_one",
        "await_online_synchronized_mirror",
    ],
}
"""Of rabbitmqctl, or of the tool that the name says."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a broker of our own."""
    folder = tmp_path_factory.mktemp("own")
    with BrokerProcess("-D", str(folder)):
        yield folder


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_says_the_same(
    scenario: str,
    own: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = request.config.getoption("--rabbitmqctl")
    if real is None:
        pytest.skip("without --rabbitmqctl")
    monkeypatch.setenv("AMQPD_DATA_DIR", str(own))
    tool = scenario if scenario.startswith("rabbitmq-") else "rabbitmqctl"
    if tool != "rabbitmqctl" and "rabbitmqctl" not in real:
        pytest.skip(f"from '{real}' it cannot be told where {tool} is")
    command = shlex.split(real.replace("rabbitmqctl", tool))
    for line in SCENARIOS[scenario]:
        words = shlex.split(line.replace("{v}", VHOST).replace("{u}", USER))
        done = subprocess.run(
            [*command, *words], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
        node = re.search(r"-n (\S+)", done.stderr)
        code = answer(tool, words)
        output, errors = capsys.readouterr()
        ours = [code, *_lines(output), "--", *_lines(errors)]
        theirs = [
            done.returncode,
            *_lines(done.stdout),
            "--",
            *_lines(done.stderr.replace(node[0] + " ", "") if node else done.stderr),
        ]
        assert ours == theirs, line


def _lines(text: str) -> list[str]:
    """Without what differs from node to node, and without order."""
    text = re.sub(r"\x1b\[\d*m", "", text)
    text = re.sub(r"^[\d:.]+ \[\w+\] .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\b\w+@[\w-]+\b", "NODE", text)
    return sorted(line for line in text.splitlines() if line)
