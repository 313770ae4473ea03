"""A program is its cell and the earlier lines that the cell needs, in order, and nothing else."""

import contextlib
import io
import re
from html import unescape

import pytest
from extensions.programs.buttons import programs
from extensions.programs.slicing import needed

# Page by page: cells, and for the last of them the lines that it needs, by the number of the cell
# and what they begin with.
CASES = {
    "what it reads": (
        ["import math\nimport json", "r = 2\nunused = 3", "print(math.pi * r)"],
        ["import math", "r = 2"],
    ),
    "the last of several bindings": (
        ["x = 1", "x = 2", "print(x)"],
        ["x = 2"],
    ),
    "what a binding was made from, in turn": (
        ["a = 1", "b = a + 1", "a = 5", "print(b)"],
        ["a = 1", "b = a + 1"],
    ),
    "changes in place, not what only looks": (
        ["xs = []", "xs.append(1)", "print(len(xs))", "xs[0] = 2", "print(xs)"],
        ["xs = []", "xs.append(1)", "xs[0] = 2"],
    ),
    "a change by another name": (
        ["xs = [1]\nys = xs", "ys += [2]", "print(xs)"],
        ["xs = [1]", "ys = xs", "ys += [2]"],
    ),
    "a change in a loop over the object": (
        ["xs = [[1], [2]]", "for x in xs:\n    x.append(0)", "print(xs)"],
        ["xs = [[1], [2]]", "for x in xs:"],
    ),
    "the names of a function when it is called": (
        ["scale = 1\nf = lambda x: scale * x", "scale = 10", "print(f(1))"],
        ["f = lambda", "scale = 10"],
    ),
    "functions that functions call, partial ones too": (
        [
            "from functools import partial\nk = 2",
            "def g(x):\n    return k * x",
            "def f(x, y):\n    return g(x) + y",
            "h = partial(f, y=1)",
            "print(h(3))",
        ],
        ["from functools import partial", "k = 2", "def g", "def f", "h = partial"],
    ),
    "what a function will need that the cell only defines": (
        ["import math\nunused = 1", "r = 2", "def area(x):\n    return math.pi * r * x"],
        ["import math", "r = 2"],
    ),
    "what a function that is called changes": (
        ["seen = []\nnote = lambda x: seen.append(x)", "note(1)", "print(seen)"],
        ["seen = []", "note = lambda", "note(1)"],
    ),
    "not what a comprehension or a parameter happens to be called": (
        ["x = 1\nn = 2", "print([x for x in range(3)], (lambda n: n)(4))"],
        [],
    ),
    "not what a loop binds itself": (
        ["name = 1\nxs = [3]", "for name in xs:\n    print(name)"],
        ["xs = [3]"],
    ),
    "both ways where a binding is not sure": (
        ["x = 1\nflag = False", "if flag:\n    x = 2", "print(x)"],
        ["x = 1", "flag = False", "if flag:"],
    ),
    "not what is tried in order to fail": (
        ["xs = [1]", "try:\n    xs.append(1, 2)\nexcept TypeError:\n    pass", "print(xs)"],
        ["xs = [1]"],
    ),
    "comment and decorator with their line": (
        ["import functools\n\n# kept\n@functools.cache\ndef f():\n    return 1", "print(f())"],
        ["import functools", "# kept\n@functools.cache\ndef f"],
    ),
    "draws from a generator, in order": (
        [
            "import torch\ng = torch.Generator().manual_seed(0)",
            "a = torch.rand(1, generator=g)",
            "b = torch.rand(1, generator=g)",
            "print(b)",
        ],
        ["import torch", "g = torch", "a = torch", "b = torch"],
    ),
    "a gradient, where the gradient is read": (
        [
            "import torch\nx = torch.ones(1, requires_grad=True)\ny = x**2",
            "y.sum().backward()",
            "print(x.grad)",
        ],
        ["import torch", "x = torch.ones", "y = x**2", "y.sum().backward()"],
    ),
    "no gradient, where only the value is read": (
        [
            "import torch\nx = torch.ones(1, requires_grad=True)\ny = x**2",
            "y.sum().backward()",
            "print(x.detach())",
        ],
        ["import torch", "x = torch.ones"],
    ),
    "steps of an optimiser, and their gradients": (
        [
            "import torch\nx = torch.ones(1, requires_grad=True)",
            "sgd = torch.optim.SGD([x], lr=0.1)",
            "(x**2).sum().backward()",
            "sgd.step()",
            "print(x.detach())",
        ],
        ["import torch", "x = torch.ones", "sgd = torch", "(x**2)", "sgd.step()"],
    ),
    "not an optimiser that it makes itself": (
        [
            "import torch\nsgd = 1",
            "for k in range(2):\n"
            "    x = torch.ones(1, requires_grad=True)\n"
            "    sgd = torch.optim.SGD([x], lr=0.1)\n"
            "    (x**2).sum().backward()\n"
            "    sgd.step()\n"
            "print(x.item())",
        ],
        ["import torch"],
    ),
    "memory shared between tensors and arrays": (
        [
            "import numpy as np\nimport torch\na = np.zeros(2)",
            "t = torch.from_numpy(a)",
            "a[0] = 1",
            "print(t)",
        ],
        ["import numpy", "import torch", "a = np", "t = torch", "a[0] = 1"],
    ),
}


