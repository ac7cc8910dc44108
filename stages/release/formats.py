"""How the English card writes figures, settings and lists: the filters of its template."""

from collections.abc import Callable, Mapping
from typing import Any

from stages.release.markdown import Markdown, code, finalize


def sentence(text: str) -> str:
    """The text with a capital first letter; chrF and its like stay as they are."""
    first = text.partition(" ")[0]
    return text if first[1:] != first[1:].lower() else text[:1].upper() + text[1:]


def count(number: float) -> str:
    """4200 -> 4,200."""
    return f"{number:,.0f}"


def score(number: float) -> str:
    """A score or the end of an interval, with three decimals."""
    text = f"{number:.3f}"
    return text.replace("-", "" if float(text) == 0 else "−")


def signed(number: float) -> str:
    """A difference, with three decimals and its sign."""
    return f"{number:+.3f}".replace("-", "−")


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


def listed(items: list[Any], last: str = "and") -> Markdown:
    """`a`, `a and b`, `a, b and c`; each item escaped."""
    escaped = [finalize(item) for item in items]
    if len(escaped) < 2:
        return Markdown("".join(escaped))
    return Markdown(f"{', '.join(escaped[:-1])} {last} {escaped[-1]}")


FORMATS: tuple[Callable[..., Any], ...] = (
    sentence,
    count,
    score,
    signed,
    percent,
    p_value,
    times,
    average,
    number,
    short,
    power,
    numbers,
    value,
    listed,
)
