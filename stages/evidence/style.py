"""One look for every figure, equal bytes for equal numbers, and text that draws as itself.

The look is figures.mplstyle, beside this file; colours that a drawing names are read from there too.
"""

import contextlib
import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from matplotlib.typing import ColorType
from PIL import Image

from stages.evidence.figure_words import Language, say, turned

_STYLE = matplotlib.rc_params_from_file(
    Path(__file__).with_name("figures.mplstyle"), use_default_template=False
)
BLUE, ORANGE, GREY = _STYLE["axes.prop_cycle"].by_key()["color"]
INK, FAINT, PAPER = (str(_STYLE[name]) for name in ("text.color", "grid.color", "figure.facecolor"))
DASHED: Any = (0, (4, 3))

_LONGEST = 40
_LARGEST = 100_000  # bytes of a figure
_COARSEST = 60  # dots to the inch, below which no name is legible
_LETTERS = 11.5  # of a heading, to the inch


def luminance(colour: ColorType) -> float:
    """Relative luminance of a colour, 0 to 1 (WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def ink_on(colour: ColorType) -> str:
    """Black or white, whichever stands out more: by 4.58:1 or more on any colour."""
    bright = luminance(colour) + 0.05
    return "black" if bright / 0.05 > 1.05 / bright else "white"


@contextlib.contextmanager
def own_style() -> Iterator[None]:
    """Draw under matplotlib's defaults and our style, whatever matplotlibrc lies about."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


class _FrenchNumbers(ScalarFormatter):
    """The numbers at an axis with a decimal comma, which matplotlib takes from the machine's locale only."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return turned("fr", super().__call__(x, pos))


def heading(figure: Figure, text: str) -> None:
    """Say what the figure shows, at its top left."""
    lines = broken(text, int(figure.get_figwidth() * _LETTERS))
    figure.suptitle(lines, x=0.02, ha="left", size=_STYLE["axes.titlesize"], weight="bold")


def broken(text: str, most: int) -> str:
    """The text in lines of about equal length, of `most` letters or little more."""
    lines = math.ceil(len(text) / most)
    return textwrap.fill(text, most if lines == 1 else len(text) // lines + 8)


def png(figure: Figure, language: Language) -> bytes:
    """The figure as PNG bytes that name neither a program nor a date; plain axes count in `language`.

    Below 100 kB, so that a card loads fast: a palette of 256 colours is a third of the size, and no eye tells
    the difference on flat drawings; what has very many names is drawn more coarsely, too.
    """
    if language == "fr":
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(_FrenchNumbers())
    dots = _STYLE["savefig.dpi"]
    small = _drawing(figure, dots)
    while len(small) >= _LARGEST and dots > _COARSEST:
        dots *= 0.97 * (_LARGEST / len(small)) ** 0.8  # bytes grow a little faster than dots do
        small = _drawing(figure, dots)
    return small


def _drawing(figure: Figure, dots: float) -> bytes:
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=dots, metadata={"Software": None})
    with Image.open(full) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def drawable(labels: Sequence[str], language: Language) -> list[str]:
    """`labels` as the font can draw them: printable, one line, at most 40 characters.

    A label with a character that the font lacks (it would be an empty box) becomes `output N`, N being its
    place in the model's outputs, which the card's table of classes lists.
    """
    return [drawn(label) or say(language, "output", number=str(n)) for n, label in enumerate(labels)]


def drawn(text: str) -> str | None:
    """One text as `drawable` has it, or None when it cannot be drawn."""
    font = font_manager.get_font(font_manager.findfont(_STYLE["font.family"][0]))
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    known = line and all(font.get_char_index(ord(character)) for character in line)
    return _cut(line) if known else None


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
