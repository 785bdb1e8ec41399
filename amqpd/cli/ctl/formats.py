"""Results of commands, and how each formatter shows them (rabbitmqctl's `--formatter`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .call import Call


class Rows(NamedTuple):
    """A list of objects, of each the same columns."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    streamed: bool = False  # rabbitmqctl has them one by one: an empty list in JSON is two lines
    header: bool = True


class Value(NamedTuple):
    """Something to say, and the same for programs."""

    text: str
    data: Any


class Done(NamedTuple):
    """It is done; sometimes there is more to say of it, which --quiet does not ask for."""

    remark: str = ""
    always: str = ""  # said with --quiet as well
    data: Mapping[str, Any] | None = None  # for programs, if it is not the usual
    hushed: bool = False  # by --silent


Result = Rows | Value | Done | None


class Word(str):
    """A word that is an atom in Erlang, such as an exchange's type."""

    __slots__ = ()


class Words(list[str]):
    """Words such as a user's tags."""


class States(dict[str, str]):
    """Nodes, and what is with them there."""


class Arguments(dict[str, Any]):
    """A table of AMQP's, as in declarations."""


class Json:
    """A value that is shown as JSON, also inside of it."""

    def __init__(self, value: Any) -> None:
        self.text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def shown(result: Result, call: Call) -> Iterator[str]:
    """What to print, piece by piece; each piece is a line, without its end."""
    formatter = call.formatter
    if isinstance(result, Rows):
        yield from _ROWS.get(formatter, _table)(result, call)
    elif isinstance(result, Value):
        if formatter in ("json", "json_stream"):
            yield _compact(result.data)
        else:
            yield result.text
    else:
        done = result or Done()
        if formatter in ("json", "json_stream"):
            yield _compact(_done(done, call))
        elif formatter != "csv":
            if done.always and not (done.hushed and call.silent):
                yield done.always
            if done.remark and not call.quiet:
                yield done.remark


def _done(done: Done, call: Call) -> dict[str, Any]:
    if done.data is not None:
        return dict(done.data)
    if done.remark:
        return {"message": done.remark, "node": call.node, "status": "ok"}
    return {"node": call.node, "result": "ok"}


# --- tables of rows


def _table(result: Rows, call: Call) -> Iterator[str]:
    if result.rows and call.headers and result.header:
        yield "\t".join(result.columns)
    for row in result.rows:
        yield "\t".join([text(row.get(column, "")) for column in result.columns])


def _csv(result: Rows, call: Call) -> Iterator[str]:
    lines = [list(result.columns)] if result.rows else []  # whatever options say of headers
    lines += [[text(row.get(column, "")) for column in result.columns] for row in result.rows]
    for line in lines:
        yield ",".join(['"' + each.replace('"', '""') + '"' for each in line])


def _json(result: Rows, call: Call) -> Iterator[str]:
    objects = [{column: plain(row.get(column, "")) for column in result.columns} for row in result.rows]
    if not objects and not result.streamed:
        yield "[]"
        return
    yield "["
    for number, each in enumerate(objects):
        yield ("," if number else "") + _compact(each)
    yield "]"


def _json_stream(result: Rows, call: Call) -> Iterator[str]:
    for row in result.rows:
        yield _compact({column: plain(row.get(column, "")) for column in result.columns}) + "\n"


def _erlang(result: Rows, call: Call) -> Iterator[str]:
    rows = [
        "[" + ",".join([f"{{{atom(column)},{term(row.get(column, ''))}}}" for column in result.columns]) + "]"
        for row in result.rows
    ]
    yield "[" + ",\n ".join(rows) + "]"


def _pretty_table(result: Rows, call: Call) -> Iterator[str]:
    if not result.rows:
        return
    lines = [[text(row.get(column, "")) for column in result.columns] for row in result.rows]
    heads = [list(result.columns)] if call.headers else []
    widths = [max(len(line[column]) for line in heads + lines) for column in range(len(result.columns))]

    def rule(left: str, middle: str, right: str) -> str:
        return left + middle.join(["─" * (width + 2) for width in widths]) + right

    yield rule("┌", "┬", "┐")
    for number, line in enumerate(heads + lines):
        if number:
            yield rule("├", "┼", "┤")
        yield "│" + "│".join([f" {cell:<{width}} " for cell, width in zip(line, widths, strict=True)]) + "│"
    yield rule("└", "┴", "┘")


_ROWS = {
    "table": _table,
    "csv": _csv,
    "json": _json,
    "json_stream": _json_stream,
    "erlang": _erlang,
    "pretty_table": _pretty_table,
}


# --- single values


def text(value: Any) -> str:
    """As rabbitmqctl writes it in a table."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    if isinstance(value, Json):
        return value.text
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Words):
        return f"[{', '.join(value)}]"
    if isinstance(value, States):
        return "[" + ", ".join([f"{{{name}, {state}}}" for name, state in value.items()]) + "]"
    if isinstance(value, Mapping):
        return "[" + ",".join([f'{{"{name}",{_in_list(each)}}}' for name, each in value.items()]) + "]"
    if isinstance(value, Sequence):
        return "[" + ", ".join([_in_list(each) for each in value]) + "]"
    return str(value)


def _in_list(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else text(value)


def plain(value: Any) -> Any:
    """As rabbitmqctl has it in JSON: tables are lists of names, types and values."""
    if isinstance(value, Json):
        return value.text
    if isinstance(value, Arguments):
        return [[name, kind(each), plain(Arguments(each) if isinstance(each, dict) else each)]
                for name, each in value.items()]  # fmt: skip
    if value is None:
        return ""
    return value


def kind(value: Any) -> str:
    """RabbitMQ's word for the type of a value in a table, as far as JSON tells."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "long"
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "longstr"
    if isinstance(value, dict):
        return "table"
    return "array" if isinstance(value, list) else "void"


def term(value: Any) -> str:
    """As a term of Erlang."""
    if isinstance(value, Json):
        return term(value.text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<<>>"
    if isinstance(value, (int, float)):
        return text(value) if isinstance(value, int) else repr(value)
    if isinstance(value, Word):
        return atom(value)
    if isinstance(value, str):
        return f'<<"{_escaped(value)}">>' if value else "<<>>"
    if isinstance(value, Words):
        return "[" + ",".join([atom(each) for each in value]) + "]"
    if isinstance(value, States):
        return "[" + ",".join([f"{{{atom(name)},{atom(state)}}}" for name, state in value.items()]) + "]"
    if isinstance(value, Arguments):
        return "[" + ",".join([f"{{{term(name)},{kind(each)},{term(each)}}}" for name, each in value.items()]) + "]"
    if isinstance(value, Mapping):
        return "#{" + ",".join([f"{term(name)} => {term(each)}" for name, each in value.items()]) + "}"
    return "[" + ",".join([term(each) for each in value]) + "]"


def atom(name: str) -> str:
    """An atom of Erlang, quoted when it has to be."""
    bare = name[:1].islower() and name.replace("_", "").replace("@", "").isalnum() and name.isascii()
    return name if bare else f"'{_escaped(name)}'"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def title(name: str) -> str:
    """The head of a section; bold where people look."""
    import sys  # noqa: PLC0415

    return f"\x1b[1m{name}\x1b[0m" if sys.stdout.isatty() else name
