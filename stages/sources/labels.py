"""From the label column to label names, and their order."""

import math
import operator
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from stages.core.errors import PipelineError
from stages.core.schema import Data
from stages.sources.rows import Row

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SHOWN = 10

NO_LABEL = "no label"
NOT_A_NUMBER = "label is not a number"
NO_RULE = "no label rule takes it"


def label_of(value: Any, data: Data, at: str) -> tuple[str | None, str]:
    """The label's name; or None and the reason why the row has none.

    Raises PipelineError for a name with control characters, which would break the files that carry it.
    """
    text = _text(value)
    if not text:
        return None, NO_LABEL
    if data.label_rules:
        return _by_rules(text, data.label_rules)
    _check_name(text, at)
    return text, ""


def ordered_labels(rows: Sequence[Row], given: list[str] | None) -> list[str]:
    """The labels in the order of the model's outputs: as `task.labels` has them, else sorted.

    Raises PipelineError for labels of the data that `given` lacks, and when there is one class only.
    """
    counts = Counter(row.label for row in rows)
    given = given and [_text(label) for label in given]
    for label in given or []:
        _check_name(label, "params.yaml: task.labels")
    if given is not None and (unknown := sorted(counts.keys() - set(given))):
        first = {label: next(row.at for row in rows if row.label == label) for label in unknown[:_SHOWN]}
        listed = [f"{label!r} ({counts[label]} rows, first at {first[label]})" for label in unknown[:_SHOWN]]
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise PipelineError(
            f"task.labels: the data has labels that it does not name: {', '.join(listed)}{more};"
            " add them, or take task.labels out to use whatever labels there are"
        )
    if not counts:
        raise PipelineError("no row is left: all were rejected, for the reasons above")
    if len(counts) == 1:
        raise PipelineError(f"every row has the label {next(iter(counts))!r}: a classifier needs two or more")
    return given if given is not None else sorted(counts)


def _by_rules(text: str, rules: dict[str, str]) -> tuple[str | None, str]:
    """The first label whose comparison holds."""
    try:
        number = float(text)
    except ValueError:
        return None, NOT_A_NUMBER
    if not math.isfinite(number):
        return None, NOT_A_NUMBER
    for label, rule in rules.items():
        comparison, bound = rule.split()
        if _COMPARISONS[comparison](number, float(bound)):
            _check_name(label, "params.yaml: data.label_rules")
            return _text(label), ""
    return None, NO_RULE


def _text(value: Any) -> str:
    """Labels are text: 1 is "1", true is "true", as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return unicodedata.normalize("NFC", str(value)).strip()


def _check_name(label: str, at: str) -> None:
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in label):
        raise PipelineError(f"{at}: the label {label[:80]!r} holds a line break or another control character")
