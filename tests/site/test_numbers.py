"""A number in the prose is the value of a variable, and an assertion of its page holds it."""

import re

import pytest
from docutils import nodes
from extensions.numbers.assertions import held
from extensions.numbers.claims import compared, typed
from extensions.numbers.values import typeset, wanted
from nbformat.v4 import new_code_cell, new_markdown_cell


def cell(source, head=""):
    return f"```{{code-cell}} python3\n{head}{source}\n```\n\n"


# What looks measured, and what does not


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The error is 0.25 now.", ["0.25"]),
        ("It saves 18 % of it, 5% there, ten per cent here.", ["18 %", "5%", "ten per cent"]),
        ("Off by 1e-7, 2.5e-16 or 10^-7.", ["1e-7", "2.5e-16", "10^-7"]),
        ("After twenty thousand steps, or 12 steps.", ["twenty thousand steps", "12 steps"]),
        ("Right to four correct digits and 3 seconds.", ["four correct digits", "3 seconds"]),
        ("One hundred and twenty-five iterations.", ["hundred and twenty-five iterations"]),
        ("A two-step method that is four times as fast.", ["two-step", "four times"]),
        ("It grew fourfold and 10-fold.", ["fourfold", "10-fold"]),
        ("Two of five are wrong, 3 out of 40, two of them.", ["Two of five", "3 out of 40"]),
        ("A hundredth, two thirds, a third of it.", ["A hundredth", "two thirds", "a third of"]),
        ("The original took 10,000.", ["10,000"]),
    ],
)
def test_what_looks_measured_is_found(text, numbers):
    found = [number for number, _ in typed(text)]
    assert found[: len(numbers)] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "Python 3.11 or version 0.1.0, see chapter 5.1 and Figure 2.1.",
        "M3 and float32 hold a 5x4 matrix, half the digits of 4 GB, seed 314, in 1998.",
        "Two classics, five matrices, one step, a third matrix, one of the two.",
        "It takes … steps, … times as many, or … of …, and falls below 30 in no time.",
        "A hundred lines, and sometimes a thousand.",
    ],
)
def test_what_was_chosen_or_only_counts_passes(text):
    assert list(typed(text)) == []


def test_a_number_is_told_with_its_sentence_alone():
    assert list(typed("First. It is 0.5 long: so be it. Last.")) == [
        ("0.5", "It is 0.5 long: so be it.")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "This is faster.",
        "It takes fewer steps.",
        "A step costs more than two calls.",
        "The error is smaller here than there.",
        "It is the fastest of all.",
        "It is twice as long.",
        "It is ten times as long.",
    ],
)
def test_a_comparison_is_found(text):
    assert list(compared(f"A sentence. {text}")) == [text]


@pytest.mark.parametrize(
    "text",
    ["Most of it is more.", "We need less, rather than nothing.", "A better metric is longer."],
)
def test_what_compares_with_nothing_passes(text):
    assert list(compared(text)) == []


# What an assertion holds


@pytest.mark.parametrize(
    "assertion",
    [
        "assert 1 < x < 2",
        "assert 2 > x.item() >= 1 and y",
        "assert x == 3 == y",
        "assert abs(float(x) / 3 - 1) < 0.01",
        "assert 0.1 > (y - x).abs().max()",
        "assert x < 2\nassert z or y\nassert x > 1",
        "assert all(1 < x < 2 for x in y)",
        "assert math.isclose(x, 2)",
        "assert torch.allclose(y, 2 * x)",
        "torch.testing.assert_close(x, y)",
        "for x in y:\n    assert 1 < x < 2",
    ],
)
def test_an_assertion_holds_from_both_sides(assertion):
    assert held("x", ["x = 1", assertion], 2)


