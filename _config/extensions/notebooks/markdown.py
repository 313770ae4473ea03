"""Spell Markdown that Jupyter, Colab and VS Code all render, from texts that are none yet.

They render CommonMark with tables, and formulas between dollars. Where they differ, as in the
escapes of a text, the rows of a formula, or formulas in a quote, this is what they agree on.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from extensions.mathematics import ROWS

WIDTH = 92  # of a line of prose; in a script "# " comes before it
SPACE = "\0"  # stands for a space at which no line may end

# What Markdown would take for its own in the middle of a text, and at the beginning of a line.
SPECIAL = re.compile(r"[\\`*$~]|(?<!\w)_|_(?!\w)|<(?=[\w/!?])|&(?=#?\w+;)|\](?=[(\[:])|!(?=\[)")
OPENING = re.compile(r"\s+(?=(?:[-+*=>#]+|\d+[.)])(?:\s|$))")
FIRST = re.compile(r"^(\d*)(?=[-+=>#.)]+(?:\s|$))")

COMMAND = re.compile(r"\\(?:([A-Za-z]+)|.)", re.DOTALL)
TOKEN = re.compile(r"\\[A-Za-z]+|\\?.", re.DOTALL)
# The page's number becomes a \tag; as they are, these would number each row once more.
NUMBERED = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather|multline)\*?\}")
INNER = {"align": "aligned", "alignat": "alignedat", "gather": "gathered", "multline": "gathered"}


def escaped(text: str) -> str:
    """Keep a text from being taken for more than it is."""
    return SPECIAL.sub(r"\\\g<0>", text)


def wrapped(text: str) -> str:
    """Break a paragraph into lines, none of which begins like a list, a heading or a quote."""
    text = OPENING.sub(SPACE, FIRST.sub(r"\1\\", text.strip()))
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(SPACE, " ")


def code(text: str) -> str:
    """Spell code inside a line."""
    ticks = _more("`", 1, text)
    room = SPACE if text.startswith("`") or text.endswith("`") else ""
    return re.sub(r"\s", SPACE, f"{ticks}{room}{text}{room}{ticks}")


def linked(text: str, address: str) -> str:
    """Spell a link, or its text if it leads nowhere."""
    if not address:
        return text
    if text.replace("\\", "") == address:
        return f"<{address}>"
    return f"[{text}](<{address}>)" if "(" in address else f"[{text}]({address})"


def fenced(text: str, language: str) -> str:
    """Spell code on lines of its own."""
    fence = _more("`", 3, text)
    text = text.strip("\n")
    return f"{fence}{language}\n{text}\n{fence}"


def _more(tick: str, least: int, text: str) -> str:
    return tick * max(least, 1 + max(map(len, re.findall(f"{tick}+", text)), default=0))


def quoted(blocks: Iterable[str]) -> str:
    """Put `>` before every line of some blocks."""
    # Jupyter cuts formulas out before it looks for quotes: a `>` inside one would stay in it.
    joined = [" ".join(part.split("\n")) if part.startswith("$$") else part for part in blocks]
    return textwrap.indent("\n\n".join(joined), "> ", lambda line: True).replace("> \n", ">\n")


def listed(points: Iterable[Sequence[str]], first: int | None = None) -> str:
    """Spell a list of points, each of some blocks, numbered if there is a first number."""
    items = []
    for number, blocks in enumerate(points, start=first or 0):
        mark = "- " if first is None else f"{number}. "
        items.append(mark + textwrap.indent("\n\n".join(blocks), " " * len(mark))[len(mark) :])
    return ("\n\n" if any("\n\n" in item for item in items) else "\n").join(items)


def tabled(rows: Iterable[Iterable[str]]) -> str:
    """Spell a table whose first row is its head."""
    # A bar would end the cell, in code and in formulas too.
    bars = {r"\|": r"\Vert ", "|": r"\vert "}

    def cell(text: str) -> str:
        text = re.sub(
            r"\$.+?\$", lambda tex: re.sub(r"\\?\|", lambda bar: bars[bar[0]], tex[0]), text
        )
        return " ".join(text.split()).replace("|", r"\|")

    lines = [[cell(text) for text in row] for row in rows]
    head, *body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|" + " --- |" * len(lines[0]), *body])


def formula(tex: str, macros: Mapping[str, str]) -> str:
    """Spell a formula inside a line."""
    return "$" + re.sub(r"\s+", SPACE, expanded(tex, macros).strip()) + "$"


def displayed(tex: str, macros: Mapping[str, str], number: str = "") -> str:
    """Spell a formula on lines of its own, with its number if it has one."""
    tex = expanded(tex, macros).strip()
    if ROWS.search(tex) and r"\begin" not in tex:
        tex = f"\\begin{{aligned}}\n{tex}\n\\end{{aligned}}"
    tex = NUMBERED.sub(lambda m: rf"\{m[1]}{{{INNER[m[2]]}}}" if m[2] in INNER else "", tex)
    lines = [line.rstrip() for line in tex.splitlines() if line.strip()]
    tag = rf" \tag{{{number}}}" if number else ""
    return "\n".join(["$$", *lines]) + f"{tag}\n$$"


def expanded(tex: str, macros: Mapping[str, str]) -> str:
    r"""Replace the book's macros by what they stand for: `A^\T` becomes `A^{\mathsf{T}}`."""
    written = ""
    while command := COMMAND.search(tex):
        written, tex = written + tex[: command.start()], tex[command.end() :]
        body = macros.get(command[1] or "")
        if body is None:
            written += command[0]
            continue
        for place in sorted(set(re.findall(r"#\d", body))):
            argument, tex = _taken(tex)
            body = body.replace(place, argument)
        body = expanded(body, macros)
        if written.rstrip().endswith(("^", "_")):
            body = f"{{{body}}}"  # KaTeX takes `^\operatorname{tr}` for a mistake
        elif re.search(r"\\[A-Za-z]+$", body) and tex[:1].isalpha():
            body += " "
        written += body
    return written + tex


def _taken(tex: str) -> tuple[str, str]:
    """Take the first argument: a group, without its braces, or a single token."""
    tex, depth = tex.lstrip(), 0
    for token in TOKEN.finditer(tex):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if not depth:
            taken = tex[: token.end()]
            return taken[1:-1] if taken.startswith("{") else taken, tex[token.end() :]
    return tex, ""
