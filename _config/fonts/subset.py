"""Make static/fonts/stix-two-math.woff2: of STIX Two Math, what a book of linear algebra writes.

The whole font weighs 400 kB, and every reader would load it. When a formula needs a sign that is
not among these, tests/site/test_built_book.py fails; add it here, and run

    npm pack @fontsource/stix-two-math@5.3.0 && tar xzf fontsource-stix-two-math-5.3.0.tgz
    python _config/fonts/subset.py package/files/stix-two-math-latin-400-normal.woff2

in build/venv. The same font and versions of fontTools and brotli give the same bytes.
"""

import sys
from pathlib import Path

from fontTools import subset

FONT = Path(__file__).parents[1] / "static" / "fonts" / "stix-two-math.woff2"

LATIN = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0xA1)]))
GREEK = "ΓΔΘΛΞΠΣΥΦΨΩ" + "αβγδεζηθικλμνξοπρςστυφχψω" + "ϑϕϖϱϵ"
# A variable is one letter in <mi>, and the browser takes these in its place.
ITALIC = "".join(map(chr, [*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468)])) + "ℎ𝚤𝚥"
ITALIC_GREEK = "".join(map(chr, range(0x1D6E2, 0x1D71C)))
DOUBLE, SANS, SCRIPT = "ℂℕℚℝℤ𝔼ℙ𝟙", "𝖳", "ℒ𝒩𝒪"
ACCENTS = "ˆ˜¯˙¨ˇ→‾^~" + "\u0302\u0303\u0304\u0305\u0307\u0308\u030c\u20d7"
BRACKETS = "⌈⌉⌊⌋⟨⟩‖∥∣⏞⏟"
RELATIONS = "≈≠≡≤≥≪≫∼≃≅∝∈∉∋⊂⊆⊃⊇⊥≻⪰≺⪯≔"
ARROWS = "←→↑↓↔⇐⇒⇔↦⟵⟶⟸⟹⟺"
OPERATORS = "±×÷·−∓∗∘∙⋅⋆⊕⊖⊗⊙∂∇∆∑∏∫∮√∧∨¬∩∪∖†"
OTHERS = "∀∃∅∞ℓℜℑ°′″‴…⋮⋯⋱\u2061\u2062\u2063\u2064•"
SIGNS = frozenset(
    LATIN + GREEK + ITALIC + ITALIC_GREEK + DOUBLE + SANS + SCRIPT
    + ACCENTS + BRACKETS + RELATIONS + ARROWS + OPERATORS + OTHERS
)  # fmt: skip


def main(whole: str) -> None:
    """Write the subset; the larger forms of its signs, in the table MATH, come along."""
    options = subset.Options(
        flavor="woff2",
        hinting=False,
        layout_features=[],
        notdef_outline=True,
        drop_tables=[*subset.Options().drop_tables, "GSUB", "GPOS", "GDEF"],
    )
    font = subset.load_font(whole, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, SIGNS))
    subsetter.subset(font)
    if missing := SIGNS - set(map(chr, font.getBestCmap())):
        print("The whole font lacks", *sorted(missing))
    subset.save_font(font, FONT, options)
    print(f"{FONT}: {FONT.stat().st_size:,} bytes, {len(font.getGlyphOrder())} glyphs")


if __name__ == "__main__":
    main(sys.argv[1])
