"""Signing in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest

from .conftest import Site, expect, sign_in


def test_a_wrong_password_says_so(visit: Callable[..., Any]) -> None:
    page = visit()
    sign_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_have_text("Login failed: the user or the password is wrong.")
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_name_is_asked_for(visit: Callable[..., Any]) -> None:
    page = visit()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("User is missing")
    expect(page.get_by_label("User")).to_be_focused()


def test_a_reload_stays_signed_in_and_in_its_place(enter: Callable[..., Any]) -> None:
    page = enter("exchanges")
    page.reload()
    expect(page.get_by_role("heading", name="Exchanges")).to_be_visible()


def test_signing_out_forgets_the_password(enter: Callable[..., Any]) -> None:
    page = enter("queues")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User")).to_be_focused()
    assert page.evaluate("JSON.stringify([sessionStorage, localStorage])").count("Basic") == 0
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_session_that_counts_no_more_ends_with_the_reason(enter: Callable[..., Any]) -> None:
    page = enter("queues")
    page.evaluate("""sessionStorage.setItem("amqpd.session", JSON.stringify({authorization: "Basic eDp5"}))""")
    page.reload()
    expect(page.get_by_text("Login failed: the user or the password is wrong.")).to_be_visible()


@pytest.mark.parametrize("left", [-1000, 3000])
def test_a_session_whose_time_is_over_ends(enter: Callable[..., Any], left: int) -> None:
    page = enter("queues")
    session = f'{{authorization: "Basic Z3Vlc3Q6Z3Vlc3Q=", until: Date.now() + {left}}}'
    page.evaluate(f"""sessionStorage.setItem("amqpd.session", JSON.stringify({session}))""")
    page.reload()
    if left > 0:
        expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    expect(page.get_by_text("Your session is over; sign in again.")).to_be_visible()
    assert page.evaluate("JSON.stringify([sessionStorage, localStorage])").count("Basic") == 0
    sign_in(page)
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()


def test_a_user_without_a_tag_is_told_which_there_are(visit: Callable[..., Any], site: Site) -> None:
    try:
        site.call("PUT", "users/page.plain", {"password": "x", "tags": ""})
    except HTTPError as error:
        with error:
            pytest.skip(f"this broker's API has no users yet: {error}")
    try:
        page = visit()
        sign_in(page, "page.plain", "x")
        expect(page.get_by_role("alert")).to_contain_text("management, policymaker, monitoring and administrator")
    finally:
        site.call("DELETE", "users/page.plain")
