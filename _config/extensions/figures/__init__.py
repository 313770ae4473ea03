"""Draw the pictures that cells made into the page itself, in inks that follow its theme.

An <img> cannot know whether the page around it is light or dark; the theme therefore puts a light
box behind it. An SVG inside the page inherits colours: text, axes and grid take those of the page,
the lines keep their own, which the library chose to be readable on both.

What is inside the page is loaded with it. So a picture has few characters, and a limit.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from extensions.figures.themed import sheet, themed

LIMIT = 30_000  # bytes of a picture, compressed as servers do
HEAVY = (
    "this picture weighs %d kB compressed, and %d kB are allowed: draw fewer points, or give"
    " rasterized=True to the artist that has so many; those become pixels (a PNG inside the"
    " picture), and its letters and axes still follow the theme"
)

logger = logging.getLogger(__name__)


class FollowTheme(SphinxPostTransform):
    """Replace every picture that a cell made; leave those that lie in the book alone."""

    default_priority = 10  # after myst-nb chose among the forms of an output, at 4
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Look through the page."""
        made = Path(self.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
        letters: dict[str, str] = {}
        drawn = []
        for number, image in enumerate(list(self.document.findall(nodes.image)), start=1):
            file = Path(self.env.srcdir, image["uri"]).resolve()
            if file.suffix == ".svg" and file.is_relative_to(made):
                alt = " ".join(image.get("alt", "").split())  # required by extensions.cells.outputs
                svg = file.read_text(encoding="utf-8")
                text = themed(svg, alt, f"picture-{number}-", letters)
                weight = len(gzip.compress(text.encode(), compresslevel=6))
                if weight > LIMIT:
                    kilobytes = (round(weight / 1000), LIMIT // 1000)
                    logger.warning(HEAVY, *kilobytes, location=image, type="figures")
                drawn.append(nodes.raw("", text, format="html"))
                image.replace_self(drawn[-1])
        if drawn:
            first = drawn[0]
            first.replace_self(nodes.raw("", sheet(letters) + first.astext(), format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(FollowTheme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
