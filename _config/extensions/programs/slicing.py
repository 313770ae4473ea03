"""Which earlier lines does a cell need? Answered by reading the code, without running it.

A backward slice (Weiser 1981) over the top-level statements of a page. A statement needs, for each
name that it reads, the statement that bound the name last and all that changed its object since.
Reading code cannot tell everything; what it overlooks is found by `nox -s snippets`, which runs
every program and compares what it prints with the page.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extensions.programs.effects import Effects
from extensions.programs.names import Reader


@dataclass
class Statement(Effects):
    """A top-level statement of a cell.

    Attributes:
        cell: number of the cell, from zero.
        first, last: its lines there, from zero, the last one excluded.
        spaced: whether an empty line stands above it.
        text: its lines.
    """

    cell: int = 0
    first: int = 0
    last: int = 0
    spaced: bool = False
    text: str = ""


def statements(source: str, cell: int = 0) -> list[Statement]:
    """Split a cell into top-level statements; comment lines belong to what they stand above."""
    lines = source.splitlines()
    found: list[Statement] = []
    for node in ast.parse(source).body:
        decorators = getattr(node, "decorator_list", [])
        first = min(part.lineno for part in [node, *decorators]) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        if not found or first >= found[-1].last:  # else both stand on one line
            spaced = first > 0 and not lines[first - 1].strip()
            found.append(Statement(cell=cell, first=first, spaced=spaced))
        statement = found[-1]
        statement.last = node.end_lineno or first + 1
        statement.text = "\n".join(lines[statement.first : statement.last])
        Reader(statement).visit(node)
    return found


def needed(cells: Sequence[str]) -> list[list[Statement]]:
    """Return, for each cell, the statements of earlier cells that it needs, in order."""
    page = [s for number, source in enumerate(cells) for s in statements(source, number)]
    _spread(page)
    result = []
    for number in range(len(cells)):
        own = [k for k, statement in enumerate(page) if statement.cell == number]
        kept: set[int] = set(own)
        # Whoever copies a function will call it, after the cell.
        later = set[str]().union(*(page[k].later for k in own))
        queue = [*own, *_causes(page, later, own[-1] + 1)] if own else []
        while queue:
            at = queue.pop()
            kept.add(at)
            queue.extend(_causes(page, page[at].reads, at) - kept)
        result.append([page[k] for k in sorted(kept.difference(own))])
    return result


def _causes(page: Sequence[Statement], reads: set[str], at: int) -> set[int]:
    """Return what must have run before a place at which names are read."""
    causes: set[int] = set()
    for name in _reached(page, reads, at):
        since = at
        for binder in _binders(page, name.partition(".")[0], at):
            causes |= {binder, *(k for k in range(binder + 1, since) if name in page[k].changes)}
            since = binder
    return causes


def _reached(page: Sequence[Statement], reads: set[str], at: int) -> set[str]:
    """Add the names that functions among them read when they are called, which is now."""
    reached, names = set(reads), list(reads)
    while names:
        for binder in _binders(page, names.pop(), at):
            new = page[binder].later - reached
            reached |= new
            names.extend(new)
    return reached


def _binders(page: Sequence[Statement], name: str, before: int) -> Iterator[int]:
    """Yield the statement that bound a name last; those before it, while none is sure to bind."""
    for k in range(before - 1, -1, -1):
        if name in page[k].binds:
            yield k
            if name not in page[k].maybe:
                return


def _spread(page: Sequence[Statement]) -> None:
    """Let a change reach the other names of an object, its leaves, and the caller of a function."""
    shared: dict[str, set[str]] = {}
    modules: set[str] = set()
    for at, statement in enumerate(page):
        modules |= statement.imports
        for name in statement.binds:
            shared.pop(name, set()).discard(name)
        for pair in statement.aliases:
            if not modules.intersection(pair):
                together = shared.get(pair[0], {pair[0]}) | shared.get(pair[1], {pair[1]})
                shared.update(dict.fromkeys(together, together))
        for name in statement.holds:
            if any(page[k].later for k in _binders(page, name, at)):
                statement.later.add(name)
        for name in _reached(page, statement.reads, at):
            for binder in _binders(page, name, at):
                statement.changes |= page[binder].later_changes
        for name in statement.back:
            statement.changes |= {f"{leaf}.grad" for leaf in _leaves(page, name, at)}
        for name in statement.stepped:
            leaves = _leaves(page, name, at) - statement.binds
            statement.changes |= leaves
            statement.reads |= {f"{leaf}.grad" for leaf in leaves}
        for names in statement.changes, statement.reads:
            for name in list(names):
                base, dot, grad = name.partition(".")
                if dot or names is statement.changes:
                    names |= {other + dot + grad for other in shared.get(base, ())} | shared.get(
                        name, set()
                    )


def _leaves(page: Sequence[Statement], name: str, at: int) -> set[str]:
    """Return the names, among those an object was computed from, that ask for a gradient."""
    seen, names = {name}, [(name, at + 1)]
    while names:
        name, before = names.pop()
        for binder in _binders(page, name, before):
            new = page[binder].reads - seen
            seen |= new
            names.extend((parent, binder + 1) for parent in new)
    asked = [s.binds | s.changes for s in page[: at + 1] if s.leaf]
    return seen & set().union(*asked)
