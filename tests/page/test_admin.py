"""Administration: users, virtual hosts, policies, limits and definitions, as far as the broker's API has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from .conftest import Site, agree, expect, unfold

TITLES = {
    "users": "Users",
    "vhosts": "Virtual hosts",
    "policies": "Policies",
    "vhost-limits": "Limits",
    "definitions": "Definitions",
}


def methods_of(site: Site, path: str) -> str:
    request = Request(f"{site.url}api/{path}", method="OPTIONS", headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
    try:
        with urlopen(request, timeout=10) as answer:
            return str(answer.headers.get("allow", ""))
    except HTTPError as error:
        with error:
            return ""


@pytest.fixture
def needs(site: Site) -> Callable[[str, str], None]:
    """Skips a test that a broker's API is not ready for."""

    def needs(path: str, method: str) -> None:
        if method not in methods_of(site, path):
            pytest.skip(f"this broker's API has no {method} of {path} yet")

    return needs


@pytest.fixture
def user(site: Site, needs: Callable[[str, str], None]) -> Iterator[str]:
    needs("users/x", "PUT")
    yield "page.user"
    delete(site, "users/page.user")


@pytest.fixture
def vhost(site: Site, needs: Callable[[str, str], None]) -> Iterator[str]:
    needs("vhosts/x", "PUT")
    yield "page.vhost"
    delete(site, "vhosts/page.vhost")


def delete(site: Site, path: str) -> None:
    with suppress(HTTPError):
        try:
            site.call("DELETE", path)
        except HTTPError as error:
            error.close()
            raise


def test_only_what_the_api_has_is_offered(enter: Callable[..., Any], site: Site) -> None:
    page = enter("vhosts")
    tabs = page.get_by_role("navigation", name="Administration").get_by_role("link")
    expect(tabs).to_have_text([title for path, title in TITLES.items() if "GET" in methods_of(site, path)])
    expect(page.get_by_role("link", name="/", exact=True)).to_be_visible()
    expect(page.get_by_text("Add a virtual host")).to_have_count(1 if "PUT" in methods_of(site, "vhosts/x") else 0)


def test_what_the_api_has_not_is_told(enter: Callable[..., Any], site: Site) -> None:
    missing = [title for path, title in TITLES.items() if not methods_of(site, path)]
    if not missing:
        pytest.skip("this broker's API has it all")
    page = enter({"Limits": "limits", "Virtual hosts": "vhosts"}.get(missing[-1], missing[-1].lower()))
    expect(page.get_by_text("This broker's API does not have this part.")).to_be_visible()


def test_a_user_comes_is_permitted_changes_and_goes(enter: Callable[..., Any], site: Site, user: str) -> None:
    page = enter("users")
    drawer = unfold(page, "Add a user")
    drawer.get_by_label("Name", exact=True).fill(user)
    drawer.get_by_label("Password").fill("secret")
    drawer.get_by_label("Tags").fill("management,monitoring")
    drawer.get_by_role("button", name="Add user").click()
    row = page.get_by_role("row", name=re.compile(re.escape(user)))
    expect(row).to_contain_text("no access")
    row.get_by_role("link", name=user).click()

    drawer = unfold(page, "Set permissions")
    drawer.get_by_label("Configure").fill("^mine")
    drawer.get_by_role("button", name="Set permissions").click()
    permissions = page.get_by_role("table", name="Permissions", exact=True)
    expect(permissions).to_contain_text("^mine")
    drawer = unfold(page, "Set topic permissions")
    drawer.get_by_label("Write").fill("^order")
    drawer.get_by_role("button", name="Set topic permissions").click()
    expect(page.get_by_role("table", name="Topic permissions")).to_contain_text("^order")

    before = site.call("GET", f"users/{user}")["password_hash"]
    drawer = unfold(page, "Change tags or password")
    expect(drawer.get_by_label("Tags")).to_have_value("management,monitoring")
    drawer.get_by_label("Tags").fill("administrator")
    drawer.get_by_role("button", name="Change user").click()
    expect(page.locator(".badge", has_text="administrator")).to_be_visible()
    assert site.call("GET", f"users/{user}")["password_hash"] == before

    permissions.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("none: this user cannot connect")).to_be_visible()
    drawer = unfold(page, "Delete this user")
    drawer.get_by_role("button", name="Delete user").click()
    agree(page, "Delete")
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect(page.get_by_role("link", name=user)).to_have_count(0)


