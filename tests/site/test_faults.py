"""What no reader should see stops the build, and the message says where."""

import re
import subprocess
import sys
from textwrap import dedent

MESSAGE = re.compile(r"WARNING: ((\w+): cell \d+ .*)\n((?: {4}.*\n)+)")


def cell(source: str, head: str = "") -> str:
    return f"```{{code-cell}} python3\n{head}{source.strip()}\n```\n\n"


PICTURE = """\
from IPython.display import display
def draw():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'
    display({"image/svg+xml": svg, "text/plain": "<Figure size 9x9 with 1 Axes>"}, raw=True)
"""
TABLE = "from IPython.display import Markdown\nMarkdown('| a |\\n|---|\\n| 1 |')"
# A cell may catch what it is told, and redirect what it says; the build stops all the same.
FETCH = """\
from urllib.request import urlopen
try:
    urlopen("https://data.example.org/table.csv")
except OSError:
    print("used what we had")
"""
QUIET = """\
import contextlib, io, socket
with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
    socket.gethostbyname("one.example.org")
with contextlib.suppress(Exception), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as letter:
    letter.sendto(b"", ("192.0.2.1", 9))
"""
LOOPBACK = """\
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(("localhost", server.getsockname()[1])).close()
if hasattr(socket, "AF_UNIX"):
    left, right = socket.socketpair()
    left.close(), right.close()
print("nobody left the house")
"""
DESCRIBED = "---\nmystnb:\n  image:\n    alt: A square\n---\n"
PAGES = {
    "failing": cell("x = 1") + cell("x / 0") + cell("print('never')"),
    "noisy": cell("import warnings; warnings.warn('careful')")
    + cell("import os; os.write(2, b'from below\\n'); None", ":tags: [remove-output]\n")
    + cell("import sys; print('murmur', file=sys.stderr)", ":tags: [remove-stderr]\n")
    + cell("import sys; print('groan', file=sys.stderr)", ":tags: [remove-cell]\n"),
    "pictures": cell(PICTURE)
    + cell("draw()")
    + cell("draw(); draw()", DESCRIBED)
    + cell("print('<Figure size 640x480 with 1 Axes>')")
    + cell("print(object())"),
    "echoes": cell("6 * 7")
    + cell("6 * 7;")
    + cell(TABLE, ":tags: [hide-input]\n")
    + cell(TABLE)
    + cell("6 * 7", ":tags: [hide-input]\n")
    + cell("None"),
    "online": cell(FETCH)
    + cell(QUIET, ":tags: [remove-output]\n")
    + cell("import socket\nsocket.create_connection(('192.0.2.7', 80))")
    + cell("print('never')"),
    "local": cell(LOOPBACK),
    "slow": cell("x = 1") + cell("import time; time.sleep(60)"),
    "deadly": cell("x = 1") + cell("import os; os._exit(3)"),
    "broken": "$a$ then $\\undefined{x}$, {numref}`fig-none`, {eq}`eq-none`, "
    "[nowhere](nowhere.md), {py:func}`torch.linalg.nothing`.\n",
}
# What is said of a cell: its page and number, the fault, and the cure.
FAULTS = {
    "failing: cell 2 failed": "mend it, or catch the exception",
    "noisy: cell 1 writes to standard error": "mend the cause",
    "noisy: cell 2 writes to standard error": "mend the cause",
    "noisy: cell 3 writes to standard error": "mend the cause",
    "noisy: cell 4 writes to standard error": "mend the cause",
    "pictures: cell 2 draws a picture without a description": "add `mystnb: {image: {alt: ...}}`",
    "pictures: cell 3 draws 2 pictures": "draw one in a cell",
    "pictures: cell 4 shows <Figure size 640x480 with 1 Axes>": "print what it holds",
    "pictures: cell 5 shows <object object at 0x": "print what it holds",
    "echoes: cell 1 ends in a bare value": "print() it",
    "echoes: cell 4 ends in a bare value": "print() it",
    "echoes: cell 5 ends in a bare value": "print() it",
    "online: cell 1 opens a network connection to data.example.org": "keep it in the repository",
    "online: cell 2 opens a network connection to one.example.org and 192.0.2.1": "keep it in",
    "online: cell 3 opens a network connection to 192.0.2.7": "keep it in the repository",
    "slow: cell 2 took longer than 2 seconds": "`mystnb: {execution_timeout: ...}`",
    "deadly: cell 2 ended the kernel": "do without",
}
# What Python said is said too; and faults in the text.
SAID = [
    "ZeroDivisionError: division by zero",
    "UserWarning: careful",
    "from below",
    "murmur",
    "groan",
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
    blamed = set(re.findall(r"/(\w+)\.md:\d+: WARNING", first.said))
    assert blamed == set(PAGES) - {"local"}, "a cell may connect to its own machine"
    assert "noisy.md:9: WARNING: noisy: cell 1" in first.said, "the line of the cell"
    assert "\x1b[" not in first.said

    # Sphinx reads no page twice and alone would be content now: extensions/builds/again.py.
    second = book.build("-j", "4")
    assert second.code == 1
    assert unsaid(second) == []


def unsaid(build):
    """Return what a build should have said: a cell's place, fault and cure, then its source."""
    messages = MESSAGE.findall(build.said)
    for head, page, source in messages:
        assert f"{dedent(source.replace(' [outputs]', ''))}```" in PAGES[page], head
    missing = [words for words in SAID if words not in build.said]
    for fault, cure in FAULTS.items():
        said = [head for head, _, _ in messages if head.startswith(fault) and cure in head]
        if len(said) != 1:
            missing.append(fault)
    assert missing or len(messages) == len(FAULTS)
    return missing


def test_nothing_that_is_written_below_python_is_lost(new_book):
    # ipykernel alone loses one of a hundred: extensions/cells/below.py.
    book, cells = new_book(), range(1, 61)
    book.write("deep", "".join(cell(f"import os; n = os.write(2, b'{n}')") for n in cells))
    book.write("high", "".join(cell(f"import os; n = os.write(1, b'<%d>' % {-n})") for n in cells))
    build = book.build("-j", "2")
    told = re.findall(r"WARNING: deep: cell (\d+) .*\n.*\n(\d+) ", build.said)
    assert told == [(str(n), str(n)) for n in cells]
    assert re.findall(r"&lt;-(\d+)&gt;", build.page("high")) == [str(n) for n in cells]


def test_sphinx_alone_still_forgets_a_fault(tmp_path):
    # When this fails, extensions/builds/again.py can go.
    (tmp_path / "conf.py").write_text("")
    (tmp_path / "index.rst").write_text("A page\n======\n\n.. nonsense::\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", str(tmp_path), str(tmp_path / "html")]
    codes = [subprocess.run(command, stderr=subprocess.DEVNULL).returncode for _ in range(2)]
    assert codes == [1, 0]
