"""Measure gdla: against torch.linalg, against the original, against other libraries, and its goals.

Read the ratios: each compares two times of one run, and so carries over to other machines, as
seconds do not. Times are medians of processor time on one thread; with two threads, wall time,
since processor time adds threads up. Nothing here passes or fails.

A whole run takes about ten minutes and rewrites tests/benchmarks/results.json, from which the book
makes its page. `--quick` takes a minute or two and stores nothing, unless `--store` asks for it.
"""

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.benchmarks import contest, functions, goals
from tests.benchmarks.functions import QUICK, Effort, Row

RESULTS = Path(__file__).with_name("results.json")
WORDS = ("table", "function", "matrix", "against", "threads")
NUMBERS = ("ratio", "residual", "residual of the other", "steps")
VERSIONS = ("gdla", "torch", "numpy", "geotorch", "pymanopt", "scipy")
COLUMNS = "{:<7}{:<9}{:<30}{:<31}{:>7}{:>10}{:>10}{:>23}{:>6}  {}"


def line(row: Row) -> str:
    """Format a row of the table; a goal is one, too."""
    if row["table"] == "goals":
        verdict = "met" if row["met"] else "missed"
        wanted = f"{row['side']} {row['bound']:g}"
        cells = ["goals", row["goal"], wanted, number(row["ratio"]), f"{verdict}  {row['note']}"]
        return "{:<7}{:<72}{:>18}{:>12}  {}".format(*cells)
    numbers = [number(row.get(key)) for key in NUMBERS[:3]]
    words = [row[key] for key in WORDS]
    return COLUMNS.format(*words, *numbers, row.get("steps", ""), row.get("note", ""))


def number(value: float | None) -> str:
    """Show a number shortly, and what is missing as a dash."""
    return "–" if value is None else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """Say on what the ratios were measured."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor() -> str:
    """Return the processor's name, which Linux tells in a file only."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str | None]:
    """Return the versions of all that took part; None for what is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def finite(row: Row) -> Row:
    """JSON has neither infinity nor NaN."""
    bad = (float("inf"), float("-inf"))
    return {key: None if value in bad or value != value else value for key, value in row.items()}


def written(results: dict[str, Any]) -> str:
    """Spell the results as JSON with a line for each row, so that two runs can be compared."""
    rows = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in results["rows"]]
    head = json.dumps({**results, "rows": []}, indent=1, ensure_ascii=False)
    return head.replace('"rows": []', '"rows": [\n  ' + ",\n  ".join(rows) + "\n ]") + "\n"


def main() -> None:
    """Print the table; keep it if it is whole or asked for."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--quick", action="store_true", help="a rough run of a minute or two")
    words.add_argument("--store", action="store_true", help="store the results of a quick run")
    asked = words.parse_args()
    effort = QUICK if asked.quick else Effort()

    print(COLUMNS.format(*WORDS, *NUMBERS, ""))
    rows: list[Row] = []
    for make in functions.table, contest.table, lambda effort: goals.table(effort, rows.copy()):
        for row in make(effort):
            rows.append(finite(row))
            print(line(rows[-1]), flush=True)
    if asked.store or not asked.quick:
        results = {
            "date": datetime.now(UTC).date().isoformat(),
            "quick": asked.quick,
            "machine": machine(),
            "versions": versions(),
            "rows": rows,
        }
        RESULTS.write_text(written(results), encoding="utf-8")


if __name__ == "__main__":
    main()
