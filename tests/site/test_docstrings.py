"""What a docstring says of shapes and arguments survives on the site."""

import pytest
from extensions.docstrings import escaped


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A: shape (*, m, n), of any rank.", r"A: shape (\*, m, n), of any rank."),
        ("U (*, m, m) and S (*, n)", r"U (\*, m, m) and S (\*, n)"),
        ("taken *before* the step", "taken *before* the step"),
        ("of the quantity *that is drawn*, not", "of the quantity *that is drawn*, not"),
        ("`*batch m n` and ``f(*x)``", "`*batch m n` and ``f(*x)``"),
        (r":param \*options:", r":param \*options:"),
        ("**bold**", "**bold**"),
        ("    >>> f(*x)", "    >>> f(*x)"),
        ("2 * 3", r"2 \* 3"),
    ],
)
def test_only_lone_asterisks_are_escaped(written, read):
    assert escaped(written) == read
