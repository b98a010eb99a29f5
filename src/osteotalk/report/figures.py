"""What the figures of the report share: width, inks, labels of legends.

Each module of figures returns SVG text. What a figure shows is decided by the tables that stand
beside it; captions are written where the page is built.
"""

from matplotlib.colors import to_rgb

from osteotalk.report.text import shorten

RASTER_ABOVE = 3000
WIDTH = 7.6


def ink(colour: str) -> str:
    """Black or white, whichever reads better on the colour (WCAG relative luminance)."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.18 else "#FFFFFF"


def legend_label(text: str, width: int = 42) -> str:
    """Label safe for a matplotlib legend, which hides labels that begin with ``_``."""
    short = shorten(text, width)
    return "\u2009" + short if short.startswith("_") else short
