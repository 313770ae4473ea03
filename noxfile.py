"""Every task of the house, one session each: `nox -l` lists them, `nox -s docs` runs one.

All sessions share one virtual environment, build/venv: torch is large, and two copies of it
help nobody. Whatever a session writes lies under build/.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import nox
from nox.command import CommandFailed
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

HOUSE = Path(__file__).resolve().parent
BUILD = HOUSE / "build"
HTML = BUILD / "html"
VENV = BUILD / "venv"
STAMP = VENV / "complete"  # written last and removed first: what is interrupted has none
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CPUS = os.cpu_count() or 1

GROUPS = ("test", "docs", "lint")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# Variables rather than options: a pip that knows nothing of the second ignores it.
CONSTRAINTS = {"PIP_CONSTRAINT": "constraints.txt", "PIP_BUILD_CONSTRAINT": "constraints.txt"}

# A file of tests stays in one process, which keeps what it built; the files come in our order.
WORKERS = ["-n", str(min(CPUS, 4))]
BY_FILE = [*WORKERS, "--dist", "loadfile", "--no-loadscope-reorder"]

# Matrices in tests and cells are tiny, and several processes share the processors.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}

# What the tools would otherwise put beside the sources or into the user's home.
KEPT_IN_BUILD = {
    "HYPOTHESIS_STORAGE_DIRECTORY": "hypothesis",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter/config",
    "JUPYTER_DATA_DIR": "jupyter/data",
    "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    "MPLCONFIGDIR": "matplotlib",
    "PYTEST_DEBUG_TEMPROOT": "tmp",
    "PYTHONPYCACHEPREFIX": "pycache",
    "VIRTUALENV_OVERRIDE_APP_DATA": "virtualenv",
}

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "none"  # environment() makes ours
nox.options.envdir = str(BUILD / "nox")
nox.options.sessions = ["lint", "tests", "docs"]

# Python leaves a compiled copy of this file beside it: the one thing made outside build/.
shutil.rmtree(HOUSE / "__pycache__", ignore_errors=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the book into build/html; `-- book/svd.md` builds that page alone."""
    environment(session)
    pages, options = arguments(session)
    strict = [] if pages else ["-W", "--keep-going"]
    run(session, "sphinx-build", *strict, *options, *book(pages), **only(pages))
    first = pages[0] if pages else "index"
    session.log(f"Open {(HTML / first).with_suffix('.html').as_uri()}")


@nox.session
def live(session: nox.Session) -> None:
    """Serve the book; rebuild and reload when a page or `gdla` is saved."""
    environment(session)
    pages, options = arguments(session)
    watched = ["--watch", "gdla", "--watch", "_config"]
    run(session, "sphinx-autobuild", *watched, *options, *book(pages), **only(pages))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and measure coverage; `-- -k svd` runs some of them."""
    environment(session)
    # Coverage of a part says nothing, and starting workers costs more than a few tests.
    run(session, "pytest", *(session.posargs or [*BY_FILE, "--cov"]), **ONE_THREAD)


@nox.session
def snippets(session: nox.Session) -> None:
    """Run, alone, each program that a copy button gives, and each page's script and notebook."""
    environment(session)
    run(session, "sphinx-build", "-W", "--keep-going", *book([]), **only([]))
    run(session, "pytest", *WORKERS, "tests/programs", *session.posargs, **ONE_THREAD)