@pytest.mark.parametrize(
    "assertion",
    [
        "assert x < 2",
        "assert 1 < x and x > 0",
        "assert x",
        "assert x != 3",
        "assert 1 < x < 2 or y",
        "assert not 1 < x < 2",
        "assert abs(x) < 2",
        "assert abs(x - 1) > 2",
        "assert 1 < f(x) < 2",
        "1 < x < 2",
        "%magic",
    ],
)
def test_an_assertion_that_does_not_is_seen_through(assertion):
    assert not held("x", ["x = 1", assertion], 2)


def test_an_assertion_holds_the_variable_of_its_place_only():
    cells = ["x = 1\nassert x == 1", "f = lambda x: x", "x[0] = 2", "y = 3", "assert x == 2"]
    assert held("x", cells, 1)
    assert held("x", cells, 2), "the function's x is another one"
    assert held("x", cells, 3), "a later cell sees the same x"
    assert not held("x", cells[:4], 3), "x changed since"
    assert not held("x + y", cells, 5)


# How a number looks


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("-1.5", "\N{MINUS SIGN}1.5"),
        ("20,000", "20,000"),
        ("L-BFGS", "L-BFGS"),
        ("2.0e+00", "2.0"),
        ("1.2e-07", r"1.2 \times 10^{-7}"),
        ("-3E+10", r"-3 \times 10^{10}"),
        ("1e-12", r"10^{-12}"),
    ],
)
def test_a_number_is_written_as_in_a_book(number, text):
    (node,) = typeset(number)
    assert node.astext() == text
    assert isinstance(node, nodes.math if "10^" in text else nodes.Text)


def test_expressions_are_found_in_prose_and_in_captions():
    assert wanted(new_markdown_cell("{value}`a\n+ b:.1f` {value}`` c `` `{value}`")) == [
        "a + b:.1f",
        "c",
    ]
    figure = {"mystnb": {"figure": {"caption": "So {value}`d`."}}}
    assert wanted(new_code_cell("'{value}`e`'", metadata=figure)) == ["d"]
    assert wanted(new_code_cell("1")) == []


# Whole books

PLACES = (
    "Nothing yet.\n\n"
    + cell("x = 1.5\nassert 1 < x < 2")
    + "First {value}`x:.2f`, {value}`x:.0%`.\n\n"
    + ":::{admonition} Box\n\nBoxed {value}`x *\n2:.1f`.\n:::\n\n"
    + "- Point {value}`x:.3f`\n\n| a | b |\n|---|---|\n| c | Table {value}`x:.4f` |\n\n"
    + cell("x = -1.2e-7\nassert abs(x / -1.2e-7 - 1) < 0.01\nassert -1e6 < x * 2 < 1e6")
    + "Then {value}`x:.1e` beside `{value}` and ``{value}`y` ``.\n\n"
    + cell(
        "from IPython.display import SVG, display\nn = 12345\nassert n == 12345\n"
        'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>\'))',
        "---\nmystnb:\n  image:\n    alt: A square\n  figure:\n    name: fig-n\n"
        "    caption: Caption {value}`n:,`\n---\n",
    )
)
VALUE = re.compile(r'<span class="value">(.*?)</span>', re.DOTALL)
SHOWN = {
    "First": "1.50",
    "Boxed": "3.0",
    "Point": "1.500",
    "Table": "1.5000",
    "Caption": "12,345",
}


def test_values_are_those_of_their_place_and_run_again_when_an_expression_changes(new_book):
    book = new_book()
    places = PLACES.replace("assert 1 < x < 2", "assert 1 < x < 2 and 2 < x * 2 < 4")
    book.write("places", places)
    first = book.build()
    assert first.code == 0, first.said
    html = first.page("places")
    for before, number in SHOWN.items():
        assert f'{before} <span class="value">{number}</span>' in html
    assert '<span class="value">150%</span>' in html
    (power,) = (value for value in VALUE.findall(html) if "<" in value)
    assert power.startswith("<math")
    assert re.search(r"<msup>.*10.*7.*</msup>", power, re.S)
    assert html.count('<div class="cell docutils container">') == 3, "no cell but the page's own"
    assert "user_expressions" not in html

    same = book.build(doctrees="others")
    assert same.code == 0, same.said
    assert same.executed == set(), "from the cache"
    assert VALUE.findall(same.page("places")) == VALUE.findall(html)

    book.write("places", places.replace("Nothing yet", "Nothing").replace("x:.2f", "x:.6f"))
    edited = book.build()
    assert edited.executed == {"places"}
    assert '<span class="value">1.500000</span>' in edited.page("places")

    unexecuted = book.build(doctrees="few", GDLA_PAGES="index")
    assert "[numbers]" not in unexecuted.said
    assert 'First <span class="value unknown">x</span>' in unexecuted.page("places")


