"""What no reader should see stops the build, and the message says where."""

import subprocess
import sys


def cell(source: str, head: str = "") -> str:
    return f"```{{code-cell}} python3\n{head}{source}\n```\n\n"


PICTURE = """\
from IPython.display import display
def draw():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'
    display({"image/svg+xml": svg, "text/plain": "<Figure size 9x9 with 1 Axes>"}, raw=True)
"""
DESCRIBED = "---\nmystnb:\n  image:\n    alt: A square\n---\n"
PAGES = {
    "failing": cell("x = 1") + cell("x / 0") + cell("print('never')"),
    "noisy": cell("import warnings; warnings.warn('careful')")
    + cell("import os; os.write(2, b'from below\\n'); None", ":tags: [remove-output]\n")
    + cell("import sys; print('murmur', file=sys.stderr)", ":tags: [remove-stderr]\n"),
    "pictures": cell(PICTURE)
    + cell("draw()")
    + cell("draw(); draw()", DESCRIBED)
    + cell("print('<Figure size 640x480 with 1 Axes>')")
    + cell("object()"),
    "slow": cell("import time; time.sleep(60)"),
    "broken": "$a$ then $\\undefined{x}$, {numref}`fig-none`, {eq}`eq-none`, "
    "[nowhere](nowhere.md), {py:func}`torch.linalg.nothing`.\n",
}
FAULTS = [
    "failing: cell 2 failed\nx / 0\n",
    "ZeroDivisionError: division by zero",
    "noisy: cell 1 writes to standard error",
    "UserWarning: careful",
    "noisy: cell 2 writes to standard error",
    "noisy: cell 3 writes to standard error",
    "pictures: cell 2 draws a picture without a description",
    "pictures: cell 3 draws 2 pictures",
    "pictures: cell 4 shows <Figure size 640x480 with 1 Axes>",
    "pictures: cell 5 shows <object at 0x",
    "slow: cell 1 took longer than 2 seconds\nimport time",
    "broken: formula '\\\\undefined{x}'",
    "fig-none",
    "eq-none",
    "nowhere.md",
    "torch.linalg.nothing",
]


def test_faults_stop_the_build_each_time_and_say_where(new_book):
    book = new_book()
    for name, text in PAGES.items():
        front = "mystnb:\n  execution_timeout: 2\n" if name == "slow" else ""
        book.write(name, text, front)

    first = book.build("-j", "4")
    assert first.code == 1
    assert unsaid(first) == []
    for page in PAGES:
        assert f"{page}.md:" in first.said
    assert "noisy.md:9: WARNING: noisy: cell 1" in first.said, "the line of the cell"
    assert first.said.count("noisy: cell 1 ") == 1
    assert "failing: cell 3" not in first.said, "nothing runs after a failure"
    assert "\x1b[" not in first.said

    # Sphinx reads no page twice and alone would be content now: extensions/again.py.
    second = book.build("-j", "4")
    assert second.code == 1
    assert unsaid(second) == []


def unsaid(build):
    return [message for message in FAULTS if message not in build.said]


def test_sphinx_alone_still_forgets_a_fault(tmp_path):
    # When this fails, extensions/again.py can go.
    (tmp_path / "conf.py").write_text("")
    (tmp_path / "index.rst").write_text("A page\n======\n\n.. nonsense::\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", str(tmp_path), str(tmp_path / "html")]
    codes = [subprocess.run(command, stderr=subprocess.DEVNULL).returncode for _ in range(2)]
    assert codes == [1, 0]