@nox.session
def site(session: nox.Session) -> None:
    """Prove the built site in a real Chromium; `-- -k weight -s` prints what pages weigh."""
    environment(session)
    add(session, "site")
    run(session, "sphinx-build", "-W", "--keep-going", *book([]), **only([]))
    # By file: one worker weighs all pages. Workers print nothing: with arguments there are none.
    run(session, "pytest", "tests/browser", *(session.posargs or BY_FILE), **ONE_THREAD)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, layers, spelling and workflows; report all that fails."""
    environment(session)
    workflows = sorted(str(file) for file in Path(".github/workflows").glob("*.yml"))
    failed = []
    for check in [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["pytest", "-q", "tests/house/test_layers.py"],
        ["codespell"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["check-jsonschema", "--builtin-schema", "vendor.citation-file-format", "CITATION.cff"],
        ["zizmor", "--offline", "--quiet", "."],
    ]:
        try:
            run(session, *check)
        except CommandFailed:
            failed.append(" ".join(check))
    if failed:
        session.error("These checks failed: " + "; ".join(failed))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure `gdla` against torch, the original and others; `-- --quick` is rough and brief."""
    environment(session)
    try:
        add(session, "bench")
    except CommandFailed:
        session.warn("Not all peers could be installed; the table says which are missing.")
    run(session, "python", "-m", "tests.benchmarks.run", *session.posargs, **ONE_THREAD)


@nox.session
def mutations(session: nox.Session) -> None:
    """Change each public result by 1 %: a test must catch it; `-- inv losses` changes some."""
    environment(session)
    run(session, "python", "-m", "tests.mutations.run", *session.posargs, **ONE_THREAD)


@nox.session
def clean(session: nox.Session) -> None:
    """Remove build/, which holds all that the sessions made."""
    if BUILD.exists():
        STAMP.unlink(missing_ok=True)
        shutil.rmtree(BUILD)
        session.log(f"Removed {BUILD}")
    else:
        session.log("There is nothing to remove.")


def run(session: nox.Session, tool: str, *arguments: str, **variables: str) -> None:
    """Run a tool of build/venv."""
    scripts = PYTHON.parent
    path = os.pathsep.join([str(scripts), os.environ.get("PATH", "")])
    program = shutil.which(tool, path=str(scripts)) or session.error(f"build/venv has no {tool}")
    session.run(program, *arguments, env={**kept_in_build(), "PATH": path, **variables})


def kept_in_build() -> dict[str, str | None]:
    """Make the folders of KEPT_IN_BUILD and return the environment that names them."""
    folders = {variable: BUILD / folder for variable, folder in KEPT_IN_BUILD.items()}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    # Compiled files are welcome there, whatever the user's shell says: torch has two thousand.
    named = {variable: str(folder) for variable, folder in folders.items()}
    return {"PYTHONDONTWRITEBYTECODE": None, **named}


def book(pages: Sequence[str]) -> list[str]:
    """Spell the command line of Sphinx, for the whole book or for some pages."""
    doctrees = "build/doctrees-page" if pages else "build/doctrees"
    # Cells wait for kernels more than for processors; with few jobs Sphinx gives several pages
    # to one of them and the others idle.
    jobs = str(max(8, CPUS))
    places = ["book", "build/html", *(f"book/{page}.md" for page in pages)]
    return ["-n", "-c", "_config", "-d", doctrees, "-j", jobs, *places]


def only(pages: Sequence[str]) -> dict[str, str]:
    """Name the pages whose cells _config/conf.py shall execute; none named means all."""
    return ONE_THREAD | ({"GDLA_PAGES": ",".join(pages)} if pages else {})


