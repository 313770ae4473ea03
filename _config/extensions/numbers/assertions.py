"""Find out whether the assertions of a page hold a number, from both sides.

A number in the prose is a claim. `assert steps < 900` lets it fall to nothing, so a claim is held
only by what bounds it from below and from above: `700 < steps < 900`, `steps == 787`,
`abs(steps / 787 - 1) < 0.01`, `isclose`, or two assertions, one each way.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache

SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
NEAR = ("equal", "isclose", "allclose", "assert_close", "assert_allclose", "assert_equal")
BELOW, ABOVE = (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)


class _Bare(ast.NodeTransformer):
    """Take away what only takes a number out of its tensor: `x.item()` and `float(x)` are `x`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[]):
                return inner
            case ast.Call(func=ast.Name(id="float"), args=[inner], keywords=[]):
                return inner
        return node


@cache
def parsed(source: str) -> ast.Module:
    """Parse a cell; what is no Python, such as a magic, asserts nothing."""
    try:
        return ast.fix_missing_locations(_Bare().visit(ast.parse(source)))
    except SyntaxError:
        return ast.Module([], [])


def expression(text: str) -> str:
    """Return what stands before the format in a part of an f-string; nothing, if it is none."""
    try:
        tree = ast.parse(f"f'''{{{text}}}'''", mode="eval")
        return ast.unparse(tree.body.values[0].value)  # type: ignore[attr-defined]
    except (SyntaxError, AttributeError, IndexError):
        return ""


def held(shown: str, cells: Sequence[str], place: int) -> bool:
    """Tell whether assertions hold an expression from both sides, as it is after the first cells.

    Only those count that see the same variables: they stand behind the last cell that binds a name
    of the expression, or in it, and before the next one that does.

    Args:
        shown: the expression in the prose.
        cells: the sources of all cells of the page.
        place: how many of them stand above the prose.
    """
    wanted = ast.unparse(parsed(shown))
    names = {node.id for node in ast.walk(parsed(shown)) if isinstance(node, ast.Name)}
    binding = [k for k, cell in enumerate(cells) if names & bound(parsed(cell))]
    first = max((k for k in binding if k < place), default=0)
    last = min((k for k in binding if k >= place), default=len(cells))
    found = {side for cell in cells[first:last] for side in sides(parsed(cell), wanted)}
    return found == {"below", "above"}


def bound(node: ast.AST) -> set[str]:
    """Name what a cell binds in the page's own namespace."""
    if isinstance(node, DEFINITIONS):
        return {node.name}
    if isinstance(node, SCOPES):
        return set()
    names = {name for child in ast.iter_child_nodes(node) for name in bound(child)}
    if isinstance(node, ast.Name | ast.Subscript | ast.Attribute) and isinstance(
        node.ctx, ast.Store
    ):
        # `x[0] = 1` changes x as `x = 1` does.
        names |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return names


def sides(cell: ast.AST, wanted: str) -> Iterator[str]:
    """Say from which sides the assertions of a cell bound an expression."""
    for node in ast.walk(cell):
        if isinstance(node, ast.Assert):
            yield from _sides(node.test, wanted)
        elif isinstance(node, ast.Expr) and _called(node.value).startswith("assert_"):
            yield from _sides(node.value, wanted)


def _sides(test: ast.expr, wanted: str) -> Iterator[str]:
    match test:
        case ast.BoolOp(op=ast.And(), values=tests):
            for part in tests:
                yield from _sides(part, wanted)
        case ast.Compare(left=left, ops=ops, comparators=others):
            for small, sign, large in zip([left, *others], ops, others, strict=False):
                if isinstance(sign, ABOVE):
                    small, large = large, small
                if isinstance(sign, ast.Eq) and wanted in (ast.unparse(small), ast.unparse(large)):
                    yield from ("below", "above")
                elif isinstance(sign, BELOW + ABOVE):
                    if ast.unparse(small) == wanted:
                        yield "above"
                    if ast.unparse(large) == wanted:
                        yield "below"
                    if any(_distance(node, wanted) for node in ast.walk(small)):
                        yield from ("below", "above")
        case ast.Call() if _called(test) in NEAR and _mentions(test, wanted):
            yield from ("below", "above")
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(elt=part)]):
            yield from _sides(part, wanted)


def _distance(node: ast.AST, wanted: str) -> bool:
    """Tell whether this is the size of a difference in which the expression stands."""
    match node:
        case ast.Call(func=ast.Name(id="abs"), args=[inner]):
            pass
        case ast.Call(func=ast.Attribute(value=inner, attr="abs" | "norm")):
            pass
        case _:
            return False
    return ast.unparse(inner) != wanted and _mentions(inner, wanted)


def _mentions(node: ast.AST, wanted: str) -> bool:
    return any(isinstance(x, ast.expr) and ast.unparse(x) == wanted for x in ast.walk(node))


def _called(node: ast.AST) -> str:
    """Name the function that is called, without its module."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2]
    return ""
