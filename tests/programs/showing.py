"""A backend of matplotlib for which to show a picture is to save it, as the book's kernels do."""

import os
from pathlib import Path

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_svg import FigureCanvasSVG as FigureCanvas
from matplotlib.backends.backend_svg import FigureManagerBase as FigureManager

__all__ = ["FigureCanvas", "FigureManager", "show"]


def show(*args: object, **options: object) -> None:
    folder = Path(os.environ["SHOWING_FOLDER"])
    for manager in Gcf.get_all_fig_managers():
        figure = manager.canvas.figure
        figure.savefig(
            folder / f"{len(list(folder.iterdir())):02d}.svg",
            facecolor=figure.get_facecolor(),
            edgecolor=figure.get_edgecolor(),
            dpi=figure.dpi,
            bbox_inches="tight",
            metadata={"Date": None},
        )
    Gcf.destroy_all()
