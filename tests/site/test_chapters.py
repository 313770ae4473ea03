"""Every chapter has what its reader looks for, in the same order and under the same names."""

import re

import pytest
import torch
from books import CHAPTERS, HOUSE

SECTIONS = ["A question", "Where it fails", "Exercises", "What to remember", "Further reading"]
FENCED = re.compile(r"^(`{3,}|:{3,}).*?^\1$", re.M | re.S)
NEEDS = ("**What we do.**", "**What you need.**", "**Time.** {minutes}`to read`.")


def page(name):
    return (HOUSE / "book" / f"{name}.md").read_text(encoding="utf-8")


def sections(text):
    """Map the heading of each section to what stands below it."""
    pieces = re.split(r"^## (.+)$", FENCED.sub("", text), flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_the_chapters_are_those_of_the_table_of_contents():
    tables = re.findall(
        r"```\{toctree\}\n:caption: (.+?)\n:hidden:\n\n(.*?)```", page("index"), re.S
    )
    listed = [name for caption, table in tables if caption != "Reference" for name in table.split()]
    assert listed == CHAPTERS


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_parts_stand_in_order(name):
    headings = list(sections(page(name)))
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    assert headings[0] == SECTIONS[0]
    assert headings[-3:] == SECTIONS[-3:]


@pytest.mark.parametrize("name", CHAPTERS)
def test_it_says_what_we_do_what_is_needed_and_how_long_it_takes(name):
    (box,) = re.findall(
        r":::\{admonition\} In this chapter\n:class: tip\n(.*?):::", page(name), re.S
    )
    places = [box.find(need) for need in NEEDS]
    assert places == sorted(places)
    assert min(places) >= 0


@pytest.mark.parametrize("name", CHAPTERS)
def test_it_asks_and_gives_time_to_think(name):
    question = page(name).split("## A question")[1].split("\n## ")[0]
    assert ":::{admonition} Pause\n:class: hint\n" in question


@pytest.mark.parametrize("name", CHAPTERS)
def test_three_things_are_to_be_remembered(name):
    bullets = re.findall(r"^- ", sections(page(name))["What to remember"], re.M)
    assert len(bullets) == 3


@pytest.mark.parametrize("name", CHAPTERS)
def test_further_reading_names_its_sources(name):
    assert "{cite:t}" in sections(page(name))["Further reading"]


def test_svd_still_needs_two_matrices_for_one_exponential():
    # torch 2.13 has a wrong coefficient in the exponential of a single small matrix (pytorch
    # #196592); svd.md therefore turns a stack. When this fails, it may turn one at a time.
    angle = torch.tensor([[0.0, -0.04], [0.04, 0.0]]).double()
    one, two = map(torch.linalg.matrix_exp, (angle, angle.expand(2, 2, 2)))

    def defect(Q):
        return (Q.mT @ Q - torch.eye(2)).abs().max()

    assert defect(one) > 1e-12 > defect(two)