@pytest.mark.parametrize(("cells", "lines"), CASES.values(), ids=CASES.keys())
def test_a_program_holds(cells, lines):
    found = [statement.text for statement in needed(cells)[-1]]
    assert len(found) == len(lines)
    for text, begins in zip(found, lines, strict=True):
        assert text.startswith(begins)


@pytest.mark.parametrize("cells", [cells for cells, _ in CASES.values()], ids=CASES.keys())
def test_a_program_prints_what_its_cell_printed(cells):
    page = {}
    for cell in cells:
        shown = printed(cell, page)
    program, _ = programs(cells)[-1]
    assert printed(program, {}).endswith(shown)


def printed(source, names):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(source, "cell", "exec"), names)
    return out.getvalue()


def test_cells_are_set_apart_and_lines_of_a_cell_stay_together():
    (_, (text, before)) = programs(
        ["import math\n\nx = 1\ny = 2\nunused = 3\nz = 4", "print(x, z)"]
    )
    assert text == "x = 1\nz = 4\n\nprint(x, z)\n"
    assert before == 2


PAGE = """
```{code-cell} python3
x = "<&>"
other = 2
```

```{code-cell} python3
:tags: [hide-cell]
print(x)
```
"""


@pytest.fixture(scope="module")
def build(new_book):
    book = new_book()
    book.write("page", PAGE)
    book.write("local", "```{code-cell} python3\nx = 1\n```\n", front="programs: no\n")
    return book.build()


def test_each_cell_has_a_button_and_says_how_long_its_program_is(build):
    assert build.code == 0, build.said
    first, second = re.findall(r'data-clipboard-text="([^"]*)"', build.page("page"))
    assert unescape(first) == 'x = "<&>"\nother = 2\n'
    assert unescape(second) == 'x = "<&>"\n\nprint(x)\n'
    said = re.findall(r'<span aria-live="polite">([^<]*)</span>', build.page("page"))
    assert said == ["2 lines, complete as they stand", "2 lines, 1 of them from above"]


def test_a_page_may_keep_its_cells_to_itself(build):
    assert "data-clipboard-text" not in build.page("local")


def test_a_cell_that_is_no_python_is_named(new_book):
    book = new_book()
    book.write("page", "```{code-cell} python3\n%time x = 1\n```\n")
    build = book.build()
    assert build.code == 1
    assert "page: a cell is no Python, so no program can be made of it" in build.said
    assert "programs: no" in build.said
