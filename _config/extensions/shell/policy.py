"""Say what a page may do: a Content-Security-Policy, in each page and for a server's headers.

Whatever finds its way into a page, through a mistake of ours or of a dependency, can load nothing
from elsewhere and run no script but ours. One script stands in the page itself, since the colours
must be known before the first stroke is drawn; the policy names it by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

SCRIPT = Path(__file__).with_name("first.js")
OWN = "'self'"
RULES = {
    "default-src": "'none'",
    "script-src": OWN,
    "style-src": OWN,
    "img-src": f"{OWN} data:",
    "font-src": OWN,
    "connect-src": OWN,
    "manifest-src": OWN,
    "form-action": OWN,
    "base-uri": "'none'",
}
# What a page cannot say of itself.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


def script() -> str:
    """Return the script that stands in every page, without its comments and indentation."""
    lines = [line.strip() for line in SCRIPT.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def policy(inline: str, **more: str) -> str:
    """Write the policy.

    Args:
        inline: the one script that may stand in a page.
        more: further rules, with underscores for hyphens.
    """
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    rules = {**RULES, "script-src": f"{OWN} 'sha256-{digest}'"}
    rules |= {name.replace("_", "-"): value for name, value in more.items()}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def headers() -> str:
    """Write the file that Netlify and Cloudflare read, and whoever sets up another server."""
    sent = {"Content-Security-Policy": policy(script(), frame_ancestors="'none'"), **HEADERS}
    return "\n".join(["/*", *(f"  {name}: {value}" for name, value in sent.items())]) + "\n"


def page(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Hand both to the template of a page."""
    context["shell_script"] = script()
    context["shell_policy"] = policy(context["shell_script"])


def write(app: Sphinx, exception: Exception | None) -> None:
    """Lay the headers beside the pages."""
    if exception is None and app.builder.format == "html":
        Path(app.outdir, "_headers").write_text(headers(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to each page, and to the end of the build."""
    app.connect("html-page-context", page)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
