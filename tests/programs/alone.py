"""An interpreter that sees what `pip install gdla[plots]` brings, and nothing else.

torch is large, so nothing is installed twice: a virtual environment of links to the distributions
that gdla and its extras require, found in the metadata of the environment at hand.
"""

import os
import shutil
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

HOUSE = Path(__file__).parents[2]
# torch and MKL then round as they do on an older processor; where there is no MKL, torch alone.
ANOTHER_PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "AVX2"}


def interpreter(folder: Path, *extras: str) -> Path:
    """Make the environment anew and return its Python.

    Args:
        folder: where it goes; what was there is removed.
        *extras: of gdla.
    """
    venv.create(folder, clear=True, symlinks=os.name != "nt", with_pip=False)
    (packages,) = folder.rglob("site-packages")
    for found in required("gdla", extras).values():
        for part in {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}:
            if not part.endswith(".pth"):  # that of an editable gdla would lead to the house
                link(Path(str(found.locate_file(part))), packages / part)
    link(HOUSE / "gdla", packages / "gdla")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def required(name: str, extras: Iterable[str] = ()) -> dict[str, Distribution]:
    """Return a distribution and all that it requires here, by name."""
    found: dict[str, Distribution] = {}
    names = [(name, frozenset(extras))]
    done = set()
    while names:
        name, wanted = names.pop()
        if (name, wanted) in done:
            continue
        done.add((name, wanted))
        found[name] = distribution(name)
        for line in found[name].requires or []:
            need = Requirement(line)
            markers = [{"extra": extra} for extra in ["", *wanted]]
            if need.marker is None or any(map(need.marker.evaluate, markers)):
                names.append((need.name, frozenset(need.extras)))
    return found


def link(source: Path, target: Path) -> None:
    """Link, or copy where the system allows no links."""
    if target.exists():
        return
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, target)


def surroundings(**variables: str) -> dict[str, str]:
    """Return the variables of a reader's shell, as far as they decide what is printed."""
    kept = {"HOME", "LANG", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE"}
    kept |= set(ANOTHER_PROCESSOR)
    return {
        **{name: value for name, value in os.environ.items() if name in kept},
        "MPLCONFIGDIR": str(HOUSE / "build" / "matplotlib"),
        "OMP_NUM_THREADS": "1",  # as in the kernels, so that sums are taken in the same order
        "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", sys.pycache_prefix or ""),
        **variables,
    }
