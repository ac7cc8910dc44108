"""How English cards write figures, settings and lists: the filters of their templates.

stages/release/formats_fr.py has what French writes otherwise.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from stages.release.markdown import Markdown, code
from stages.release.traced import finalize, join


def sentence(text: str) -> str:
    """The text with a capital first letter; chrF and its like stay as they are."""
    first = text.partition(" ")[0]
    return text if first[1:] != first[1:].lower() else text[:1].upper() + text[1:]


def count(number: float) -> str:
    """4200 -> 4,200."""
    return f"{number:,.0f}"


def score(number: float) -> str:
    """A score or the end of an interval, with three decimals; two digits of one too small for that."""
    text = _digits(number) or f"{number:.3f}"
    return text.replace("-", "" if float(text) == 0 else "−")


def _digits(number: float) -> str:
    """A number below 0.0005, that three decimals say nothing of, to two digits; otherwise nothing."""
    return f"{number:.2g}" if 0 < abs(number) < 0.0005 else ""


def signed(number: float) -> str:
    """A difference, as `score` writes it, with its sign; 0 has none."""
    text = score(number)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def percent(share: float) -> str:
    """A share of 1 as percent: 95%, 0.2%, and never 0% or 100% for what is not."""
    text = f"{share * 100:.1f}".removesuffix(".0")
    if text == "0" and share > 0:
        return "less than 0.1%"
    if text == "100" and share < 1:
        return "more than 99.9%"
    return f"{text}%"


def p_value(p: float) -> str:
    """`p < 0.001` or `p = 0.032`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def probability(p: float) -> str:
    """A p-value for a table, which does not break: `< 0.001` or `0.032`."""
    return "<\u00a00.001" if p < 0.001 else f"{p:.3f}"


def opposite(number: float) -> float:
    """The number with the other sign."""
    return -number


def times(number: int) -> str:
    """How often: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def average(numbers: list[float]) -> float:
    """The mean of a list, which is not empty."""
    return sum(numbers) / len(numbers)


def number(value: float) -> str:
    """A number as short as it is: 0.01, 4, -1.55."""
    return f"{value:g}".replace("-", "−")


def short(number: float) -> str:
    """A count to three digits, for tables: 22,713,986 -> 22.7M, 32,102 -> 32.1k."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:g}"


def power(value: float) -> Markdown:
    """A large number by its power of ten: 3.1·10¹³."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return Markdown(f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numbers(values: list[float]) -> Markdown:
    """A Python list of numbers for a snippet."""
    return Markdown(f"[{', '.join(map(repr, values))}]")


def value(setting: Any) -> Markdown:
    """A setting as params.yaml would write it, as code."""
    if isinstance(setting, Mapping):
        setting = ", ".join(f"{key}: {item}" for key, item in sorted(setting.items()))
    elif isinstance(setting, list | tuple):
        setting = ", ".join(map(str, setting))
    return code(str(setting).lower() if isinstance(setting, bool) else str(setting))


def law(found: Mapping[str, float], metric: str) -> str:
    """A power law of a learning curve as a formula: 1 − macro F1 = 4.2·n^−0.534."""
    score = f"{found['best']:g} − {metric}" if found["best"] else metric
    rest = f" + {found['c']:.3g}" if found["c"] else ""
    return f"{score} = {found['a']:.3g}·n^−{found['b']:.3g}{rest}"


def listed(items: list[Any], last: str = "and") -> Markdown:
    """`a`, `a and b`, `a, b and c`; each item escaped."""
    pieces: list[str] = []
    for place, item in enumerate(items):
        between = f" {last} " if place == len(items) - 1 else ", "
        pieces += [between, finalize(item)] if place else [finalize(item)]
    return join(pieces)


def worded(sentence: str, *values: Any) -> Markdown:
    """The sentence, which is Markdown, with a value for each of its `{}`."""
    first, *rest = sentence.split("{}")
    pieces = [first]
    for value, text in zip(values, rest, strict=True):
        pieces += [finalize(value), text]
    return join(pieces)


def said(phrases: Mapping[str, str], text: str) -> str:
    """What a record says in English, in the language of `phrases`; as it stands where they do not know it.

    A `{}` of a phrase stands for any value, which is escaped as all text of records is.
    """
    if text in phrases:
        return Markdown(phrases[text])
    for known, meant in phrases.items():
        pattern = re.escape(known).replace(re.escape("{}"), "(.+)")
        if "{}" in known and (found := re.fullmatch(pattern, text)):
            return worded(meant, *found.groups())
    return text


FORMATS: tuple[Callable[..., Any], ...] = (
    sentence,
    count,
    score,
    signed,
    percent,
    p_value,
    probability,
    opposite,
    times,
    average,
    number,
    short,
    power,
    numbers,
    value,
    law,
    listed,
)
