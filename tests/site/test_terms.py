"""The first use of a term leads to the glossary, and no other does."""

import re

import pytest

GLOSSARY = """
```{glossary}
gradient
  The slope, a kind of {term}`tensor`.

natural gradient
  Another one.

tensor
  A box.
```
"""
PAGE = """
# Gradient, a heading

`gradient` and $gradient$ are code and formula, tensorial is another word. The natural gradients
come first. A Gradient is next, and a gradient again. See {term}`boxes of numbers <tensor>`, then a
tensor.

- In a list {term}`gradient` is a word like any other.
"""


@pytest.fixture(scope="module")
def page(new_book):
    book = new_book()
    book.write("glossary", GLOSSARY)
    book.write("page", PAGE)
    build = book.build()
    assert build.code == 0, build.said
    return build.page("page"), build.page("glossary")


def links(html):
    found = re.findall(
        r'<a class="reference internal" href="([^"]*#term-[^"]*)".*?>(.*?)</a>', html
    )
    return [(href.split("#term-")[1], re.sub("<.*?>", "", text)) for href, text in found]


def test_each_term_is_linked_where_it_comes_first(page):
    assert links(page[0]) == [
        ("natural-gradient", "natural gradients"),
        ("gradient", "Gradient"),
        ("tensor", "boxes of numbers"),
    ]


def test_the_words_are_left_as_they_were(page):
    text = re.sub("<.*?>", "", page[0])
    assert "A Gradient is next, and a gradient again." in " ".join(text.split())
    assert "In a list gradient is a word like any other." in " ".join(text.split())


def test_the_glossary_keeps_the_links_that_were_written(page):
    assert ("tensor", "tensor") in links(page[1])
