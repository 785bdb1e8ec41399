"""A result in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .run import Phase, Result


def describe(result: Result) -> Iterator[str]:
    """The lines of a result."""
    for name, phase in (("sent", result.published), ("received", result.consumed)):
        if phase is not None:
            yield f"{name:9} {_rate(phase)}"
    for name, latency in (("latency", result.latency), ("confirm latency", result.confirm_latency)):
        if latency:
            yield f"{name}, ms   " + "  ".join(f"{point} {value:.3f}" for point, value in latency.items())
    counts = (("returned", result.returned), ("nacked", result.nacked), ("left in queues", result.left))
    for name, count in counts:
        if count:
            yield f"{name}: {count:,}"
    yield from _cpu(result)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with columns: the first flush left, the others flush right. The first row is the heading."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for number, row in enumerate(rows):
        first, *others = (
            f"{cell:<{width}}" if not place else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *others)).rstrip()
        if not number:
            yield "  ".join("-" * width for width in widths)


def _rate(phase: Phase) -> str:
    megabytes = phase.bytes_rate / 1e6
    return f"{phase.messages:>12,} in {phase.seconds:6.2f} s  {phase.rate:>12,.0f} msg/s  {megabytes:8,.1f} MB/s"


def _cpu(result: Result) -> Iterator[str]:
    parts = []
    if result.published:
        parts.append(f"publishing {result.published.loader_cpu:.3f}")
    if result.consumed:
        parts.append(f"consuming {result.consumed.loader_cpu:.3f}")
    yield f"loader CPU, µs a message: {', '.join(parts)}"
    if result.published and result.published.broker_cpu is not None:
        parts = [f"publishing {result.published.broker_cpu:.3f}"]
        if result.consumed and result.consumed.broker_cpu is not None:
            parts.append(f"consuming {result.consumed.broker_cpu:.3f}")
        yield f"broker CPU, µs a message: {', '.join(parts)}"
    elif result.broker_cpu is not None:
        yield f"broker CPU, µs a message: {result.broker_cpu:.3f}"
