"""The table of rabbitmqadmin v2's commands: by noun and verb, with the options each takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import actions
from .actions import check
from .styles import STYLES
from .v2 import Call, Command, Option


def _options(text: str) -> tuple[Option, ...]:
    """`name! type=classic tracing? queue/q`: needed, with a default, alone, with a letter."""
    found = []
    for word in text.split():
        spelt, equals, default = word.partition("=")
        option, _, short = spelt.rstrip("!?").partition("/")
        found.append(Option(option, spelt.endswith("!"), default if equals else None, short, spelt.endswith("?")))
    return tuple(found)


def _command(options: str, act: Callable[[Call], None], positional: str = "") -> Command:
    return Command(_options(f"{options} idempotently? columns page page-size"), act, positional)


_BINDING: Final = "source! destination-type! destination! routing-key! arguments={}"
_POLICY: Final = "name! pattern! apply-to! priority=0 definition!"
_QUEUE: Final = "name! type=classic durable auto-delete arguments={}"
_PUBLISH: Final = "routing-key/k= exchange/e= payload/m=test payload-file/f properties/p={}"
_EXCHANGE: Final = "name! type durable auto-delete arguments={}"
_STREAM: Final = "name! expiration! max-length-bytes stream-max-segment-size-bytes arguments={}"
_USER: Final = "name! password-hash password hashing-algorithm=SHA256 tags="
_VHOST: Final = "name! default-queue-type description tracing?"

COMMANDS: Final[dict[str, dict[str, Command]]] = {
    "auth_attempts": {"stats": _command("node!", actions.auth_attempts)},
    "bindings": {
        "list": _command("", actions.list_),
        "declare": _command(_BINDING, actions.declare_binding),
        "delete": _command(_BINDING, actions.delete_binding),
    },
    "channels": {"list": _command("", actions.list_)},
    "connections": {
        "list": _command("", actions.list_),
        "close": _command("name!", actions.close_connection),
        "close_of_user": _command("username/u!", actions.close_user_connections),
        "list_of_user": _command("username/u!", actions.user_connections),
    },
    "consumers": {"list": _command("", actions.list_)},
    "definitions": {
        "export": _command("file=- stdout? transformations/t", actions.export),
        "export_from_vhost": _command("file=- stdout? transformations/t", actions.export_vhost),
        "import": _command("file stdin?", actions.import_),
        "import_into_vhost": _command("file stdin?", actions.import_vhost),
    },
    "deprecated_features": {"list": _command("", actions.list_), "list_used": _command("", actions.list_)},
    "deprecated_features_in_use": {"list": _command("", actions.list_)},
    "exchanges": {
        "list": _command("", actions.list_),
        "declare": _command(_EXCHANGE, actions.declare_exchange),
        "delete": _command("name!", actions.delete_exchange),
        "bind": _command(_BINDING, actions.declare_binding),
        "unbind": _command(_BINDING, actions.delete_binding),
    },
    "feature_flags": {
        "list": _command("", actions.list_),
        "enable": _command("name!", actions.enable_flag),
        "enable_all": _command("", actions.enable_flags),
    },
    "federation_links": {"list": _command("", actions.list_)},
    "global_parameters": {
        "list": _command("", actions.list_),
        "set": _command("name! value!", actions.set_global_parameter),
        "clear": _command("name!", actions.clear_global_parameter),
    },
    "health_check": {
        "local_alarms": _command("", check("local-alarms")),
        "cluster_wide_alarms": _command("", check("alarms")),
        "node_is_quorum_critical": _command("", check("node-is-quorum-critical")),
        "port_listener": _command("port/P!", check("port-listener/{port}")),
        "protocol_listener": _command("protocol!", check("protocol-listener/{protocol}")),
        "virtual_hosts": _command("", check("virtual-hosts")),
    },
    "messages": {
        "publish": _command(_PUBLISH, actions.publish),
        "get": _command("queue/q! count/c=1 ack-mode/a=ack_requeue_false", actions.get),
    },
    "nodes": {
        "list": _command("", actions.list_),
        "memory_breakdown_in_bytes": _command("node/N!", actions.memory_in_bytes),
        "memory_breakdown_in_percent": _command("node/N!", actions.memory_in_percent),
    },
    "operator_policies": {
        "list": _command("", actions.list_),
        "declare": _command(_POLICY, actions.declare_operator_policy),
        "delete": _command("name!", actions.delete_operator_policy),
    },
    "parameters": {
        "list": _command("component", actions.list_),
        "list_all": _command("", actions.list_),
        "list_in": _command("component!", actions.list_),
        "set": _command("name! component! value!", actions.set_parameter),
        "clear": _command("name! component!", actions.clear_parameter),
    },
    "passwords": {"salt_and_hash": _command("hashing-algorithm=SHA256", actions.salt_and_hash, "password")},
    "permissions": {
        "list": _command("", actions.list_),
        "declare": _command("username/u! configure! read! write!", actions.declare_permissions),
        "delete": _command("username/u!", actions.delete_permissions),
    },
    "plugins": {"list_all": _command("", actions.plugins), "list_on_node": _command("node/N!", actions.plugins)},
    "policies": {
        "list": _command("", actions.list_),
        "declare": _command(_POLICY, actions.declare_policy),
        "delete": _command("name!", actions.delete_policy),
    },
    "queues": {
        "list": _command("", actions.list_),
        "show": _command("name!", actions.show_queue),
        "declare": _command(_QUEUE, actions.declare_queue),
        "delete": _command("name!", actions.delete_queue),
        "purge": _command("name!", actions.purge_queue),
        "rebalance": _command("", actions.rebalance),
    },
    "shovels": {"list": _command("", actions.list_), "list_all": _command("", actions.list_)},
    "show": {
        "overview": _command("", actions.overview),
        "churn": _command("", actions.churn),
        "endpoint": _command("", actions.endpoint),
        "memory_breakdown_in_bytes": _command("node/N!", actions.memory_in_bytes),
        "memory_breakdown_in_percent": _command("node/N!", actions.memory_in_percent),
    },
    "streams": {
        "list": _command("", actions.list_streams),
        "show": _command("name!", actions.show_queue),
        "declare": _command(_STREAM, actions.declare_stream),
        "delete": _command("name!", actions.delete_queue),
    },
    "user_limits": {
        "list": _command("username", actions.list_),
        "declare": _command("username/u! name! value!", actions.declare_user_limit),
        "delete": _command("username/u! name!", actions.delete_user_limit),
    },
    "users": {
        "list": _command("", actions.list_),
        "declare": _command(_USER, actions.declare_user),
        "delete": _command("name!", actions.delete_user),
        "connections": _command("username/u!", actions.user_connections),
    },
    "vhost_limits": {
        "list": _command("", actions.list_),
        "declare": _command("name! value!", actions.declare_vhost_limit),
        "delete": _command("name!", actions.delete_vhost_limit),
    },
    "vhosts": {
        "list": _command("", actions.list_),
        "declare": _command(_VHOST, actions.declare_vhost),
        "delete": _command("name!", actions.delete_vhost),
        "enable_deletion_protection": _command("name!", actions.protect_vhost),
        "disable_deletion_protection": _command("name!", actions.unprotect_vhost),
    },
}
"""By noun and verb."""

_SINGULAR: Final = {
    "binding": "bindings", "connection": "connections", "exchange": "exchanges", "message": "messages",
    "operator_policy": "operator_policies", "parameter": "parameters", "policy": "policies", "queue": "queues",
    "stream": "streams", "user": "users", "user_limit": "user_limits", "vhost": "vhosts",
    "vhost_limit": "vhost_limits", "permission": "permissions",
}  # fmt: skip

_OTHERWISE: Final = {
    ("declare", "parameters"): ("parameters", "set"),
    ("delete", "parameters"): ("parameters", "clear"),
    ("list", "user_connections"): ("connections", "list_of_user"),
    ("close", "user_connections"): ("connections", "close_of_user"),
    ("users", "permissions"): ("permissions", "list"),
    ("users", "limits"): ("user_limits", "list"),
}
"""Verbs and nouns that go together under other names."""


def find(first: str, second: str) -> tuple[str, Command] | None:
    """The noun and the command that two words name, in either order; None when they name none."""
    pair = (first, _SINGULAR.get(second, second))
    noun, verb = _OTHERWISE.get(pair, pair)
    if verb in COMMANDS.get(noun, {}):
        return noun, COMMANDS[noun][verb]
    if noun in COMMANDS.get(verb, {}):
        return verb, COMMANDS[verb][noun]
    return None


def overview(tool: str) -> str:
    """All there are."""
    lines = ["Usage: " + tool + " [options] <noun> <verb> [options]", "", "Commands:"]
    for noun, verbs in COMMANDS.items():
        lines.append(f"  {noun}: {', '.join(verbs)}")
    lines += [
        "",
        "The verb may come first: declare queue, delete vhost, list users, publish message, get messages.",
        "",
    ]
    lines += [f"Styles of tables: {', '.join(STYLES)}; --non-interactive for columns without lines."]
    return "\n".join(lines)


def help_of(tool: str, noun: str, verb: str, command: Command) -> str:
    """How one is called."""
    lines = [f"Usage: {tool} {noun} {verb} [options]{f' <{command.positional}>' if command.positional else ''}", ""]
    for option in command.options:
        letter = f"-{option.short}, " if option.short else "    "
        value = "" if option.alone else f" <{option.name}>"
        said = "needed" if option.needed else f"default: {option.default}" if option.default else ""
        lines.append(f"  {letter}--{option.name}{value}".ljust(52) + said)
    return "\n".join([line.rstrip() for line in lines])
