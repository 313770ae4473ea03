"""Give every kernel the same surroundings, and keep what it writes inside the build folder.

None of them reaches the network (offline.py) or loses what is written below Python (below.py). And
each gets a second chance. The ports of a kernel jupyter_client (8.10) chooses, lets go of, and
hopes that nobody takes before the kernel does. Several pages at a time, now and then somebody does,
and the kernel dies before its first cell.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from myst_nb.core.execute import cache
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config

from extensions.cells import caches

# What myst-nb executes a page with, before this extension had its say.
single_nb_execution = cache.single_nb_execution

PROFILE = """\
# Written by the site's build for the kernels that execute its pages.
c.InlineBackend.figure_formats = {"svg"}
# The date would make equal pictures differ; without "tight" labels are cropped.
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
c.HistoryManager.enabled = False
c.InteractiveShellApp.extensions = ["below", "offline"]
# ipykernel 7.4 warns in every kernel that the loopback interface is not encrypted.
c.IPKernelApp.log_level = "ERROR"
"""

# What every kernel loads.
LOADED = [Path(__file__).with_name(name) for name in ("below.py", "offline.py")]

# Used unless the caller chose otherwise. One thread: the matrices are tiny, pages run side by
# side, and a machine takes its sums in the same order each time.
VARIABLES = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
# In what order sums are taken.
ARITHMETIC = ("OMP_NUM_THREADS", "ATEN_CPU_CAPABILITY", "MKL_CBWR")
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "jupyter/config",
    "JUPYTER_DATA_DIR": "jupyter/data",
    "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
    "MPLCONFIGDIR": "matplotlib",
}


def settings(config: Config) -> list[str]:
    """Return what decides how a kernel behaves, for the key of the cells' cache."""
    arithmetic = [os.environ.get(name, VARIABLES.get(name, "")) for name in ARITHMETIC]
    files = [Path(config.kernels_matplotlibrc), *LOADED]
    return [PROFILE, *(file.read_text(encoding="utf-8") for file in files), *arithmetic]


def furnish(app: Sphinx, config: Config) -> None:
    """Write the profile and set the variables that kernels inherit."""
    folder = Path(config.kernels_folder)
    profile = folder / "ipython" / "profile_default" / "ipython_kernel_config.py"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(PROFILE, encoding="utf-8")
    modules = folder / "ipython" / "modules"  # a folder of its own: kernels find all that is in it
    modules.mkdir(exist_ok=True)
    for file in LOADED:
        shutil.copyfile(file, modules / file.name)
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    for name, place in FOLDERS.items():
        os.environ.setdefault(name, str(folder / place))
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)
    # These three are no matter of taste: they decide what the cells print and draw.
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    os.environ["MATPLOTLIBRC"] = config.kernels_matplotlibrc
    # The library beside the book, even where another one is installed.
    library = Path(config.cells_package).parent
    path = [str(library), str(modules), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))


def restarted(execute: Callable[..., Any], tries: int = 3) -> Callable[..., Any]:
    """Execute a notebook again whose kernel died before its first cell."""

    def execution(notebook: NotebookNode, **options: Any) -> Any:
        for left in reversed(range(tries)):
            try:
                return execute(notebook, **options)
            except RuntimeError as death:
                died = isinstance(death, DeadKernelError) or "died before replying" in str(death)
                if not left or not died or any(map(has_begun, notebook["cells"])):
                    raise

    return execution


def has_begun(cell: NotebookNode) -> bool:
    """Tell whether a cell is or was executed."""
    return cell.get("execution_count") is not None


def begun(cell: NotebookNode, cell_index: int) -> None:
    """Leave a trace in a cell that may end its kernel before the kernel says anything."""
    cell["execution_count"] = 0


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the settings and furnish before any kernel starts."""
    app.add_config_value("kernels_folder", "", "", str)
    app.add_config_value("kernels_matplotlibrc", "", "", str)
    app.connect("config-inited", furnish)
    cache.single_nb_execution = restarted(partial(single_nb_execution, on_cell_execute=begun))
    cache.get_cache = caches.SharedCache
    return {"parallel_read_safe": True, "parallel_write_safe": True}
