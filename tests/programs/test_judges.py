"""What judges the programs can fail: the comparison, the interpreter, the reading of pages."""

import subprocess

import pytest

from tests.programs.alone import surroundings
from tests.programs.conftest import python
from tests.programs.taken import difference, programs, spread

SVG = '<svg viewBox="0 0 9 9"><path d="M 1.5 2 L {} 4"></path></svg>'


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("loss 0.1200 after 40 steps", "loss 0.1200 after 40 steps"),
        ("loss 0.12000001", "loss   0.12\n"),
        ("error 3.1e-16", "error 0.0e+00"),  # rounding, either
        ("20,000 steps", "20_000 steps"),
        (SVG.format("3.0000001"), SVG.format("3")),
    ],
)
def test_the_last_digits_may_differ(ours, theirs):
    assert difference(ours, theirs) is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("loss 0.1200", "loss 0.1212"),  # one per cent
        ("40 steps", "41 steps"),
        ("error 3.1e-09", "error 4.1e-09"),
        ("-0.5", "0.5"),
        ("converged", "diverged"),
        ("", "loss 1"),
        ("loss 1\nloss 1", "loss 1"),
        (SVG.format("3.1"), SVG.format("3")),
    ],
)
def test_nothing_else_may(ours, theirs):
    assert difference(ours, theirs)


def test_a_picture_may_be_rounded_otherwise_and_not_drawn_otherwise():
    # The same corners, 1.01 2.5 against 1 2.5, and both go on to 4 2.
    ours, theirs = (SVG.replace("M 1.5 2 L {} 4", d) for d in ("m1.01 2.5l2.99-.5", "m1 2.5l3-.5"))
    assert difference(spread(ours), spread(theirs), atol=0.011) is None
    assert difference(spread(ours), spread(theirs.replace("l3", "l3.05")), atol=0.011)
    assert difference(spread(ours), spread(theirs.replace("-.5", " .5")), atol=0.011)


@pytest.mark.parametrize(
    ("extra", "there", "missing"),
    [
        ("plots", ["gdla.plots", "numpy", "torch"], ["sklearn", "sphinx", "IPython", "pytest"]),
        ("data", ["gdla.plots", "sklearn.datasets"], ["sphinx", "IPython", "pytest"]),
    ],
)
def test_the_interpreter_sees_what_is_installed_and_nothing_else(extra, there, missing, tmp_path):
    for name in there + missing:
        done = subprocess.run(
            [python(extra), "-c", f"import {name}"],
            cwd=tmp_path,
            env=surroundings(MPLBACKEND="agg"),
            capture_output=True,
            encoding="utf-8",
        )
        assert (done.returncode == 0) == (name in there), name
        assert name in there or "ModuleNotFoundError" in done.stderr


PAGE = """
<div class="cell"><div class="cell_input">
<div class="highlight"><pre>print(<span>x</span>)
</pre></div>
<div class="program"><button data-clipboard-text="x = 1\n\nprint(x)\n">Copy</button></div>
</div><div class="cell_output"><pre>1\n</pre></div></div>
"""


def test_a_program_is_read_with_what_its_page_shows(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "page.html").write_text(PAGE)
    (program,) = programs(tmp_path)
    assert program.name == "deep/page-01"
    assert program.text == "x = 1\n\nprint(x)\n"
    assert (program.lines, program.cell) == (2, 1)
    assert (program.printed, program.pictures) == ("1\n", ())