def test_a_user_who_is_there_already_is_not_overwritten_unasked(
    enter: Callable[..., Any], site: Site, user: str
) -> None:
    site.call("PUT", f"users/{user}", {"password": "first", "tags": "management"})
    before = site.call("GET", f"users/{user}")
    page = enter("users")
    drawer = unfold(page, "Add a user")
    drawer.get_by_label("Name", exact=True).fill(user)
    drawer.get_by_label("Password").fill("second")
    drawer.get_by_role("button", name="Add user").click()
    agree(page, "Cancel")
    expect(drawer.get_by_label("Name", exact=True)).to_have_value(user)
    assert site.call("GET", f"users/{user}") == before
    drawer.get_by_role("button", name="Add user").click()
    agree(page, "Change")
    expect(drawer.get_by_label("Name", exact=True)).to_have_value("")
    assert site.call("GET", f"users/{user}")["password_hash"] != before["password_hash"]


def test_a_vhost_comes_is_offered_everywhere_and_goes(enter: Callable[..., Any], vhost: str) -> None:
    page = enter("vhosts")
    drawer = unfold(page, "Add a virtual host")
    drawer.get_by_label("Name", exact=True).fill(vhost)
    drawer.get_by_label("Description").fill("for a test")
    drawer.get_by_role("button", name="Add virtual host").click()
    expect(page.get_by_role("row", name=re.compile(re.escape(vhost)))).to_contain_text("for a test")
    page.locator("header").get_by_role("combobox", name="Virtual host").select_option(vhost)
    page.get_by_role("link", name="Exchanges").click()
    expect(page.get_by_text("7 entries").or_(page.get_by_text("8 entries"))).to_be_visible()
    page.get_by_role("link", name="Admin").click()
    page.get_by_role("link", name="Virtual hosts").click()
    page.get_by_role("link", name=vhost).click()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("button", name="Turn off")).to_be_visible()
    drawer = unfold(page, "Delete this virtual host")
    drawer.get_by_role("button", name="Delete virtual host").click()
    agree(page, "Delete")
    expect(page.get_by_role("heading", name="Virtual hosts")).to_be_visible()
    expect(page.get_by_role("link", name=vhost)).to_have_count(0)


def test_a_policy_is_set_and_taken_back(
    enter: Callable[..., Any], site: Site, needs: Callable[[str, str], None]
) -> None:
    needs("policies/%2F/x", "PUT")
    page = enter("policies")
    drawer = unfold(page, "Add or change a policy")
    drawer.get_by_label("Name", exact=True).fill("page.policy")
    drawer.get_by_label("Pattern").fill("^page[.]policy")
    drawer.get_by_role("button", name="Set policy").click()
    expect(drawer.get_by_role("alert")).to_contain_text("Definition is missing")
    drawer.get_by_role("button", name="max-length", exact=True).click()
    drawer.get_by_label("Definition: value").last.fill("ten")
    drawer.get_by_role("button", name="Set policy").click()
    expect(drawer.get_by_role("alert")).to_have_text("max-length: “ten” is not a number")
    drawer.get_by_label("Definition: value").last.fill("10")
    drawer.get_by_role("button", name="Set policy").click()
    row = page.get_by_role("row", name=re.compile("page.policy"))
    expect(row).to_contain_text("max-length:10")
    row.get_by_role("button", name="Delete").click()
    agree(page, "Delete")
    expect(row).to_have_count(0)


def test_a_limit_is_set_and_cleared(enter: Callable[..., Any], needs: Callable[[str, str], None]) -> None:
    needs("vhost-limits/%2F/max-queues", "PUT")
    page = enter("limits")
    drawer = unfold(page, "Set limits of virtual hosts")
    drawer.get_by_label("Virtual host", exact=True).select_option("/")
    drawer.get_by_label("Limit", exact=True).select_option("max-queues")
    drawer.get_by_label("Value").fill("123456")
    drawer.get_by_role("button", name="Set limit").click()
    row = page.get_by_role("row", name=re.compile("max-queues"))
    expect(row).to_contain_text("123,456")
    row.get_by_role("button", name="Clear").click()
    expect(row).to_have_count(0)


def test_definitions_go_out_and_come_in(
    enter: Callable[..., Any], site: Site, needs: Callable[[str, str], None], name: Callable[..., str], tmp_path: Path
) -> None:
    needs("definitions", "POST")
    queue = name("imported")
    page = enter("definitions")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download definitions").click()
    exported = json.loads(Path(download.value.path()).read_text())
    assert "queues" in exported
    assert download.value.suggested_filename.endswith(".json")
    file = tmp_path / "definitions.json"
    definition = {"name": queue, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
    file.write_text(json.dumps({"queues": [definition]}))
    upload = page.get_by_role("form", name="Import definitions")
    upload.get_by_role("button", name="Upload definitions").click()
    expect(upload.get_by_role("alert")).to_have_text("Choose a file first")
    upload.get_by_label("File").set_input_files(file)
    upload.get_by_role("button", name="Upload definitions").click()
    agree(page, "Import")
    expect(page.get_by_text("Definitions imported.")).to_be_visible()
    assert site.queue(queue)["name"] == queue
