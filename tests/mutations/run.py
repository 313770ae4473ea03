"""Change the result of each public function by one per cent: for each, some test must fail.

If none does, the tests do not know what the function computes. Those that name it run, the most
specific first, until one fails: it has caught the change. Then it runs again, with the same wrapper
around the function but nothing changed, and must pass, or it has caught the wrapper alone. Each run
has a process of its own, forked, where that is safe, from one that has imported what is large.

`python -m tests.mutations.run inv losses` changes that function and all of that module.
"""

import ast
import contextlib
import gc
import importlib
import io
import multiprocessing
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import is_hypothesis_test

from tests.mutations.mutants import OFF, mutants, mutated

LIBRARY = Path(__file__).parents[1] / "library"
WORKERS = 2
# With macOS's own libraries a process that is forked may not go on.
CONTEXT = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
# What shall catch a change is a property. The numbers in examples were typed, and that both
# precisions show the same matrix fails for the rounding of any factor, whatever its size.
BLIND = [
    "test_docstrings.py::test_examples_are_true",
    "test_gallery.py::test_examples_are_true",
    "test_gallery.py::test_both_precisions_show_the_same_matrix",
]
# The cache, which `pytest --lf` reads, is not for failures that were provoked.
OPTIONS = [
    *("-x", "-q", "--assert=plain", "--tb=line", "-o", "cache_dir=build/mutations"),
    *(f"--deselect=tests/library/{test}" for test in BLIND),
]
ENDS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)

MUTANTS = mutants()


class Verdict(NamedTuple):
    """What became of a change."""

    name: str
    caught_by: str | None
    seconds: float
    objection: str = ""
    """Why the test that failed does not count."""


class Failures:
    """A plugin of pytest that notes which tests fail."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Put last what draws its examples: it shrinks one that fails, and that takes long."""
        items.sort(key=lambda item: is_hypothesis_test(item.obj))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure in any phase of a test."""
        if report.failed:
            self.names.append(report.nodeid)


def stages(name: str, folder: Path = LIBRARY) -> list[list[str]]:
    """Return the tests that name a mutant, the most specific first.

    First of all those tests of its own module whose text names it, the more often the earlier; then
    all of that file, for a table or a helper may name it; then one file after the other.
    """
    mutant = MUTANTS[name]
    word = re.compile(rf"\b{mutant.word}\b")
    own = folder / f"test_{mutant.room}.py"
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(folder.glob("test_*.py"))}
    counts = {file: len(word.findall(text)) for file, text in texts.items()}
    naming = sorted((file for file in texts if counts[file]), key=lambda f: (f != own, -counts[f]))
    shares = {
        f"{own}::{test}": len(word.findall(text)) / len(text)
        for test, text in tests_in(texts.get(own, "")).items()
    }
    specific = [test for test, share in shares.items() if share]
    first = sorted(specific, key=lambda test: -shares[test])
    return [stage for stage in (first, *([str(file)] for file in naming)) if stage]


def tests_in(source: str) -> dict[str, str]:
    """Return the tests of a file, name -> text with what decorates it."""
    lines = source.splitlines()
    return {
        node.name: "\n".join(
            lines[min(x.lineno for x in (node, *node.decorator_list)) - 1 : node.end_lineno]
        )
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def first_failure(name: str, factor: float, tests: list[str]) -> str | None:
    """Run tests in this process, with a changed function, till one fails; return its name."""
    failures = Failures()
    with mutated(MUTANTS[name], factor), contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main([*OPTIONS, *tests], plugins=[failures])
    if status not in ENDS:
        raise RuntimeError(f"{name} times {factor}: pytest ended with {status}\n{said.getvalue()}")
    return failures.names[0] if failures.names else None


def alone(function: Any, *arguments: Any) -> Any:
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=CONTEXT) as process:
        return process.submit(function, *arguments).result()


def examine(name: str) -> Verdict:
    """Change a function and look for a test that fails, and passes without the change."""
    began = time.perf_counter()
    caught_by, objection = None, ""
    for tests in stages(name):
        caught_by = caught_by or alone(first_failure, name, OFF, tests)
    if caught_by and alone(first_failure, name, 1.0, [caught_by]):
        objection = "fails without the change, too"
    return Verdict(name, caught_by, time.perf_counter() - began, objection)


def chosen(words: list[str]) -> list[str]:
    """Return the names that are, or begin with, one of the words; all if there are none."""
    unknown = [word for word in words if not any(is_in(name, word) for name in MUTANTS)]
    if unknown:
        raise SystemExit(f"nothing public is called {unknown[0]}; there are {', '.join(MUTANTS)}")
    return [name for name in MUTANTS if not words or any(is_in(name, word) for word in words)]


def is_in(name: str, word: str) -> bool:
    """Whether a name is the word, or that of something in the module so called."""
    return name == word or name.startswith(f"{word}.")


def line(verdict: Verdict) -> str:
    """Format a row of the table."""
    caught = (verdict.caught_by or "survived").removeprefix("tests/library/")
    caught = f"{caught} ({verdict.objection})" if verdict.objection else caught
    return f"{verdict.name:<32}{verdict.seconds:>6.1f}  {caught}"


def main() -> None:
    """Print the table; fail if a change survives."""
    names = chosen(sys.argv[1:])
    importlib.import_module("torch._dynamo")  # or all who make an optimiser would load it
    gc.collect()
    gc.freeze()  # what is there now is shared by all, and not for their collectors to walk through
    caught = 0
    print(f"{'changed by 1 %':<32}{'s':>6}  caught by", flush=True)
    with ProcessPoolExecutor(WORKERS, mp_context=CONTEXT) as workers:
        for verdict in workers.map(examine, names):
            caught += bool(verdict.caught_by) and not verdict.objection
            print(line(verdict), flush=True)
    print(f"caught {caught} of {len(names)}")
    sys.exit(caught < len(names))


if __name__ == "__main__":
    main()
