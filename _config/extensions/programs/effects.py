"""What may happen to the names around a statement, and whose memory an expression may share.

The gradient of a tensor counts as an object of its own, by the name `x.grad`: going backward
changes it and leaves the tensor as it was.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

# What these return shares its memory, or its elements, with what they are given.
VIEWS = {
    *("data", "detach", "diagonal", "flatten", "from_numpy", "numpy", "requires_grad_"),
    *("reshape", "squeeze", "transpose", "unbind", "unsqueeze", "view"),
    *("enumerate", "items", "list", "reversed", "tuple", "values", "zip"),
}


@dataclass
class Effects:
    """Names by what happens to them.

    Attributes:
        binds: given an object.
        maybe: given one on some ways through the statement only.
        imports: given a module, or something out of one.
        reads: whose objects are used.
        changes: whose objects are changed in place.
        back: from which a gradient flows back into the leaves.
        stepped: optimisers that change the leaves by their gradients.
        aliases: pairs that share memory from here on.
        holds: that what was bound may be, or may contain.
        later: read when what was bound is called.
        later_changes: changed when what was bound is called.
        leaf: whether a gradient is asked for.
    """

    binds: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    back: set[str] = field(default_factory=set)
    stepped: set[str] = field(default_factory=set)
    aliases: set[tuple[str, str]] = field(default_factory=set)
    holds: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    later_changes: set[str] = field(default_factory=set)
    leaf: bool = False


def named(target: ast.expr) -> set[str]:
    """Return the names that a target binds, or that a display holds."""
    match target:
        case ast.Name(id=name):
            return {name}
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return set().union(*map(named, elements))
        case ast.Starred(value=value):
            return named(value)
    return set()


def roots(value: ast.expr) -> set[str]:
    """Return the names whose memory a value may share."""
    match value:
        case ast.Attribute(value=inner, attr="grad"):
            return {f"{name}.grad" for name in roots(inner) if "." not in name}
        case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
            return roots(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=given) if name in VIEWS:
            return roots(inner).union(*map(roots, given))
        case ast.Call(func=ast.Name(id=name), args=given) if name in VIEWS:
            return set().union(*map(roots, given))
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return set().union(*map(roots, elements))
    return named(value)
