"""rabbitmq.config and advanced.config, said as a rabbitmq.conf."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.config.classic_config import read_text
from amqpd.config.erlang_terms import read_term
from amqpd.config.rabbitmq_keys import row_for, translate
from amqpd.errors import StartupError
from tests.config.test_erlang_terms import TEXTS


def said(settings: str, application: str = "rabbit") -> dict[str, str]:
    return {entry.key: entry.value for entry in read_text(f"[{{{application}, [{settings}]}}].", "F")}


@pytest.mark.parametrize(
    ("settings", "entries"),
    [
        ("{heartbeat, 30}", {"heartbeat": "30"}),
        ('{default_user, <<"bob">>}, {default_pass, <<"x#y">>}', {"default_user": "bob", "default_pass": "x#y"}),
        ("{tcp_listeners, [5672]}", {"listeners.tcp.1": "5672"}),
        ('{tcp_listeners, [{"::1", 5672}, 5673]}', {"listeners.tcp.1": "::1:5672", "listeners.tcp.2": "5673"}),
        ("{tcp_listeners, []}", {"listeners.tcp": "none"}),
        ("{ssl_listeners, [5671]}", {"listeners.ssl.1": "5671"}),
        ("{loopback_users, []}", {"loopback_users": "none"}),
        ('{loopback_users, [<<"a">>, <<"b.c">>]}', {"loopback_users.a": "true", r"loopback_users.b\.c": "true"}),
        ("{default_user_tags, [administrator]}", {"default_user_tags.administrator": "true"}),
        (
            '{default_permissions, [<<"c">>, <<"w">>, <<"r">>]}',
            {"default_permissions.configure": "c", "default_permissions.write": "w", "default_permissions.read": "r"},
        ),
        ("{auth_mechanisms, ['PLAIN', 'EXTERNAL']}", {"auth_mechanisms.1": "PLAIN", "auth_mechanisms.2": "EXTERNAL"}),
        (
            "{auth_backends, [{rabbit_auth_backend_ldap, rabbit_auth_backend_internal}, internal]}",
            {
                "auth_backends.1.authn": "rabbit_auth_backend_ldap",
                "auth_backends.1.authz": "rabbit_auth_backend_internal",
                "auth_backends.2": "internal",
            },
        ),
        ("{vm_memory_high_watermark, 0.4}", {"vm_memory_high_watermark.relative": "0.4"}),
        ('{vm_memory_high_watermark, {absolute, "1GB"}}', {"vm_memory_high_watermark.absolute": "1GB"}),
        ("{disk_free_limit, 50000000}", {"disk_free_limit.absolute": "50000000"}),
        ("{disk_free_limit, {mem_relative, 1.0}}", {"disk_free_limit.relative": "1.0"}),
        (
            "{ssl_options, [{certfile, \"/c.pem\"}, {verify, verify_peer}, {versions, ['tlsv1.2']}]}",
            {
                "ssl_options.certfile": "/c.pem",
                "ssl_options.verify": "verify_peer",
                "ssl_options.versions.1": "tlsv1.2",
            },
        ),
        (
            "{tcp_listen_options, [binary, {backlog, 128}, {nodelay, true}]}",
            {
                "tcp_listen_options.binary": "true",
                "tcp_listen_options.backlog": "128",
                "tcp_listen_options.nodelay": "true",
            },
        ),
        ("{log_levels, [{connection, error}]}", {"log.connection.level": "error"}),
        (
            """{log, [{console, [{enabled, true}, {level, debug}]}, {file, [{file, "x.log"}]},
                {categories, [{channel, [{level, info}]}]}]}""",
            {"log.console": "true", "log.console.level": "debug", "log.file": "x.log", "log.channel.level": "info"},
        ),
        (
            "{permit_deprecated_features, #{global_qos => false}}",
            {"deprecated_features.permit.global_qos": "false"},
        ),
        ('{default_pass, {encrypted, <<"xyz">>}}', {"default_pass": "encrypted:"}),
    ],
)
def test_what_is_said_of_rabbit(settings: str, entries: dict[str, str]) -> None:
    assert said(settings) == entries


@pytest.mark.parametrize(
    ("application", "settings", "entries"),
    [
        (
            "rabbitmq_management",
            '{listener, [{port, 15672}, {ip, "127.0.0.1"}]}, {load_definitions, "/d.json"}',
            {
                "management.listener.port": "15672",
                "management.listener.ip": "127.0.0.1",
                "management.load_definitions": "/d.json",
            },
        ),
        ("rabbitmq_prometheus", "{tcp_config, [{port, 15692}]}", {"prometheus.tcp.port": "15692"}),
        (
            "rabbitmq_mqtt",
            "{tcp_listeners, [1883]}, {prefetch, 10}",
            {"mqtt.listeners.tcp.1": "1883", "mqtt.prefetch": "10"},
        ),
        ("rabbitmq_shovel", "{shovels, [{mine, [{sources, []}]}]}", {"rabbitmq_shovel.shovels.mine.sources": "[]"}),
    ],
)
def test_what_is_said_of_other_applications(application: str, settings: str, entries: dict[str, str]) -> None:
    assert said(settings, application) == entries
    for key in entries:
        assert row_for(key), key


def test_entries_have_their_lines() -> None:
    text = "[\n {rabbit, [\n  {heartbeat, 30},\n  {log, [\n   {console, [{enabled, true}]}]}]}\n]."
    assert [entry.place for entry in read_text(text, "F")] == ["F:3", "F:5"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("rabbit.", "F:1: it has to be a list of {application, [{key, value}, ...]}"),
        ("[\n{rabbit, 5}].", "F:2: {rabbit, ...} has to have a list of {key, value}"),
        ("[\n{rabbit, [{a, b, c}]}].", "F:2: {rabbit, ...} has to have a list of {key, value}"),
    ],
)
def test_anything_else_is_refused_with_its_line(text: str, error: str) -> None:
    with pytest.raises(StartupError) as caught:
        read_text(text, "F")
    assert (caught.value.exit_code, str(caught.value)) == (os.EX_CONFIG, error)


ATOMS = st.sampled_from(
    ["rabbit", "log", "tcp_listeners", "disk_free_limit", "default_permissions", "ssl_options", "a"]
)
TERMS = st.recursive(
    ATOMS | st.integers(-9, 99999).map(str) | st.sampled_from(['"x"', '<<"y">>', "0.4", "true"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(inner, max_size=3).map(lambda items: f"{{{', '.join(items)}}}")
        | st.tuples(ATOMS, inner).map(lambda pair: f"{{{pair[0]}, {pair[1]}}}")
    ),
    max_leaves=12,
)


@given(TEXTS | TERMS.map("{}.".format) | st.lists(TERMS).map(lambda terms: f"[{{rabbit, [{', '.join(terms)}]}}]."))
def test_any_text_is_translated_or_refused_with_its_line(text: str) -> None:
    try:
        entries = read_text(text, "F")
    except StartupError as error:
        problem = str(error)
        assert problem.startswith("F:")
    else:
        translate(list({entry.key: entry for entry in entries}.values()))


@given(TERMS)
def test_generated_terms_are_terms(text: str) -> None:
    read_term(text, "F")
