"""Link to the documentation of Python, numpy and torch without asking the network.

The names that the book links to stand in short text files, one for each project: a line with the
address of its documentation, then lines of role, name and page, where `$` stands for the name.
From them this extension writes the inventories that sphinx.ext.intersphinx reads. A name that is
missing is reported as a broken reference and added to its file by hand.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

HEAD = "# Sphinx inventory version 2\n# Project: {name}\n# Version: \n# zlib\n"


def compiled(name: str, text: str) -> tuple[str, bytes]:
    """Turn the text of a file into its address and the bytes of an inventory."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    address, *entries = lines
    body = ""
    for entry in entries:
        role, target, page = entry.split()
        body += f"{target} py:{role} 1 {page.replace('$', target)} -\n"
    return address, HEAD.format(name=name).encode() + zlib.compress(body.encode())


def write(app: Sphinx, config: Config) -> None:
    """Write every inventory and tell intersphinx of it."""
    folder = Path(config.inventories_folder)
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(Path(config.inventories_sources).glob("*.txt")):
        address, data = compiled(source.stem, source.read_text(encoding="utf-8"))
        file = folder / f"{source.stem}.inv"
        if not file.exists() or file.read_bytes() != data:
            file.write_bytes(data)
        config.intersphinx_mapping[source.stem] = (address, (str(file),))


def setup(app: Sphinx) -> dict[str, Any]:
    """Write before intersphinx looks at its mapping, which it does at priority 800."""
    app.add_config_value("inventories_sources", "", "", str)
    app.add_config_value("inventories_folder", "", "", str)
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