FAULTS = {
    "values": cell("x = 1.5\nb = [1]\nassert 1 < x < 2 and b == [1]")
    + "A {value}`y:.1e`, b {value}`x +`, c {value}`b:.1e`.\n\n"
    + "D {value}`x * 2`, e {value}`b[1]`.\n\n"
    + cell("assert y == 1 == b[1]")
    + "F {value}`x:.2f`.\n",
    "typed": "# Once 0.5\n\nAn error of 0.125 and of 1.5.\n\n- Point 0.25\n\n"
    "| a |\n|---|\n| 0.375 |\n\n"
    ":::{note}\nNoted 0.625.\n:::\n\n```{image} picture.svg\n:alt: Pictured 0.875\n```\n\n"
    ":::{admonition} Before\n**Time.** Twenty minutes and 0.9.\n:::\n\n"
    "$0.9$, `0.9`, {given}`0.9`, *0.75*.\n\n```\n0.9\n```\n\n"
    "```{eval-rst}\n.. automodule:: toy\n```\n",
    "compared": cell("x = 1")
    + "Here it is faster.\n\n## Tested\n\nThere it is faster.\n\n"
    + cell("assert x == 1")
    + "## Left alone\n\nIt is the slowest of all.\n",
    "reported": "They took {reported}`10,000 steps`.\n\n## Named\n\n"
    "They took {reported}`20,000 steps`.\n\nSo it was {cite:p}`somebody2020`.\n",
}
PLAIN = "# Plain\n\nIt is faster, see {value}`x`.\n"
SAID = [
    "values.md:14: WARNING: values: value `y:.1e`: NameError: name 'y' is not defined",
    "values: value `x +`: SyntaxError: write what an f-string holds",
    "values: value `b:.1e`: TypeError: ",
    "values.md:16: WARNING: values: value `x * 2`: no assertion holds it from both sides; add one",
    "values: value `b[1]`: IndexError: list index out of range; mend the expression",
    "values: cell 2 failed",
    "Cell In[2], line 1",
    "typed: the number '0.125' is typed; show a {value}",
    "An error of 0.125 and of 1.5.",
    "'1.5' is typed",
    "compared: nothing in this section holds a comparison; assert it",
    "Here it is faster.",
    "It is the slowest of all.",
    "reported: nobody is named who reported '10,000 steps'; cite its source",
    "plain: value `x`: there are no cells",
    *(f"the number '0.{digits}' is typed" for digits in (5, 25, 375, 625, 875, 75)),
]


def test_claims_that_nothing_holds_stop_the_build_and_say_where(new_book):
    book = new_book()
    (book.folder / "toy" / "__init__.py").write_text('"""Some 0.9 of it."""\n')
    for name, text in FAULTS.items():
        book.write(name, text)
    (book.folder / "book" / "plain.md").write_text(PLAIN)
    (book.folder / "book" / "picture.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    book.write("typed", FAULTS["typed"])

    build = book.build(PYTHONPATH=str(book.folder))
    assert build.code == 1
    assert [message for message in SAID if message not in build.said] == [], build.said
    assert "'0.9'" not in build.said
    assert "There it is faster." not in build.said
    assert "It is faster, see" not in build.said, "a page without cells defines"
    assert "value `x:.2f`" not in build.said, "it is held, and the cell that failed was named"
    assert "'20,000 steps'" not in build.said
