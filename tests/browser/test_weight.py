"""Pages are light: a budget for the first one that a reader opens, and for each after it.

`nox -s site -- -k weight -s` prints the table; build/weights.json keeps it.
"""

import json

import pytest

from tests.browser.pages import HTML, PAGES, WALK, until

FIRST, NEXT = 300_000, 100_000  # bytes as they travel, headers included
REPORT = HTML.parent / "weights.json"
WEIGHTS = {}
ICON = HTML / "_static" / "favicon.svg"


def row(name, *cells):
    return f"{name:14}" + "".join(f"{cell:>11}" for cell in cells)


def table():
    """Write a line for each page: the first load, then that after another page was read."""
    kinds = ("requests", "raw", "sent")
    yield row("page", *kinds, *(f"next: {kind}"[:10] for kind in kinds))
    for name, loads in sorted(WEIGHTS.items()):
        yield row(name, *(loads[load][kind] for load in ("first", "next") for kind in kinds))


@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    REPORT.write_text(json.dumps(WEIGHTS, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print("", *table(), sep="\n")


def traffic(page, url):
    """Open a page and see all of it; count what comes over the wire: requests, bytes raw, sent."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    asked, kept, raw, sent = {}, set(), {}, {}

    def responded(event):
        response = event["response"]
        if response.get("fromDiskCache") or response.get("fromPrefetchCache"):
            kept.add(event["requestId"])

    def received(event):
        raw[event["requestId"]] = raw.get(event["requestId"], 0) + event["dataLength"]

    def finished(event):
        sent[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.requestWillBeSent", lambda it: asked.update({it["requestId"]: it}))
    session.on("Network.requestServedFromCache", lambda it: kept.add(it["requestId"]))
    session.on("Network.responseReceived", responded)
    session.on("Network.dataReceived", received)
    session.on("Network.loadingFinished", finished)
    page.goto(url, wait_until="load")
    page.evaluate(WALK)
    page.wait_for_load_state("networkidle")

    def counted():
        return {
            number: event["request"]["url"]
            for number, event in asked.items()
            if number not in kept and not event["request"]["url"].startswith(("data:", "blob:"))
        }

    # A browser asks for the icon by itself, and may leave it: what has not come weighs as its file.
    for number, url in counted().items():
        if url.endswith(ICON.name):
            sent.setdefault(number, ICON.stat().st_size)
    for _ in range(100):  # a file that comes last is finished a moment after all is quiet
        under_way = [url for number, url in counted().items() if number not in sent]
        if not under_way:
            break
        page.wait_for_timeout(50)
    assert under_way == []
    session.detach()
    bytes_raw, bytes_sent = (sum(of.get(number, 0) for number in counted()) for of in (raw, sent))
    return {"requests": len(counted()), "raw": bytes_raw, "sent": bytes_sent}


@pytest.mark.parametrize("name", PAGES)
def test_the_weight_of_a_page_is_within_its_budget(browser, address, name):
    url, loads = f"{address}/{name}.html", {}
    other = "index" if name != "index" else "descent"
    for load, visited in (("first", None), ("next", f"{address}/{other}.html")):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        if visited:
            page.goto(visited, wait_until="networkidle")
        loads[load] = traffic(page, url)
        context.close()
    WEIGHTS[name] = loads
    assert loads["first"]["sent"] <= FIRST
    assert loads["next"]["sent"] <= NEXT
    assert loads["next"]["requests"] < loads["first"]["requests"], "nothing was kept"


def test_the_weight_that_is_measured_is_what_was_sent(browser, address):
    """One file, of a known size, without a compression to speak of."""
    (font,) = (HTML / "_static").rglob("stix-two-math*.woff2")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/genindex.html", wait_until="networkidle")
    before = traffic(page, f"{address}/genindex.html")
    path = font.relative_to(HTML).as_posix()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sent = []
    session.on("Network.loadingFinished", lambda it: sent.append(it["encodedDataLength"]))
    page.evaluate("path => fetch(path, { cache: 'reload' }).then(it => it.arrayBuffer())", path)
    until(page, "true")
    context.close()
    assert before["requests"] <= 1
    assert len(sent) == 1
    assert font.stat().st_size < sent[0] < font.stat().st_size + 1000
