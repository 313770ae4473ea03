"""Give all pages one small stylesheet in the place of the theme's six.

pydata-sphinx-theme 0.20 alone brings 376 kB, and nothing is drawn before it has come. What no page
can show is left out, at the end of each build: judged by all pages in the folder, those of earlier
builds included. The files that the theme leaves in the folder, 6 MB, go, too.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from extensions.shell.pruning import Names, pruned

# In the order in which a page of the theme loads them.
SOURCES = (
    *("basic.css", "styles/pydata-sphinx-theme.css", "pygments.css"),
    *("styles/sphinx-book-theme.css", "mystnb.*.css", "copybutton.css"),
)
LEFT = (
    *("styles", "scripts", "vendor", "locales", "*webpack-macros.html"),
    *("images/logo_[bdj]*.svg", "images/logo_colab.png"),  # of services that run notebooks
    *("basic.css", "pygments.css", "mystnb.*.css", "copybutton.css", "copybutton_funcs.js"),
    *("file.png", "plus.png", "minus.png", "check-solid.svg", "copy-button.svg"),
    *("base-stemmer.js", "english-stemmer.js"),  # language_data.js holds them
)


def chosen(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Leave a page the stylesheets that are not in ours; the template names that one."""
    context["css_files"] = [
        sheet
        for sheet in context["css_files"]
        if not any(Path(sheet.filename).match(f"_static/{source}") for source in SOURCES)
    ]


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write _static/theme.css and _static/dark.css, and remove what is needed no longer."""
    static = Path(app.outdir, "_static")
    if exception is not None or app.builder.format != "html" or not (static / "styles").is_dir():
        return  # no page was written, so that nothing was copied here
    sources = [file for pattern in SOURCES for file in sorted(static.glob(pattern))]
    texts = [file.read_text(encoding="utf-8") for file in sources]
    for pattern in LEFT:
        for left in static.glob(pattern):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    names = Names()
    for page in Path(app.outdir).rglob("*.html"):
        names.page(page.read_text(encoding="utf-8"))
    for script in static.rglob("*.js"):
        names.script(script.read_text(encoding="utf-8"))
    made = {static / "theme.css", static / "dark.css"}
    others = [file for file in sorted(static.rglob("*.css")) if file not in made]
    after = "".join(file.read_text(encoding="utf-8") for file in others)
    theme, dark = pruned(texts, names, after)
    (static / "theme.css").write_text(theme, encoding="utf-8")
    (static / "dark.css").write_text(dark, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to each page and, after the theme wrote the colours of code, to the end."""
    app.add_css_file("shell.css", priority=600)
    app.connect("html-page-context", chosen, priority=900)
    app.connect("build-finished", write, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
