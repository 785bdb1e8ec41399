"""rabbitmqadmin v1: `declare queue name=q durable=true`, as the script of the management plug-in takes it.

Its words, formats and exit codes are kept: 0, or 1 with `*** …` when the broker says no, with `ERROR: …` for a command
line that is none.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import urlencode

from ...errors import StartupError
from ..http import Api, Refusal, name
from .connection import Unusable, api_of, settings_of
from .tables import FORMATS, table_of

OPTIONS: Final[Mapping[str, type]] = {
    "config": str,
    "node": str,
    "host": str,
    "port": str,
    "path_prefix": str,
    "vhost": str,
    "username": str,
    "password": str,
    "base_uri": str,
    "quiet": bool,
    "ssl": bool,
    "ssl_key_file": str,
    "ssl_cert_file": str,
    "ssl_ca_cert_file": str,
    "ssl_disable_hostname_verification": bool,
    "ssl_insecure": bool,
    "request_timeout": int,
    "format": str,
    "sort": str,
    "sort_reverse": bool,
    "depth": str,
    "bash_completion": bool,
    "version": bool,
    "help": bool,
    "url": str,
    "data_dir": str,
}

SHORT: Final = {
    "c": "config",
    "N": "node",
    "H": "host",
    "P": "port",
    "V": "vhost",
    "u": "username",
    "p": "password",
    "U": "base_uri",
    "q": "quiet",
    "s": "ssl",
    "k": "ssl_insecure",
    "t": "request_timeout",
    "f": "format",
    "S": "sort",
    "R": "sort_reverse",
    "d": "depth",
    "D": "data_dir",
    "h": "help",
}


class Kind(NamedTuple):
    """What can be done to one kind of object: the arguments that have to be there, those that may, and where it is."""

    path: str
    mandatory: tuple[str | tuple[str, ...], ...]  # of an inner tuple, one has to be there
    optional: Mapping[str, Any] = {}
    json: tuple[str, ...] = ()  # arguments that are JSON


class ListOf(NamedTuple):
    """What a list shows."""

    by_vhost: bool = False
    columns: tuple[str, ...] = ()
    json: tuple[str, ...] = ()


LISTS: Final = {
    "connections": ListOf(columns=("name", "user", "channels")),
    "channels": ListOf(columns=("name", "user")),
    "consumers": ListOf(by_vhost=True),
    "exchanges": ListOf(True, ("name", "type")),
    "queues": ListOf(True, ("name", "messages")),
    "bindings": ListOf(True, ("source", "destination", "routing_key")),
    "users": ListOf(),
    "vhosts": ListOf(columns=("name", "messages")),
    "permissions": ListOf(),
    "nodes": ListOf(columns=("name", "type", "mem_used")),
    "parameters": ListOf(json=("value",)),
    "policies": ListOf(json=("definition",)),
    "operator_policies": ListOf(json=("definition",)),
    "vhost_limits": ListOf(json=("value",)),
}

SHOWN: Final = {
    "overview": ListOf(columns=("rabbitmq_version", "cluster_name", "queue_totals.messages", "object_totals.queues"))
}

_BINDING: Final = "/bindings/{vhost}/e/{source}/{destination_char}/{destination}"

DECLARED: Final = {
    "exchange": Kind(
        "/exchanges/{vhost}/{name}",
        ("name", "type"),
        {"auto_delete": "false", "durable": "true", "internal": "false", "arguments": {}},
        ("arguments",),
    ),
    "queue": Kind(
        "/queues/{vhost}/{name}",
        ("name",),
        {"auto_delete": "false", "durable": "true", "arguments": {}, "node": None, "queue_type": None},
        ("arguments",),
    ),
    "binding": Kind(
        _BINDING,
        ("source", "destination"),
        {"destination_type": "queue", "routing_key": "", "arguments": {}},
        ("arguments",),
    ),
    "vhost": Kind("/vhosts/{name}", ("name",), {"tracing": None}),
    "user": Kind("/users/{name}", ("name", ("password", "password_hash"), "tags"), {"hashing_algorithm": None}),
    "permission": Kind("/permissions/{vhost}/{user}", ("vhost", "user", "configure", "write", "read")),
    "parameter": Kind("/parameters/{component}/{vhost}/{name}", ("component", "name", "value"), {}, ("value",)),
    "policy": Kind(
        "/policies/{vhost}/{name}",
        ("name", "pattern", "definition"),
        {"priority": 0, "apply-to": None},
        ("definition", "priority"),
    ),
    "operator_policy": Kind(
        "/operator-policies/{vhost}/{name}",
        ("name", "pattern", "definition"),
        {"priority": 0, "apply-to": None},
        ("definition", "priority"),
    ),
    "vhost_limit": Kind("/vhost-limits/{vhost}/{name}", ("vhost", "name", "value"), {}, ("value",)),
}

DELETED: Final = {
    "exchange": Kind(DECLARED["exchange"].path, ("name",)),
    "queue": Kind(DECLARED["queue"].path, ("name",)),
    "binding": Kind(
        _BINDING + "/{properties_key}", ("source", "destination_type", "destination"), {"properties_key": "~"}
    ),
    "vhost": Kind(DECLARED["vhost"].path, ("name",)),
    "user": Kind(DECLARED["user"].path, ("name",)),
    "permission": Kind(DECLARED["permission"].path, ("vhost", "user")),
    "parameter": Kind(DECLARED["parameter"].path, ("component", "name")),
    "policy": Kind(DECLARED["policy"].path, ("name",)),
    "operator_policy": Kind(DECLARED["operator_policy"].path, ("name",)),
    "vhost_limit": Kind(DECLARED["vhost_limit"].path, ("vhost", "name")),
}

CLOSED: Final = {"connection": Kind("/connections/{name}", ("name",))}
PURGED: Final = {"queue": Kind("/queues/{vhost}/{name}/contents", ("name",))}

PUBLISH: Final = Kind(
    "/exchanges/{vhost}/{exchange}/publish",
    ("routing_key",),
    {"payload": None, "properties": {}, "exchange": "amq.default", "payload_encoding": "string"},
    ("properties",),
)
GET: Final = Kind(
    "/queues/{vhost}/{queue}/get",
    ("queue",),
    {"count": "1", "ackmode": "ack_requeue_true", "payload_file": None, "encoding": "auto"},
)


class Fault(Exception):
    """It ends here, with this on standard error, and 1."""


def run(tool: str, words: Sequence[str], options: Mapping[str, Any]) -> int:
    """Carry out a command line that is taken apart; returns the exit code."""
    admin: Admin | None = None
    try:
        admin = Admin(tool, words[1:], options)
        action = ACTIONS.get(words[0]) if words else None
        if not words:
            admin.misused("Action not specified")
        if action is None:
            admin.misused(f"Action {words[0]} not understood")
        action(admin)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    except Refusal as refusal:
        print(f"*** {_told(refusal)}\n", file=sys.stderr)
        return 1
    except StartupError as error:
        print(f"*** Could not connect: {error}\n", file=sys.stderr)
        return 1
    finally:
        if admin is not None:
            admin.disconnect()
    return 0


def _told(refusal: Refusal) -> str:
    path = f"/api{refusal.path}"
    if refusal.status == 401:
        return f"Access refused: {path}"
    if refusal.status == 404:
        return f"Not found: {path}"
    if refusal.status == 400:
        return refusal.text
    return f"Received response {refusal.status} for path {path}: {refusal.text}"


class Admin:
    """One command, as it was called."""

    def __init__(self, tool: str, arguments: Sequence[str], options: Mapping[str, Any]) -> None:
        self.tool = tool
        self.arguments = list(arguments)
        spelt = {"hostname" if name == "host" else name: value for name, value in options.items()}
        try:
            self.settings = settings_of(spelt, os.environ)
        except Unusable as error:
            self.misused(str(error))
        self.quiet = bool(self.settings.get("quiet"))
        self.format = str(self.settings.get("format", "table"))
        if self.format not in FORMATS:
            self.misused(f"Format {self.format} not recognised")
        self.vhost: str | None = self.settings.get("vhost") or None
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        if self._api is None:
            try:
                self._api = api_of(self.settings)
            except Unusable as error:
                self.misused(str(error))
        return self._api

    def disconnect(self) -> None:
        if self._api is not None:
            self._api.close()

    def misused(self, text: str) -> NoReturn:
        raise Fault(f"\nERROR: {text}\n\n{self.tool} --help for help\n")

    def say(self, text: str) -> None:
        """What was done; not with --quiet."""
        if not self.quiet:
            print(text)

    # --- actions

    def list_(self) -> None:
        path, listed, columns = self._listed(LISTS, "list")
        self._show(self.api.raw("GET", path).decode(), columns, listed.json)

    def show(self) -> None:
        path, listed, columns = self._listed(SHOWN, "show")
        self._show(f"[{self.api.raw('GET', path).decode()}]", columns, listed.json)

    def declare(self) -> None:
        kind, path, body = self._object(DECLARED)
        if kind == "queue" and body.get("queue_type"):
            body["arguments"] = {**body["arguments"], "x-queue-type": body["queue_type"]}
        if kind == "binding":
            self.api.post(path, body)
        else:
            self.api.put(path, body)
        self.say(f"{kind} declared")

    def delete(self) -> None:
        kind, path, _ = self._object(DELETED)
        self.api.delete(path)
        self.say(f"{kind} deleted")

    def close(self) -> None:
        kind, path, _ = self._object(CLOSED)
        self.api.delete(path)
        self.say(f"{kind} closed")

    def purge(self) -> None:
        kind, path, _ = self._object(PURGED)
        self.api.delete(path)
        self.say(f"{kind} purged")

    def publish(self) -> None:
        path, body = self._parsed(self.arguments, PUBLISH)
        if "payload" not in body:
            body["payload"] = base64.b64encode(sys.stdin.buffer.read()).decode()
            body["payload_encoding"] = "base64"
        routed = self.api.post(path, body)["routed"]
        self.say("Message published" if routed else "Message published but NOT routed")

    def get(self) -> None:
        path, body = self._parsed(self.arguments, GET)
        file = body.pop("payload_file", None)
        count = str(body["count"])
        if file and count != "1":
            self.misused("Cannot get multiple messages using payload_file")
        body["count"] = int(count) if count.isdigit() else count
        answer = self.api.raw("POST", path, json.dumps(body).encode()).decode()
        if file is None:
            self._show(answer, (), ())
            return
        message = next(iter(json.loads(answer)), None)
        if message is not None:
            text = message["payload"]
            content = base64.b64decode(text) if message["payload_encoding"] == "base64" else text.encode()
            try:
                Path(file).write_bytes(content)
            except OSError as error:
                raise Fault(f"*** cannot write {file}: {error.strerror}\n") from error
        self._show(answer, ("routing_key", "exchange", "message_count", "payload_bytes", "redelivered"), ())

    def export(self) -> None:
        file = self._only()
        content = self.api.raw("GET", self._definitions)
        try:
            Path(file).write_bytes(content)
        except OSError as error:
            raise Fault(f"*** cannot write {file}: {error.strerror}\n") from error
        self.say(f'Exported definitions for {self._host} to "{file}"')

    def import_(self) -> None:
        file = self._only()
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise Fault(f"*** cannot read {file}: {error.strerror}\n") from error
        self.api.raw("POST", self._definitions, content)
        self.say(
            f'Uploaded definitions from "{self._host}" to {file}. The import process may take some time. Consult server'
            " logs to track progress."
        )

    def help_(self) -> None:
        topic = self._only() if self.arguments else ""
        if topic not in ("", "subcommands", "config"):
            self.misused("help topic must be one of:\n  subcommands\n  config")
        print({"": OPTIONS_HELP, "subcommands": subcommands(self.tool), "config": CONFIG_HELP}[topic])

    # --- parts

    @property
    def _host(self) -> str:
        return str(self.settings.get("hostname") or self.api.place.socket or self.api.place.host)

    @property
    def _definitions(self) -> str:
        return "/definitions" + (name(self.vhost) if self.vhost else "")

    def _only(self) -> str:
        if len(self.arguments) != 1:
            self.misused("Exactly one argument required")
        return self.arguments[0]

    def _listed(self, kinds: Mapping[str, ListOf], verb: str) -> tuple[str, ListOf, Sequence[str]]:
        if not self.arguments:
            self.misused("Type not specified")
        kind, *columns = self.arguments
        if kind not in kinds:
            self.misused(f"Don't know how to {verb} {kind}")
        listed = kinds[kind]
        path = "/" + kind.replace("_", "-")
        if listed.by_vhost and self.vhost:
            path += name(self.vhost)
        if not columns and str(self.settings.get("depth", "1")) == "1" and "json" not in self.format:
            columns = list(listed.columns)
        query = {
            "columns": ",".join(columns) or None,
            "sort": self.settings.get("sort"),
            "sort_reverse": "true" if self.settings.get("sort_reverse") else None,
        }
        asked = urlencode({key: value for key, value in query.items() if value}, safe=",")
        return path + (f"?{asked}" if asked else ""), listed, columns

    def _show(self, answer: str, columns: Sequence[str], as_json: Sequence[str]) -> None:
        if self.format == "raw_json":
            print(answer)
            return
        items = json.loads(answer)
        if self.format == "pretty_json":
            print(json.dumps(items, ensure_ascii=False, sort_keys=True, indent=2))
            return
        try:
            depth = int(self.settings.get("depth", 1))
        except ValueError:
            self.misused(f"Depth {self.settings['depth']} is no number")
        names, rows = table_of(items, columns, depth, as_json)
        if not rows:
            self.say("No items")
            return
        render = FORMATS[self.format]
        assert render is not None
        lines = render(names, rows)
        if self.format == "tsv" and self.quiet:
            next(lines)
        for line in lines:
            print(line)

    def _object(self, kinds: Mapping[str, Kind]) -> tuple[str, str, dict[str, Any]]:
        if not self.arguments:
            self.misused("Type not specified")
        kind = self.arguments[0]
        if kind not in kinds:
            self.misused(f"Type {kind} not recognised")
        return (kind, *self._parsed(self.arguments[1:], kinds[kind]))

    def _parsed(self, arguments: Sequence[str], kind: Kind) -> tuple[str, dict[str, Any]]:
        """The path, and what is sent there."""
        body = {key: value for key, value in kind.optional.items() if value is not None}
        known = [key for each in kind.mandatory for key in ((each,) if isinstance(each, str) else each)]
        for argument in arguments:
            key, equals, value = argument.partition("=")
            if not equals:
                self.misused(f'Argument "{argument}" not in the name=value format')
            if key not in known and key not in kind.optional:
                self.misused(f'Argument "{key}" is not recognised')
            body[key] = self._json(value) if key in kind.json else value
        for each in kind.mandatory:
            if isinstance(each, str):
                if each not in body:
                    self.misused(f'mandatory argument "{each}" is required')
            elif not any(key in body for key in each):
                self.misused(f'one of mandatory arguments "{list(each)}" is required')
        if "vhost" not in kind.mandatory:
            body["vhost"] = self.vhost or self.settings.get("declare_vhost") or "/"
        parts = {key: name(value)[1:] for key, value in body.items() if isinstance(value, str) and value}
        if parts.get("destination_type"):
            parts["destination_char"] = str(body["destination_type"])[0]
        try:
            return kind.path.format(**parts), body
        except KeyError as error:
            self.misused(f'Argument "{error.args[0]}" must not be empty')

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            raise Fault(f"ERROR: Could not parse JSON:\n  {text}") from None


ACTIONS: Final[dict[str, Callable[[Admin], None]]] = {
    "list": Admin.list_,
    "show": Admin.show,
    "declare": Admin.declare,
    "delete": Admin.delete,
    "close": Admin.close,
    "purge": Admin.purge,
    "publish": Admin.publish,
    "get": Admin.get,
    "export": Admin.export,
    "import": Admin.import_,
    "help": Admin.help_,
}


# --- help


def subcommands(tool: str) -> str:
    """All there are, with their arguments."""
    lines = [f"Usage: {tool} [options] subcommand, which is one of", "", "Lists", "====="]
    lines += [f"  list {kind} [<column>...]" for kind in LISTS]
    lines += [f"  show {kind} [<column>...]" for kind in SHOWN]
    lines += ["", "Objects", "======="]
    for verb, kinds in (("declare", DECLARED), ("delete", DELETED), ("close", CLOSED), ("purge", PURGED)):
        lines += [f"  {verb} {kind} {_arguments(known)}" for kind, known in kinds.items()]
    lines += ["", "Definitions", "===========", "  export <file>", "  import <file>"]
    lines += ["", "Messages", "========", f"  publish {_arguments(PUBLISH)}", f"  get {_arguments(GET)}", ""]
    lines += ["  Without payload, what is published comes from standard input."]
    lines += ["  With payload_file, one message is taken, and its payload written there."]
    return "\n".join(lines)


def _arguments(kind: Kind) -> str:
    needed = " ".join([f"{each if isinstance(each, str) else '=... OR '.join(each)}=..." for each in kind.mandatory])
    optional = " ".join([f"{each}=..." for each in kind.optional])
    return f"{needed} [{optional}]" if optional else needed


OPTIONS_HELP: Final = """Usage: amqpadmin [options] subcommand

  --help, -h
  --config=FILE, -c FILE      settings of connections [default: ~/.rabbitmqadmin.conf]
  --node=NODE, -N NODE        the section of that file
  --host=HOST, -H HOST        [default: the broker of the usual data folder, or localhost]
  --port=PORT, -P PORT        [default: 15672]
  --path-prefix=PREFIX        what comes before /api
  --vhost=VHOST, -V VHOST     [default: all vhosts for list, '/' for declare]
  --username=NAME, -u NAME    [default: guest]
  --password=TEXT, -p TEXT    [default: guest]
  --base-uri=URI, -U URI      host, port, user and password in one
  --data-dir=DIR, -D DIR      the broker of this data folder
  --quiet, -q                 only what was asked for
  --ssl, -s                   with TLS
  --ssl-key-file=FILE, --ssl-cert-file=FILE, --ssl-ca-cert-file=FILE
  --ssl-disable-hostname-verification
  --ssl-insecure, -k          take any certificate
  --request-timeout=N, -t N   seconds [default: 120]
  --format=FORMAT, -f FORMAT  raw_json, pretty_json, tsv, long, table, kvp or bash [default: table]
  --sort=KEY, -S KEY          sort lists by a column
  --sort-reverse, -R          the other way round
  --depth=N, -d N             levels of objects that tables show [default: 1]
  --bash-completion           what bash needs to complete commands
  --version

  amqpadmin help subcommands  # those of rabbitmqadmin v1
  amqpadmin help v2           # those of v2, which are understood as well
  amqpadmin help config       # the configuration file"""

CONFIG_HELP: Final = """Sections of ~/.rabbitmqadmin.conf, or of a file that -c names, say how to connect. -N names one:

  [default]
  hostname = localhost
  port = 15672
  username = guest
  password = guest
  vhost = /               # for list, declare and delete
  declare_vhost = /       # for declare and delete only

  [elsewhere]
  hostname = broker.example.org
  port = 15671
  ssl = True
  ssl_ca_cert_file = /path/to/ca.pem

  amqpadmin -N elsewhere list queues

The files of v2, which are TOML, are read as well."""
