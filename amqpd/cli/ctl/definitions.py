"""Definitions: users, vhosts, permissions, policies, queues, exchanges and bindings, as one file of JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ..http import Refusal
from .call import Call
from .formats import Done, Value


def export_definitions(call: Call) -> Value | None:
    (file,) = call.arguments
    _check_format(call)
    if file != "-" and not Path(file).absolute().parent.is_dir():
        call.bad_argument(f"Directory {Path(file).parent} does not exist")
    if file == "-":
        found = call.api.get("/definitions")
        return Value(json.dumps(found, separators=(",", ":"), ensure_ascii=False), found)
    call.banner(f'Exporting definitions in JSON to a file at "{file}" ...')
    content = call.api.raw("GET", "/definitions")
    target = Path(file)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        call.deny(f"cannot write {file}: {error.strerror}", os.EX_CANTCREAT)
    return None


def import_definitions(call: Call) -> Done:
    file = call.arguments[0] if call.arguments else "-"
    _check_format(call)
    if file == "-":
        call.banner("Importing definitions in JSON from standard input ...")
        content = sys.stdin.buffer.read()
    else:
        if not Path(file).exists():
            call.bad_argument(f"File {file} does not exist")
        call.banner(f'Importing definitions in JSON from a file at "{file}" ...')
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            call.deny(f"cannot read {file}: {error.strerror}", os.EX_NOINPUT)
    if file != "-" and not content:
        call.deny(f"File {file} is zero-sized", os.EX_DATAERR)
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        call.deny("Failed to parse the file: it is no valid JSON", os.EX_DATAERR)
    try:
        call.api.raw("POST", "/definitions", content)
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        call.deny(f"Failed to import definitions: {refusal.text}", os.EX_DATAERR)
    return Done("Successfully started definition import. This process is asynchronous and can take some time.")


def _check_format(call: Call) -> None:
    if call.options.get("format", "json").lower() != "json":
        call.invalid(f"Formatter {call.options['format']} is not supported: definitions are JSON here", os.EX_DATAERR)
