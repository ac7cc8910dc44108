"""One look for every figure, equal bytes for equal numbers, and text that draws as itself.

The background is opaque and light, so a figure reads the same on a light and on a dark page. Colours are
those of Okabe and Ito, "Color Universal Design", 2008, which differ for all common kinds of colour blindness.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6E6E6E"
INK, FAINT, PAPER = "#1F2328", "#E3E5E8", "#FFFFFF"

_FONT = "DejaVu Sans"  # comes with matplotlib, so it is the same on every machine
_LONGEST = 40
_STYLE: Any = {
    "font.family": _FONT,
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.facecolor": PAPER,
    "figure.dpi": 150,
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": 150,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextlib.contextmanager
def own_style() -> Iterator[None]:
    """Draw under matplotlib's defaults and the settings above, whatever matplotlibrc lies about."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes that name neither a program nor a date.

    A palette of 256 colours is a third of the size, and no eye tells the difference on flat drawings.
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def drawable(labels: Sequence[str]) -> list[str]:
    """`labels` as the font can draw them: printable, one line, at most 40 characters.

    A label with a character that the font lacks (it would be an empty box) becomes `output N`, N being its
    place in the model's outputs, which the card's table of classes lists.
    """
    font = font_manager.get_font(font_manager.findfont(_FONT))
    shown = []
    for number, label in enumerate(labels):
        text = " ".join("".join(c if c.isprintable() else " " for c in label).split())
        known = text and all(font.get_char_index(ord(character)) for character in text)
        shown.append(_cut(text) if known else f"output {number}")
    return shown


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
