"""Read from its code what a statement does to the names around it.

Python's syntax says what is bound and read. That an object is changed in place it does not say; it
is known by the conventions of the language and of torch: assignment to a part, `xs.append()`,
`x.add_()`, `generator=g`, `loss.backward()`.
"""
# ruff: noqa: D102 (what a method of a visitor does is in its name)

from __future__ import annotations

import ast

from extensions.programs.effects import Effects, named, roots

MUTATORS = {
    *("append", "extend", "insert", "add", "update", "setdefault"),
    *("pop", "remove", "discard", "clear", "sort", "reverse"),
    *("manual_seed", "seed", "set_printoptions", "simplefilter", "filterwarnings"),
}
# These change the leaves from which an object was computed: their gradients, or themselves.
BACKWARD, STEP = {"backward", "zero_grad"}, {"step"}


class Reader(ast.NodeVisitor):
    """Collect effects in the order of execution: what is bound on the way is not read from before.

    Args:
        effects: receives what is found.
        local: names of an inner scope -> names outside whose objects they may be.
    """

    def __init__(self, effects: Effects, local: dict[str, set[str]] | None = None) -> None:
        self.effects = effects
        self.local = local or {}
        self.bound: dict[str, set[str]] = {}  # on the way -> whose memory it may share

    def change(self, names: set[str]) -> None:
        for name in names:
            base, dot, grad = name.partition(".")
            self.effects.changes |= {root + dot + grad for root in self.local.get(base, {base})}

    def read_gradient(self, names: set[str]) -> None:
        for name in names:
            base = name.partition(".")[0]
            sources = self.local.get(base, self.bound.get(base, {base}))
            self.effects.reads |= {f"{source}.grad" for source in sources if "." not in source}

    def share(self, target: ast.expr, roots: set[str]) -> None:
        for name in named(target):
            self.effects.aliases |= {(name, root) for root in roots}
            self.bound[name] = self.bound.get(name, set()) | roots

    # Names

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.local:
            return
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.bound:
                self.effects.reads.add(node.id)
        else:
            self.effects.binds.add(node.id)
            self.bound[node.id] = set()

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        names = {alias.asname or alias.name.split(".")[0] for alias in node.names}
        self.effects.binds |= names
        self.effects.imports |= names
        self.bound |= {name: set() for name in names}

    visit_ImportFrom = visit_Import

    # Assignments

    def visit_Assign(self, node: ast.Assign) -> None:
        self.hold(node.value)
        for target in node.targets:
            self.visit(target)
            self.share(target, roots(node.value))
            self.share(target, named(node.targets[0]) if len(node.targets) > 1 else set())

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        for name in roots(node.target):
            self.visit(ast.Name(name.partition(".")[0], ast.Load()))
        self.change(roots(node.target))
        if isinstance(node.target, ast.Attribute) and node.target.attr == "grad":
            self.read_gradient(roots(node.target))
        if not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.effects.leaf |= node.attr.startswith("requires_grad")
        if not isinstance(node.ctx, ast.Load):
            self.change(roots(node if node.attr == "grad" else node.value))
        elif node.attr == "grad":
            self.read_gradient(roots(node))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.change(roots(node.value))
        self.generic_visit(node)

    def hold(self, value: ast.expr) -> None:
        """Visit a value that is kept: functions in it run later."""
        if isinstance(value, ast.Lambda):
            self.function(value, value.args, [value.body])
        elif isinstance(value, ast.Tuple | ast.List):
            for element in value.elts:
                self.hold(element)
        elif isinstance(value, ast.Dict):
            for element in [*filter(None, value.keys), *value.values]:
                self.hold(element)
        elif isinstance(value, ast.Call) and named(value.func) == {"partial"}:
            self.visit(value.func)
            for element in [*value.args, *(keyword.value for keyword in value.keywords)]:
                self.hold(element)
        else:
            self.effects.holds |= named(value) if isinstance(value, ast.Name) else set()
            self.visit(value)

    # Calls

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            if method in MUTATORS or (method.endswith("_") and not method.endswith("__")):
                self.change(roots(node.func.value))
            names = {part.id for part in ast.walk(node.func) if isinstance(part, ast.Name)}
            self.effects.back |= names if method in BACKWARD else set()
            self.effects.stepped |= names if method in STEP else set()
        for keyword in node.keywords:
            self.effects.leaf |= keyword.arg == "requires_grad"
            if keyword.arg == "generator":
                self.change(roots(keyword.value))
        self.generic_visit(node)

    # Scopes of their own

    def visit_Lambda(self, node: ast.Lambda) -> None:
        # Handed to a call that may run it at once.
        self.function(node, node.args, [node.body], now=True)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.function(node, node.args, node.body)
        self.visit(ast.Name(node.name, ast.Store()))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in [*node.decorator_list, *node.bases]:
            self.visit(base)
        self.function(node, None, node.body)
        self.visit(ast.Name(node.name, ast.Store()))

    def function(
        self,
        node: ast.AST,
        arguments: ast.arguments | None,
        body: list[ast.stmt] | list[ast.expr],
        *,
        now: bool = False,
    ) -> None:
        parameters = set[str]()
        if arguments is not None:
            for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
                self.visit(default)
            parameters = {n.arg for n in ast.walk(arguments) if isinstance(n, ast.arg)}
        inner = Effects()
        reader = Reader(inner, self.local | {name: set() for name in parameters})
        for part in body:
            reader.visit(part)
        reads = (inner.reads | inner.later) - inner.binds
        changes = (inner.changes | inner.later_changes) - inner.binds
        self.effects.later |= reads
        self.effects.later_changes |= changes
        if now:
            self.effects.reads |= reads - set(self.bound)
            self.effects.changes |= changes

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        outside = self.local
        for generator in node.generators:
            self.visit(generator.iter)
            inside = {name: roots(generator.iter) for name in named(generator.target)}
            self.local = self.local | inside
            for condition in generator.ifs:
                self.visit(condition)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self.local = outside

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = comprehension

    # Ways through a statement

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        self.share(node.target, roots(node.iter))  # before the body, which may change it
        for part in [*node.body, *node.orelse]:
            self.visit(part)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        before, ways = self.bound, []
        for way in node.body, node.orelse:
            self.bound = dict(before)
            for part in way:
                self.visit(part)
            ways.append(self.bound)
        self.bound = {name: ways[0][name] | ways[1][name] for name in ways[0].keys() & ways[1]}
        self.effects.maybe |= (ways[0].keys() | ways[1].keys()) - self.bound.keys()

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.visit(item.optional_vars)
        for part in node.body:
            self.visit(part)

    def visit_Try(self, node: ast.Try) -> None:
        effects = self.effects
        if len(node.body) == 1 and isinstance(node.body[0], ast.Expr):
            # A call that is tried alone is there to fail: it is read, and changes nothing.
            self.effects = Effects()
        for statement in node.body:
            self.visit(statement)
        effects.reads |= self.effects.reads
        self.effects = effects
        for part in [*node.handlers, *node.orelse, *node.finalbody]:
            self.visit(part)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.visit(ast.Name(node.name, ast.Store()))
        self.generic_visit(node)
