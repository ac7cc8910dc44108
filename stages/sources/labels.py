"""From the label column to the label of a row, for each kind of label.

Every function takes the values of a row, the `data` section and where the row stands, and gives the label and
"", or None and the reason why the row has none.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.normalise import normalise
from stages.sources.rows import Label

Read = tuple[Label, str]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# Python's own `float` also takes 1_000, and digits of every script.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_YES, _NO = {"1", "1.0", "true"}, {"0", "0.0", "false"}

NO_LABEL = "no label"
NOT_A_NUMBER = "label is not a number"
NO_RULE = "no label rule takes it"
LEFT_OUT = "label left out by data.label_map"
NOT_YES_OR_NO = "label is neither 0 nor 1"


def class_of(values: Record, data: Data, at: str) -> Read:
    """The class's name.

    Raises PipelineError for a name with control characters, which would break the files that carry it.
    """
    text = label_text(single(values, data.label, "data.label", at))
    if data.label_rules:
        return _by_rules(text, data.label_rules) if text else (None, NO_LABEL)
    return mapped(text, data, at)


def classes_of(values: Record, data: Data, at: str) -> Read:
    """The names of all its classes, sorted; perhaps none of them.

    They come from a list, from a text cut at `data.label_separator` (null is the empty text), or are the
    columns that hold a 1.
    """
    if isinstance(data.label, list):
        said, reason = _from_columns(values, data.label)
    else:
        said, reason = _from_list(values.get(data.label or ""), data, at)
    found = [mapped(name, data, at) for name in said]
    reason = next((why for _, why in found if why), reason)
    return (None, reason) if reason else (tuple(sorted({str(name) for name, _ in found})), "")


def number_of(values: Record, data: Data, at: str) -> Read:
    """The number, which is finite."""
    text = label_text(single(values, data.label, "data.label", at))
    if not text:
        return None, NO_LABEL
    number = _number(text)
    return (number, "") if number is not None else (None, NOT_A_NUMBER)


def target_of(values: Record, data: Data, at: str) -> Read:
    """The text that is to be written, normalised like the one that is read."""
    value = single(values, data.label, "data.label", at)
    text = normalise("" if value is None else str(value), data.unescape_html)
    return (text, "") if text else (None, NO_LABEL)


def tags_of(values: Record, data: Data, at: str) -> Read:
    """The tags as they are given, "" where one is missing; stages/sources/tag_rows.py makes sense of them."""
    value = values.get(str(data.label))
    if value is None:
        return None, NO_LABEL
    if not isinstance(value, list):
        raise PipelineError(
            f"{at}: data.label: {data.label!r} is {value!r:.80}: expected a list, a tag for each word"
        )
    return tuple(map(label_text, value)), ""


def nothing_of(values: Record, data: Data, at: str) -> Read:
    """No label."""
    return None, ""


def label_text(value: Any) -> str:
    """Labels are text: 1 is "1", true is "true", as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return unicodedata.normalize("NFC", str(value)).strip()


def label_texts(value: Any, separator: str | None) -> list[str]:
    """The texts of all labels that a value holds: a list, a text cut at `separator`, or one label."""
    if isinstance(value, list):
        return [label_text(one) for one in value]
    if separator is None:
        return [label_text(value)]
    return [part for part in map(label_text, label_text(value).split(separator)) if part]


def mapped(text: str, data: Data, at: str) -> tuple[str | None, str]:
    """The label that `data.label_map` makes of a label's text; the text itself where it says nothing."""
    if data.label_map and text in data.label_map:
        name = data.label_map[text]
        if name is None:
            return None, LEFT_OUT
        at, text = f"params.yaml: data.label_map: {text!r}", label_text(name)
    if not text:
        return None, NO_LABEL
    check_name(text, at)
    return text, ""


def single(values: Record, column: str | list[str] | None, key: str, at: str) -> Any:
    """The value of a column in which a row has no more than one."""
    value = values.get(str(column))
    if isinstance(value, list):
        raise PipelineError(f"{at}: {key}: {column!r} is a list: expected one value a row")
    return value


def check_name(label: str, at: str) -> None:
    """Raise PipelineError for a label that would break the line it is written on."""
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in label):
        raise PipelineError(f"{at}: the label {label[:80]!r} holds a line break or another control character")


def _from_columns(values: Record, columns: list[str]) -> tuple[list[str], str]:
    said = {column: label_text(values.get(column)).lower() for column in columns}
    if any(text not in _YES | _NO for text in said.values()):
        return [], NO_LABEL if "" in said.values() else NOT_YES_OR_NO
    return [column for column, text in said.items() if text in _YES], ""


def _from_list(value: Any, data: Data, at: str) -> tuple[list[str], str]:
    if value is None and data.label_separator is None:
        return [], NO_LABEL
    if not isinstance(value, list) and data.label_separator is None:
        raise PipelineError(
            f"{at}: data.label: {data.label!r} is {value!r:.80}: expected a list of labels;"
            " say with data.label_separator where such a text is cut into labels"
        )
    return label_texts(value, data.label_separator), ""


def _by_rules(text: str, rules: dict[str, str]) -> tuple[str | None, str]:
    """The first label whose comparison holds."""
    number = _number(text)
    if number is None:
        return None, NOT_A_NUMBER
    for label, rule in rules.items():
        comparison, bound = rule.split()
        if _COMPARISONS[comparison](number, float(bound)):
            check_name(label, "params.yaml: data.label_rules")
            return label_text(label), ""
    return None, NO_RULE


def _number(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None
