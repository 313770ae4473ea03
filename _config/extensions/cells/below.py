"""Pass on, when a cell ends, what was written below Python: by C++, or by programs it started.

ipykernel (7.4) does so from a thread, which may come too late: a warning of torch's core was lost
once in a hundred cells. Each kernel loads this file as an extension of IPython (kernels.py copies
it).
"""

from __future__ import annotations

import os
import sys
from tempfile import TemporaryFile
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Let the streams of the system end in files, and read those after each cell."""
    # Opened to append, so that reading does not move the place where the next text is written; and
    # for as long as the kernel lives.
    files = {name: TemporaryFile("a+b") for name in ("stdout", "stderr")}  # noqa: SIM115
    for number, file in enumerate(files.values(), start=1):
        os.dup2(file.fileno(), number)
    read = dict.fromkeys(files, 0)

    def pass_on(result: Any) -> None:
        for name, file in files.items():
            file.seek(read[name])
            new = file.read()
            read[name] += len(new)
            if new:
                getattr(sys, name).write(new.decode(errors="replace"))

    shell.events.register("post_run_cell", pass_on)
