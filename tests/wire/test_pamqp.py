"""amqpd against pamqp, the codec under aio-pika: each reads what the other writes, or passes these tests by."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.wire.fields import decode_table, decode_value, encode_table, encode_value
from amqpd.wire.methods import METHODS, decode_method
from amqpd.wire.schema import Method
from amqpd.wire.writer import method_frame
from tests.strategies import DOMAINS, methods_of, words

pamqp_commands = pytest.importorskip("pamqp.commands")
pamqp_decode = pytest.importorskip("pamqp.decode")
pamqp_encode = pytest.importorskip("pamqp.encode")
pamqp_frame = pytest.importorskip("pamqp.frame")

# --- methods

PLAIN_TABLES = st.dictionaries(words, st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | words, max_size=3)
PLAIN_DOMAINS: dict[str, st.SearchStrategy[Any]] = {
    **DOMAINS,
    "shortstr": words,
    "longstr": words.map(str.encode),
    "longlong": st.integers(0, (1 << 63) - 1),
    "table": PLAIN_TABLES,
}
"""What pamqp can say as well: it takes long strings for text, and names for names."""

SHARED = [cls for cls in METHODS.values() if cls.id in pamqp_commands.INDEX_MAPPING]


def theirs(method: Method) -> Any:
    """The same method as pamqp has it; arguments correspond by their order."""
    made = pamqp_commands.INDEX_MAPPING[method.id].__new__(pamqp_commands.INDEX_MAPPING[method.id])
    for attribute, (ours, domain) in zip(made.__slots__, method._fields, strict=True):
        value = getattr(method, ours)
        setattr(made, attribute, value.decode() if domain == "longstr" else value)
    return made


def test_pamqp_knows_the_methods_too() -> None:
    # but for access, which RabbitMQ keeps for clients of AMQP 0-8
    assert {cls.name for cls in METHODS.values() if cls not in SHARED} <= {"access.request", "access.request-ok"}


@pytest.mark.filterwarnings("ignore:This command is deprecated:DeprecationWarning")
@pytest.mark.parametrize("cls", SHARED, ids=lambda cls: cls.name)
@settings(max_examples=15)
@given(data=st.data())
def test_pamqp_reads_what_we_write(cls: type[Method], data: st.DataObject) -> None:
    method = data.draw(methods_of(cls, PLAIN_DOMAINS))
    wire = method_frame(3, method)
    consumed, channel, read = pamqp_frame.unmarshal(wire)
    assert (consumed, channel) == (len(wire), 3)
    assert dict(read) == dict(theirs(method))


@pytest.mark.parametrize("cls", SHARED, ids=lambda cls: cls.name)
@settings(max_examples=15)
@given(data=st.data())
def test_we_read_what_pamqp_writes(cls: type[Method], data: st.DataObject) -> None:
    method = data.draw(methods_of(cls, PLAIN_DOMAINS))
    try:
        payload = theirs(method).marshal()
    except ValueError:  # it checks fixed values that the wire does not
        return
    assert decode_method(cls.id, payload) == method


# --- tables

plain_names = st.text(max_size=30)  # it cuts names after 128 bytes
plain_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.builds(lambda n, scale: Decimal(n).scaleb(-scale), st.integers(0, (1 << 31) - 1), st.integers(0, 9)),
        st.text(max_size=10),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_names, inner, max_size=3),
    max_leaves=5,
)
plain_tables = st.dictionaries(plain_names, plain_values, max_size=4)


@given(plain_tables)
def test_pamqp_reads_the_tables_we_write(table: dict[str, Any]) -> None:
    raw = encode_table(table)
    assert pamqp_decode.field_table(raw) == (len(raw), table)


@given(st.dictionaries(plain_names, st.one_of(st.floats(allow_nan=False), st.integers(-128, 127)), max_size=4))
def test_pamqp_reads_our_numbers(table: dict[str, Any]) -> None:
    assert pamqp_decode.field_table(encode_table(table))[1] == table


@given(st.dictionaries(plain_names, plain_values, max_size=4))
def test_we_read_the_tables_pamqp_writes(table: dict[str, Any]) -> None:
    assert decode_table(pamqp_encode.field_table(table))[0] == table


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_we_read_every_width_of_integer_pamqp_chooses(number: int) -> None:
    raw = pamqp_encode.table_integer(number)
    value, end = decode_value(raw, 0)
    assert (value, end) == (number, len(raw))
    assert encode_value(value) == raw, "an integer is written back as wide as it came"
