"""The pages that were built, and the states in which a reader may see them."""

from tests.programs.taken import HTML, chosen

# The page for what is not there can stand anywhere, so it is opened from where it is missed:
# test_missing_page.py.
PAGES = chosen(file.stem for file in HTML.glob("*.html") if file.stem != "404")
# One of each kind: what belongs to the frame around a page is the same on all of a kind.
FRAMES = ("index", "descent", "api", "glossary", "search", "genindex", "py-modindex")
DESK, PHONE, SMALL_PHONE = 1280, 390, 360
SCHEMES = ("light", "dark")

# Unfold what is folded, and see the whole page once: what is loaded or drawn late, is.
UNFOLD = "document.querySelectorAll('details').forEach(part => (part.open = true))"
DRAWN = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done())))"""
WALK = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
    scrollTo({ top: y, behavior: "instant" });
    await new Promise(requestAnimationFrame);
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def until(page, expression, seconds=5):
    """Wait until something is true; page.wait_for_function needs eval, which the policy forbids."""
    for _ in range(50 * seconds):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def at_rest(page):
    """Wait until nothing moves any more."""
    until(page, "document.getAnimations().every(it => it.playState !== 'running')")
