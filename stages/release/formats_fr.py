"""How French cards write figures and lists: a decimal comma, and U+202F, which does not break a line, for the
spaces within a number and before the signs that have one.

What they make is Markdown: it holds no text of records, and escaping would make ordinary spaces of those.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from stages.release import formats
from stages.release.markdown import Markdown

SPACE = "\u202f"
_TURNED = str.maketrans({",": SPACE, ".": ","})


def _french(written: str) -> Markdown:
    """An English figure as a French one: 1,234.5 -> 1 234,5."""
    return Markdown(written.translate(_TURNED))


def sentence(text: str) -> str:
    """The text with a capital first letter; chrF and its like stay as they are, and macro-F1 is Macro-F1."""
    first = re.split("[ -]", text, maxsplit=1)[0]
    made = text if first[1:] != first[1:].lower() else text[:1].upper() + text[1:]
    return Markdown(made) if isinstance(text, Markdown) else made


def count(number: float) -> Markdown:
    """4200 -> 4 200."""
    return _french(formats.count(number))


def score(number: float) -> Markdown:
    """A score or the end of an interval, with three decimals."""
    return _french(formats.score(number))


def signed(number: float) -> Markdown:
    """A difference, with three decimals and its sign."""
    return _french(formats.signed(number))


def percent(share: float) -> Markdown:
    """A share of 1 as percent: 95 %, 0,2 %, and never 0 % or 100 % for what is not."""
    written = formats.percent(share).replace("less than", "moins de").replace("more than", "plus de")
    return _french(written.replace("%", f"{SPACE}%"))


def p_value(p: float) -> Markdown:
    """`p < 0,001` or `p = 0,032`."""
    return _less(formats.p_value(p))


def probability(p: float) -> Markdown:
    """A p-value for a table: `< 0,001` or `0,032`."""
    return _less(formats.probability(p))


def _less(written: str) -> Markdown:
    return Markdown(_french(written).replace("<", "&lt;"))


def times(number: int) -> str:
    """How often: une fois, deux fois, 3 fois."""
    return f"{ {1: 'une', 2: 'deux'}.get(number, str(number)) } fois"


def number(value: float) -> Markdown:
    """A number as short as it is: 0,01, 4, −1,55."""
    return _french(formats.number(value))


def short(number: float) -> Markdown:
    """A count to three digits, for tables: 22 713 986 -> 22,7 M, 32 102 -> 32,1 k, 7e9 -> 7 Md."""
    written = re.sub("[kMG]$", rf"{SPACE}\g<0>", formats.short(number)).replace("G", "Md")
    return _french(written)


def power(value: float) -> Markdown:
    """A large number by its power of ten: 3,1·10¹³."""
    return _french(formats.power(value))


def law(found: Mapping[str, float], metric: str) -> Markdown:
    """A power law of a learning curve as a formula: 1 − macro-F1 = 4,2·n^−0,534."""
    return _french(formats.law(found, metric))


def listed(items: list[Any], last: str = "et") -> Markdown:
    """`a`, `a et b`, `a, b et c`; each item escaped."""
    return formats.listed(items, last)


def de(name: str) -> str:
    """A name after "de": de perplexité, d’exactitude."""
    return f"d’{name}" if re.match("[aeiouyéèê]", name, re.IGNORECASE) else f"de {name}"


# Where French writes otherwise; what it writes alike is formats' own. `de` English has no need of.
_OWN: tuple[Callable[..., Any], ...] = (
    sentence,
    count,
    score,
    signed,
    percent,
    p_value,
    probability,
    times,
    number,
    short,
    power,
    law,
    listed,
    de,
)
FORMATS = tuple({one.__name__: one for one in (*formats.FORMATS, *_OWN)}.values())
