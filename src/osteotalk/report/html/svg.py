"""Matplotlib figures as inline SVG: text stays text, ids are unique, bytes are stable."""

import gc
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing
from matplotlib.transforms import Bbox

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "osteotalk",
    "text.parse_math": False,
    "hatch.linewidth": 0.6,
}
# Inches: margin, room for the stamp, width of one of its letters.
_PAD, _STAMP_HEIGHT, _LETTER = 0.08, 0.24, 0.1
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)')
_FONT = re.compile(r"'DejaVu Sans'(?:, sans-serif)?")


@contextmanager
def drawing_style() -> Iterator[None]:
    """Drawing settings of the report; every figure is drawn and saved inside.

    A drawing makes thousands of small objects, so that looking for unused ones in between would
    take a fifth of the time; that is put off to its end.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _settings():
            yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _settings() -> Iterator[None]:
    # From matplotlib's defaults: neither a matplotlibrc nor another library changes a figure.
    with warnings.catch_warnings(), mpl.style.context(["default", _STYLE]):
        # Text is not drawn from the measuring font, so a glyph it lacks does no harm.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def to_svg(drawing: Drawing, *, uid: str, alt: str, stamp: str = "") -> str:
    """Turn a drawing into SVG for an HTML page.

    Parameters
    ----------
    drawing
        Drawn inside :func:`drawing_style`.
    uid
        Prefix of every id, unique on the page.
    alt
        What a reader who cannot see the figure needs to know.
    stamp
        Words printed inside the figure, which stay with it when it is copied.

    Returns
    -------
    An ``<svg>`` element without prolog, name spaces, metadata or style sheet.
    """
    FigureCanvasSVG(drawing)
    box = drawing.get_tightbbox()  # once: measuring takes as long as drawing
    below = _PAD
    if stamp:
        _stamp(drawing, box, stamp)
        below += _STAMP_HEIGHT
    right = max(box.x1, box.x0 + len(stamp) * _LETTER)
    box = Bbox.from_extents(box.x0 - _PAD, box.y0 - below, right + _PAD, box.y1 + _PAD)
    buffer = io.StringIO()
    drawing.savefig(buffer, format="svg", bbox_inches=box, metadata={"Date": None})
    return _inline(buffer.getvalue(), uid=uid, alt=alt)


def standalone(svg: str) -> str:
    """Make a file of an inline ``<svg>`` element."""
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg.replace("<svg ", f"<svg {spaces} ", 1)}\n'


def _stamp(drawing: Drawing, box: Bbox, words: str) -> None:
    """Print words below everything that is drawn, which lies in the box."""
    width, height = drawing.get_size_inches()
    drawing.text(
        box.x0 / width,
        (box.y0 - 0.08) / height,
        words,
        ha="left",
        va="top",
        fontsize=8,
        color="#8A1538",
        weight="bold",
    )


def _inline(text: str, *, uid: str, alt: str) -> str:
    body = text[text.index("<svg") :].strip()
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.S)
    body = _ID.sub(rf'id="{uid}-\1"', body)
    body = _REFERENCE.sub(rf"\g<1>{uid}-", body)
    body = _FONT.sub("'DejaVu Sans', Verdana, Arial, sans-serif", body)
    head, rest = body.split(">", 1)
    box = re.search(r'viewBox="([^"]+)"', head)
    if box is None:
        msg = "matplotlib wrote an SVG without a viewBox; the figure cannot be scaled"
        raise ValueError(msg)
    width = float(box.group(1).split()[2]) * 96 / 72
    opening = (
        f'<svg viewBox="{box.group(1)}" role="img" aria-label="{escape(alt, quote=True)}" '
        f'stroke-linejoin="round" stroke-linecap="butt" '
        f'style="width:{width:.0f}px;min-width:{min(width, 560):.0f}px">'
    )
    return opening + rest
