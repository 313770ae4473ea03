"""A page says how long it takes to read: what is shown counts, what is folded does not."""

import re

import pytest

SHOWN = "word " * 590 + "\n"
PAGE = """
{minutes}`to read`.

%s
```{code-cell} python3
print(1)
print(2)
```

```{code-cell} python3
:tags: [hide-cell]
%s
```

$$
a b c d e f g h
$$
"""


@pytest.fixture(scope="module")
def pages(new_book):
    book = new_book()
    book.write("long", PAGE % (SHOWN, "x = 1\n" * 400))
    book.write("short", "{minutes}`to read`.\n")
    build = book.build()
    assert build.code == 0, build.said
    return {
        # In the text, and in what describes the page to those who share it.
        name: set(re.findall(r"\d+ minutes? to read", build.page(name)))
        for name in ("long", "short")
    }


def test_words_and_lines_are_counted_where_they_are_seen(pages):
    # Six hundred words are three minutes, two lines of code a few seconds more.
    assert pages["long"] == {"3 minutes to read"}


def test_a_short_page_takes_a_minute(pages):
    assert pages["short"] == {"1 minute to read"}
