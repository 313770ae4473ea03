"""Refuse every connection of a cell that would leave the machine, and tell of it.

Each kernel loads this file as an extension of IPython (kernels.py copies it). A cell may catch the
refusal and go on: what was refused is said once more when the cell has ended, where nothing that
it redirects or catches can hide it, and outputs.py stops the build. A program that a cell starts
is another process and not held.
"""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import Any

REFUSED = "refused a network connection to"

# What Python tells its auditors, and where among the arguments the address is.
EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}

refused: list[str] = []


def stranger(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host that an event would reach beyond this machine, if it would."""
    if event not in EVENTS:
        return None
    address = arguments[EVENTS[event]]
    if isinstance(address, tuple):
        address = address[0]
    elif EVENTS[event]:
        return None  # a Unix socket: its address is a file
    host = address.decode() if isinstance(address, bytes) else address
    if not isinstance(host, str) or host in ("", "localhost"):
        return None
    try:
        return None if ip_address(host).is_loopback else host
    except ValueError:  # a name
        return host


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse, unless the event stays on this machine."""
    if host := stranger(event, arguments):
        if host not in refused:
            refused.append(host)
        raise ConnectionError(f"{REFUSED} {host}")


def report(result: Any) -> None:
    """Say what the cell that just ended was refused."""
    for host in refused:
        print(REFUSED, host, file=sys.stderr)
    refused.clear()


def load_ipython_extension(shell: Any) -> None:
    """Listen to what Python does and to what the shell has done."""
    sys.addaudithook(audit)
    shell.events.register("post_run_cell", report)
