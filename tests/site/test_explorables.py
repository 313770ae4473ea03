"""An explorable stands in the figure of the cell that asks for it, above its still picture."""

import re

import pytest

DRAW = """\
from IPython.display import display
svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'
display({"image/svg+xml": svg, "text/plain": "a picture"}, raw=True)"""
FIGURE = """\
mystnb:
  image:
    alt: A line
  figure:
    name: fig-line
    caption: A line.
"""


def cell(name, source=DRAW, figure=FIGURE):
    return f"```{{code-cell}} ipython3\n---\nexplorable: {name}\n{figure}---\n{source}\n```\n\n"


@pytest.fixture(scope="module")
def build(new_book):
    book = new_book()
    book.write("played", "See {numref}`fig-line`.\n\n" + cell("ball"))
    book.write("plain", "Nothing to play with.")
    book.write("misspelt", cell("bal", figure=FIGURE.replace("fig-line", "fig-bal")))
    book.write("bare", cell("ball", source="print(1)", figure=""))
    twice = cell("ball", figure=FIGURE.replace("fig-line", "fig-a"))
    book.write("twice", twice + twice.replace("fig-a", "fig-b"))
    return book.build("-n")


def test_it_shares_the_figure_with_the_still_picture(build):
    html = build.page("played")
    figure = re.search(r'<figure[^>]*id="fig-line".*?</figure>', html, re.S)[0]
    explorable, still = figure.index('data-explorable="ball"'), figure.index('aria-label="A line"')
    assert explorable < still < figure.index("<figcaption>")
    for control in ("lr", "momentum", "condition", "step"):
        assert f'name="{control}"' in figure
    assert 'aria-live="polite"' in figure


def test_only_pages_that_need_scripts_load_them(build):
    scripts = re.findall(r"explorables/(\w+)\.(?:js|css)", build.page("played"))
    assert sorted(scripts) == ["arithmetic", "ball", "explorables", "kit"]
    assert "explorables/" not in build.page("plain")


def test_what_is_wrong_is_said(build):
    assert build.code == 1  # warnings are errors
    assert "misspelt: there is no explorable 'bal'; there are ball, ellipse, invert" in build.said
    assert "bare: the cell of the explorable 'ball' draws no figure" in build.said
    assert "twice: the explorable 'ball' stands here twice" in build.said
    assert "played: " not in build.said.replace("played: Executing", "")
