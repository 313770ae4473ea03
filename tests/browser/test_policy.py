"""A strict Content-Security-Policy stands in every page, breaks nothing, and does block.

A browser says in its console what a policy blocks, and there the fixture `visit` hears it, whatever
a test looks for: see conftest.py.
"""

import base64
import hashlib
import re

import pytest

from tests.browser.conftest import watched
from tests.browser.pages import FRAMES, HTML, PAGES, PHONE, UNFOLD, until

ALL = sorted({*PAGES, *(file.stem for file in HTML.glob("404.html"))})
META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
INLINE = re.compile(r"<script>(.*?)</script>", re.S)
LISTEN = """
  window.blocked = [];
  document.addEventListener("securitypolicyviolation", (it) =>
    blocked.push(`${it.violatedDirective} ${it.blockedURI} ${it.sample} ${it.lineNumber}`));
"""
ALLOWED = re.compile(r"'none'|'self'|'sha256-[A-Za-z0-9+/=]{44}'")


def source(name):
    return (HTML / f"{name}.html").read_text(encoding="utf-8")


def policy(text):
    """Split a policy into its rules."""
    return {rule.split()[0]: rule.split()[1:] for rule in text.split(";") if rule.strip()}


def used(page):
    """Do what the frame offers: colours, copying, chapters, search."""
    page.evaluate(UNFOLD)
    switch = page.get_by_role("button", name="Colour")
    for _ in range(3):
        switch.click()
    for button in page.locator("button.copybtn, .program button").all()[:2]:
        button.scroll_into_view_if_needed()
        button.hover()
        button.click()
    for control in page.locator("[data-explorable] input[type=range]").all()[:2]:
        control.press("ArrowRight")
    page.set_viewport_size({"width": PHONE, "height": 800})
    page.get_by_role("button", name="Chapters").click()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("blocked") == []
    page.keyboard.type("gradient")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert page.evaluate("blocked") == []


@pytest.mark.parametrize("name", ALL)
def test_every_page_states_it_before_it_asks_for_anything(name):
    text = source(name)
    (found,) = META.finditer(text)
    assert not re.search(r"<(script|link|style|img|svg)\b", text[: found.start()])
    assert META.findall(text) == META.findall(source("index")), "pages differ"


@pytest.mark.parametrize("name", ALL)
def test_nothing_in_a_page_needs_a_laxer_one(name):
    text = source(name)
    rules = policy(META.findall(text)[0])
    digests = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in INLINE.findall(text)
    }
    assert digests == {rule for rule in rules["script-src"] if rule.startswith("'sha256")}
    assert not re.search(r"<style\b|<[^>]+\sstyle=|<[^>]+\son[a-z]+=|javascript:", text)


def test_it_is_strict_and_the_headers_say_the_same():
    (text,) = META.findall(source("index"))
    rules = policy(text)
    assert rules["default-src"] == ["'none'"]
    assert rules["base-uri"] == ["'none'"]
    for name, values in rules.items():
        extra = {"data:"} if name == "img-src" else set()
        strangers = [it for it in values if not ALLOWED.fullmatch(it) and it not in extra]
        assert strangers == [], f"{name} allows {strangers}"
    headers = (HTML / "_headers").read_text(encoding="utf-8")
    (header,) = re.findall(r"^\s+Content-Security-Policy: (.+)$", headers, re.M)
    assert policy(header).items() >= rules.items()
    assert policy(header)["frame-ancestors"] == ["'none'"]
    for name in ("X-Content-Type-Options", "Referrer-Policy"):
        assert name in headers


@pytest.mark.parametrize("name", ["index", "descent", "svd", "genindex"])
@pytest.mark.parametrize("served", ["by its meta tag", "by headers", "from a folder"])
def test_whatever_can_be_used_works_under_it(visit, address, strict_address, name, served):
    at = {"by its meta tag": address, "by headers": strict_address}.get(served, HTML.as_uri())
    used(visit(f"{at}/{name}.html", first=LISTEN))


@pytest.mark.parametrize("name", FRAMES)
def test_by_headers_nothing_is_blocked(visit, strict_address, name):
    visit(f"{strict_address}/{name}.html").evaluate(UNFOLD)


@pytest.mark.parametrize("served", ["by its meta tag", "by headers"])
def test_what_finds_its_way_into_a_page_is_blocked(context, address, strict_address, served):
    at, heard = {"by its meta tag": address}.get(served, strict_address), []
    watched(context, at, heard)
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(f"{at}/index.html")
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.harmed = true";
      document.head.append(script);
      document.body.insertAdjacentHTML("beforeend", `
        <img src="nowhere.png" onerror="window.harmed = true">
        <p style="color: red">styled</p>
        <img src="https://example.org/spy.png">
        <script src="https://example.org/spy.js"></script>`);
      const link = document.createElement("a");
      link.href = "javascript:window.harmed = true";
      document.body.append(link);
      link.click();
    }""")
    until(page, "blocked.length >= 5")
    assert not page.evaluate("window.harmed")
    kinds = {line.split()[0] for line in page.evaluate("blocked")}
    assert {"script-src-elem", "script-src-attr", "style-src-attr", "img-src"} <= kinds
    assert any("Content Security Policy" in complaint for complaint in heard)
