"""Lists of objects: chosen by name, sorted, cut into pages, reduced to columns (rabbit_mgmt_util:reply_list).

Objects are shown only as far as the answer needs it, and a few at a time, so that ten thousand of them hold nobody up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from starlette.responses import Response

from ..errors import OperatorError
from ..patterns import Pattern
from .call import Call, as_flag
from .columns import NOTHING, columns_of, reduced, value_at
from .errors import HttpError, bad_request
from .resources import answer, answer_in_pieces, encode

T = TypeVar("T")

View = Callable[[T], dict[str, Any]]

STEP: Final = 50
"""Objects to show before others have their turn."""

ROW_STEP: Final = 500
"""The same for rows of nothing but known columns, which take a tenth of the time."""

PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 500

_INVALID: Final = "Pagination parameters are invalid"


async def listing(
    call: Call,
    objects: Sequence[T],
    view: View[T],
    keys: Mapping[str, Callable[[T], Any]] | None = None,
    default_sort: tuple[str, ...] = ("vhost", "name"),
) -> Response:
    """The answer to a GET of a list. `keys` are columns that are known without showing an object; each is of one type,
    and what the view shows under its name. Where no other columns are asked for, nothing is shown to be thrown away.

    Raises HttpError 400 for a page, a size or an expression that cannot be.
    """
    query = call.request.query_params
    keys = keys or {}
    page = _page(query)
    name = query.get("name", "")
    found = list(objects)
    total = len(found)
    if name:
        wanted = _matcher(name, "use_regex" in query and as_flag(query["use_regex"]))
        get_name = keys.get("name")
        if get_name is not None:
            found = [each for each in found if wanted(str(get_name(each)))]
        else:
            found = [each for each in found if wanted(str(view(each).get("name", "")))]
    columns = columns_of(call)
    by = tuple(query["sort"].split(",")) if query.get("sort") else default_sort
    reverse = "sort_reverse" in query and as_flag(query["sort_reverse"])
    known = [keys[column] for column in by if column in keys]
    for column in reversed(default_sort):  # least first: sorting keeps the order of equals
        if column in keys:
            found.sort(key=keys[column], reverse=reverse)
    if len(known) == len(by):
        for key in reversed(known):
            found.sort(key=key, reverse=reverse)
    elif query.get("sort"):
        found = await _sorted_by_view(found, view, [column.split(".") for column in by], reverse)
    row, step = _row(view, columns, keys)
    if page is None:
        return answer_in_pieces(_pieces(found, row, step))
    number, size = page
    pages = -(-len(found) // size)
    if (number - 1) * size > len(found):
        reason = f"Page out of range, page: {number} page size: {size}, len: {len(found)}"
        raise HttpError(400, "page_out_of_range", reason)
    items = [row(each) for each in found[(number - 1) * size : number * size]]
    return answer(
        {
            "filtered_count": len(found),
            "item_count": len(items),
            "items": items,
            "page": number,
            "page_count": pages,
            "page_size": size,
            "total_count": total,
        }
    )


def _row(
    view: View[T], columns: Sequence[Sequence[str]], keys: Mapping[str, Callable[[T], Any]]
) -> tuple[View[T], int]:
    """What makes an item of an object, and how many of them at a time."""
    if not columns:
        return view, STEP
    names = [column[0] for column in columns]
    if any(len(column) > 1 for column in columns) or not keys.keys() >= set(names):
        return lambda each: reduced(view(each), columns), STEP
    known = [(name, keys[name]) for name in names]
    return lambda each: {name: key(each) for name, key in known}, ROW_STEP


def _page(query: Mapping[str, str]) -> tuple[int, int] | None:
    if "page" not in query:
        return None
    try:
        number, size = int(query["page"]), int(query.get("page_size", PAGE_SIZE))
    except ValueError:
        raise bad_request(_INVALID) from None
    if number < 1 or not 1 <= size <= MAX_PAGE_SIZE:
        reason = f"Invalid pagination parameters: page number {number}, page size {query.get('page_size', 'undefined')}"
        raise HttpError(400, "invalid_pagination_parameters", reason)
    return number, size


def _matcher(name: str, regex: bool) -> Callable[[str], bool]:
    if not regex:
        lowered = name.lower()
        return lambda each: lowered in each.lower()
    try:
        return Pattern(f"(?i){name}").matches
    except OperatorError:
        raise bad_request(_INVALID) from None


def _rank(value: Any) -> tuple[int, Any]:
    """Something values of any kind can be compared by: nothing first, then numbers, then text."""
    if value is None or value is NOTHING:
        return (0, 0)
    if isinstance(value, (bool, int, float)):
        return (1, value)
    return (2, value if isinstance(value, str) else str(value))


async def _sorted_by_view(
    objects: Sequence[T], view: View[T], columns: Sequence[Sequence[str]], reverse: bool
) -> list[T]:
    ranked: list[tuple[tuple[Any, ...], int, T]] = []
    for number, each in enumerate(objects):
        shown = view(each)
        ranked.append((tuple([_rank(value_at(shown, column)) for column in columns]), number, each))
        if number % STEP == STEP - 1:
            await asyncio.sleep(0)
    ranked.sort(key=lambda rank: rank[:2], reverse=reverse)
    return [each for _, _, each in ranked]


async def _pieces(objects: Sequence[T], row: View[T], step: int) -> AsyncIterator[str]:
    yield "["
    for start in range(0, len(objects), step):
        shown = encode([row(each) for each in objects[start : start + step]])
        yield ("," if start else "") + shown[1:-1]
        await asyncio.sleep(0)
    yield "]"
