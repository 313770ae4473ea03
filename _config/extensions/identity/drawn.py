"""Draw everything into a folder: `python -m extensions.identity.drawn FOLDER TITLE`.

In a process of its own, because it loads torch: Sphinx forks its readers, and a process that has
begun to compute in threads must not be forked.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

from extensions.identity import WORDS
from extensions.identity.card import SIZE, STYLE, alt, card, icon, race
from extensions.identity.valley import FAVICON, LOGO


def draw(folder: Path, title: str) -> None:
    """Write favicon, logo, icon and card, and what is to be said of the card."""
    marks = {"favicon": FAVICON.svg(tab=True), "logo": LOGO.svg()}
    for name, svg in marks.items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8", newline="\n")
    plain, fast = race()
    unnamed = {"Software": None}  # the version of matplotlib is no part of the picture
    with mpl.rc_context(STYLE):
        card(title, plain, fast).savefig(folder / "card.png", metadata=unnamed)
        icon(180).savefig(folder / "apple-touch-icon.png", metadata=unnamed)
    said = {"alt": alt(plain, fast), "width": SIZE[0], "height": SIZE[1]}
    (folder / WORDS).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2])
