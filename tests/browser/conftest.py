"""A real Chromium before the built site, which is served on the loopback interface."""

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from tests.browser.pages import DESK, HTML
from tests.browser.server import served

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Nothing but this machine has a name or a way: a request that is not blocked elsewhere ends here.
QUIET = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def pytest_configure() -> None:
    if not (HTML / "index.html").exists():
        pytest.exit("the book is not built: nox -s site builds it, or nox -s docs", returncode=1)


def chromium() -> str:
    """Find the browser, or say what to install."""
    named = os.environ.get("GDLA_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.exit(
            "no Chromium here: install it (Debian: apt install chromium), "
            "or name a browser of its family in GDLA_CHROMIUM",
            returncode=1,
        )
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = {"executable_path": chromium(), "chromium_sandbox": False, "args": [*QUIET]}
        browser = playwright.chromium.launch(**options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Serve the site; return its address."""
    with served(HTML) as address:
        yield address


@pytest.fixture(scope="session")
def strict_address() -> Iterator[str]:
    """Serve the site with the headers that its file `_headers` proposes; return its address."""
    with served(HTML, headers=True) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Open a window of its own that may read what was copied."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield context
    context.close()


def watched(context: BrowserContext, url: str, complaints: list[str]) -> None:
    """Note each request that leaves the origin of `url` or fails, and each word in the console."""

    def requested(request: Request) -> None:
        there = urlsplit(request.url)
        if (there.scheme, there.netloc) != urlsplit(url)[:2] and there.scheme != "blob":
            complaints.append(f"{request.frame.url} asks for {request.url}")

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            complaints.append(f"{message.location['url']} says: {message.text}")

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the test went on before all had come
            complaints.append(f"{request.url} failed: {request.failure}")

    context.on("request", requested)
    context.on("requestfailed", failed)
    context.on("console", said)
    context.on("weberror", lambda error: complaints.append(f"{error.page.url}: {error.error}"))


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open pages, each in a window of its own.

    A foreign request, an error or a warning in the console of any of them fails the test, whatever
    else the test looks for. `first` is a script that runs before those of the page.
    """
    contexts, complaints = [], []

    def opened(
        url: str, *, width: int = DESK, scheme: str = "light", first: str = "", **options: object
    ) -> Page:
        window = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
        context = browser.new_context(**window, **options)
        contexts.append(context)
        watched(context, url, complaints)
        page = context.new_page()
        if first:
            page.add_init_script(first)
        page.goto(url, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
