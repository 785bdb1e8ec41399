"""The page in a real browser: Debian's Chromium, driven by Playwright, before a broker of ours.

With `--broker` the page is before another broker's API. The browser reports what it objects to, and a test that made it
object fails.
"""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from amqpd.management.page import HEADERS, files
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    expect = sync_playwright = None  # type: ignore[assignment,misc]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SIGNED_IN = """
    if (!sessionStorage.getItem("signed in")) {
        sessionStorage.setItem("signed in", "once");
        sessionStorage.setItem("amqpd.session", JSON.stringify({authorization: "Basic Z3Vlc3Q6Z3Vlc3Q="}));
    }
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = None if CHROMIUM else "there is no Chromium: apt install chromium"
    if sync_playwright is None:
        missing = "there is no Playwright: pip install -e '.[test]'"
    for item in items:
        if missing and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=missing))


class Site:
    """The page's address, and the API behind it."""

    def __init__(self, url: str, amqp_url: str) -> None:
        self.url = url
        self.amqp_url = amqp_url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the API, by guest; names in `path` are encoded already."""
        request = urllib.request.Request(f"{self.url}api/{path}", method=method)
        request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def queue(self, name: str) -> Any:
        return self.call("GET", f"queues/%2F/{quote(name, safe='')}")

    def client(self, **options: Any) -> Client:
        """An AMQP connection."""
        return Client(self.amqp_url, **options)


@pytest.fixture(scope="package")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    other: str | None = request.config.getoption("--broker")
    if other is not None:
        yield from before_another_broker(other)
        return
    with BrokerProcess("-D", str(tmp_path_factory.mktemp("page")), "--http-port", "0") as broker:
        yield Site(page_url(broker), broker.url)


def page_url(broker: BrokerProcess) -> str:
    line = next(line for line in broker.log if "started HTTP listener on " in line)
    return f"http://{line.partition('started HTTP listener on ')[2].split()[0]}/"


def before_another_broker(url: str) -> Iterator[Site]:
    """Serves the page itself, and has RabbitMQ answer for the API, at its usual distance of ten thousand ports."""
    parts = urlsplit(url)
    assert parts.hostname
    address = (parts.hostname, (parts.port or 5672) + 10000)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            if self.path.startswith("/api/"):
                behind = http.client.HTTPConnection(*address)
                size = int(self.headers.get("content-length") or 0)
                passed = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "origin")}
                behind.request(self.command, self.path, self.rfile.read(size), passed)
                found = behind.getresponse()
                status, body = found.status, found.read()
                headers = {name: value for name, value in found.getheaders() if name.lower() != "transfer-encoding"}
                behind.close()
            else:
                file = files().get(self.path.partition("?")[0].lstrip("/") or "index.html")
                status, body = (404, b"") if file is None else (200, file.content)
                headers = {**HEADERS, "Content-Type": file.content_type if file else "text/plain"}
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                if name != "content-length":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_OPTIONS = answer  # noqa: N815 - the library's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.server_address[1]}/", url)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="package")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    expect.set_options(timeout=20_000 if request.config.getoption("--broker") else 8_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Opens the page in a browser that knows nothing yet. Fails the test in the end if the browser objected."""
    contexts: list[Any] = []
    objections: list[str] = []

    def visit(
        path: str = "",
        *,
        width: int = 1280,
        script: str = "",
        url: str = site.url,
        signed_in: bool = False,
        **options: Any,
    ) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        if signed_in:
            context.add_init_script(SIGNED_IN)
        page = context.new_page()
        page.on("pageerror", lambda error: objections.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (objections.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: foreign(request.url, url))
        # the browser notes each answer of 4xx; those are the page's business
        page.on(
            "console",
            lambda note: (
                note.type in ("error", "warning")
                and "Failed to load resource" not in note.text
                and objections.append(f"console: {note.text}")
            ),
        )
        if script:
            page.add_init_script(script)
        page.goto(url + path)
        return page

    def foreign(requested: str, url: str) -> None:
        if not requested.startswith((url, "blob:")):
            objections.append(f"request to {requested}")

    yield visit
    for context in contexts:
        context.close()
    assert not objections


@pytest.fixture
def enter(visit: Callable[..., Any]) -> Callable[..., Any]:
    """The same, signed in, at a place such as `queues/%2F/orders`."""

    def enter(place: str = "", **options: Any) -> Any:
        page = visit(f"#/{place}", signed_in=True, **options)
        page.locator(".frame").wait_for()
        return page

    return enter


def sign_in(page: Any, name: str = "guest", password: str = "guest") -> None:
    page.get_by_label("User").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def unfold(page: Any, title: str) -> Any:
    """Opens a drawer, and returns it."""
    drawer = page.locator("details", has=page.locator("summary", has_text=title))
    drawer.locator("summary").click()
    return drawer


def agree(page: Any, action: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=action).click()


def go(page: Any, place: str) -> None:
    page.evaluate("place => { location.hash = place }", f"#/{place}")


@pytest.fixture
def name(site: Site, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Names nobody else uses; queues and exchanges called so are deleted after the test."""
    used: list[str] = []

    def name(stem: str) -> str:
        used.append(f"page.{request.node.name[:40]}.{stem}")
        return used[-1]

    yield name
    for kind in ("queues", "exchanges"):
        for each in site.call("GET", f"{kind}/%2F?columns=name"):
            if each["name"] in used:
                site.call("DELETE", f"{kind}/%2F/{quote(each['name'], safe='')}")


@pytest.fixture
def declared(site: Site, name: Callable[[str], str]) -> Callable[..., str]:
    """Declares a queue, with messages in it."""

    def declared(stem: str = "queue", messages: int = 0, **body: Any) -> str:
        queue = name(stem)
        site.call("PUT", f"queues/%2F/{quote(queue, safe='')}", body or {"durable": False})
        for number in range(messages):
            publish(site, queue, f"message {number}")
        return queue

    return declared


def publish(site: Site, queue: str, payload: str, properties: dict[str, Any] | None = None) -> None:
    body = {"properties": properties or {}, "routing_key": queue, "payload": payload, "payload_encoding": "string"}
    site.call("POST", "exchanges/%2F/amq.default/publish", body)
