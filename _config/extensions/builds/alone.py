"""Let one build at a time work in the build folder, and end its helpers when it is killed.

Two builds at once would write the same pages, and each would remove the executed cells of the
other. The second waits. The system takes the lock from a build that ended, however it ended; but
the readers that Sphinx forks outlive it, go on executing cells, and then wait for ever to hand over
what they read, because each holds open the pipe in which it writes (Sphinx 9.0).
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread
from typing import Any

from filelock import FileLock, Timeout
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def take_turn(app: Sphinx, config: Config) -> None:
    """Wait until no other build works here, then keep others away until this one is done."""
    file = Path(config.alone_lock)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        LOGGER.info("waiting for another build to end that works in %s", file.parent)
        lock.acquire()
    # This also keeps the lock in memory: forgotten, it would be let go.
    app.connect("build-finished", lambda *_: lock.release(), priority=1000)
    if hasattr(os, "register_at_fork"):  # on Windows, Sphinx forks nothing
        tie_children()


def tie_children() -> None:
    """End every process that is forked from now on as soon as this one is no more."""
    reading, writing = os.pipe()

    def tie() -> None:
        # Nobody writes into the pipe: reading ends when the parent, which alone holds the other
        # end, is gone.
        os.close(writing)
        Thread(target=lambda: os.read(reading, 1) or os._exit(1), daemon=True).start()

    os.register_at_fork(after_in_child=tie)


def setup(app: Sphinx) -> dict[str, Any]:
    """Take turns before any other extension writes something."""
    app.add_config_value("alone_lock", "", "", str)
    app.connect("config-inited", take_turn, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