def environment(session: nox.Session) -> None:
    """Make build/venv what pyproject.toml and constraints.txt ask for, unless it already is."""
    project = nox.project.load_toml(HOUSE / "pyproject.toml")
    stamp = fingerprint(project)
    if STAMP.is_file() and STAMP.read_text() == stamp:
        session.log("Nothing to install: build/venv is complete.")
        return
    wanted = project["project"]["requires-python"]
    if platform.python_version() not in SpecifierSet(wanted):
        session.error(f"gdla needs Python {wanted}; with uv: uvx --python 3.13 nox")

    session.log("Installing into build/venv: once, a minute or two, about 1.3 GB.")
    STAMP.unlink(missing_ok=True)
    variables = {**kept_in_build(), **CONSTRAINTS}
    # virtualenv comes with nox and, unlike venv, works where a system's Python lacks ensurepip.
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", VENV, env=variables)
    # Compiling all that comes along would take longer than installing it.
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-compile"]

    index = os.environ.get("GDLA_TORCH_INDEX")
    if not index:
        report = VENV / "torch.json"
        ask = ["--dry-run", "--ignore-installed", "--no-deps", "--report", str(report)]
        session.run(*pip, *ask, "torch", env=variables, log=False)
        index = torch_index(json.loads(report.read_text(encoding="utf-8")))
    if index:
        session.log(f"torch comes from {index}; GDLA_TORCH_INDEX names another index.")
        # Only torch comes from there; what it depends on, from where everything else does.
        session.run(*pip, "--no-deps", "--index-url", index, "torch", env=variables)
    else:
        session.log("torch comes from pip's own index, which has a build for the CPU.")

    needs = nox.project.dependency_groups(project, *GROUPS)
    session.run(*pip, "--editable", ".[plots,progress,data]", *needs, env=variables)
    # What every kernel and worker imports is compiled now, once, and not by all of them at a time.
    used = "import torch, matplotlib.pyplot, ipykernel.kernelapp"
    session.run(PYTHON, "-c", used, env=variables, log=False)
    STAMP.write_text(stamp)


def add(session: nox.Session, group: str) -> None:
    """Add to build/venv a dependency group that one session alone needs, unless it is there."""
    project = nox.project.load_toml(HOUSE / "pyproject.toml")
    stamp, file = fingerprint(project), VENV / group
    if file.is_file() and file.read_text() == stamp:
        return
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    needs = nox.project.dependency_groups(project, group)
    session.run(*pip, *needs, env={**kept_in_build(), **CONSTRAINTS})
    file.write_text(stamp)


def fingerprint(project: Mapping[str, Any]) -> str:
    """Digest whatever decides what build/venv holds, the tools' settings left out."""
    described = {key: value for key, value in project.items() if key != "tool"}
    machine = [sys.version, sys.base_prefix, str(HOUSE), os.environ.get("GDLA_TORCH_INDEX")]
    pins = (HOUSE / "constraints.txt").read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([described, machine, pins]).encode()).hexdigest()


def torch_index(report: Mapping[str, Any], markers: dict[str, str] | None = None) -> str | None:
    """Return the index to take torch from: None if what pip would install is for the CPU.

    On Linux a plain `pip install torch` brings gigabytes of CUDA. That wheel is known by what it
    requires, once its markers are read for this machine (or the one that `markers` describes).

    Args:
        report: what `pip install --dry-run --report` says of torch.
        markers: values that replace those of this machine, such as {"platform_system": "Darwin"}.
    """
    (torch,) = report["install"]
    needs = [Requirement(line) for line in torch["metadata"].get("requires_dist", [])]
    here = {"extra": "", **(markers or {})}
    names = [need.name for need in needs if need.marker is None or need.marker.evaluate(here)]
    cuda = any(name.startswith(("cuda", "nvidia", "triton")) for name in names)
    return CPU_INDEX if cuda else None


def arguments(session: nox.Session) -> tuple[list[str], list[str]]:
    """Split what follows `--` into names of pages and options for Sphinx."""
    words = [word for word in session.posargs if not word.startswith("-")]
    options = [word for word in session.posargs if word.startswith("-")]
    folder = HOUSE / "book"
    files = [file.relative_to(folder) for file in folder.rglob("*.md")]
    try:
        return chosen_pages(words, {file.with_suffix("").as_posix() for file in files}), options
    except ValueError as error:
        session.error(str(error))


def chosen_pages(words: Sequence[str], existing: Collection[str]) -> list[str]:
    """Turn book/svd.md, svd.md or svd into svd, a page that exists."""
    pages = [PurePath(word).with_suffix("").as_posix().removeprefix("book/") for word in words]
    for word, page in zip(words, pages, strict=True):
        if page not in existing:
            known = ", ".join(sorted(existing))
            raise ValueError(f"There is no page {word}; the pages are {known}")
    return pages
