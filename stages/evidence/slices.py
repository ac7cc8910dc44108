"""Where a model does better or worse: its score on parts of the test rows, each against all the others.

Sources: adjusted p, Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
Statistics 6, 1979; why a p-value of random permutations is never 0, Phipson and Smyth, "Permutation P-values
Should Never Be Zero", Statistical Applications in Genetics and Molecular Biology 9, 2010.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.records import Record
from stages.core.tasks import TASK_TYPES, greater_is_better
from stages.evidence.label_counts import ratio
from stages.evidence.resampling import drawn
from stages.evidence.statistics import Bootstrap, Floats
from stages.evidence.tag_counts import tag_counts
from stages.evidence.text_counts import text_counts, text_values
from stages.tasks.entity_tags import are_entities

FEWEST = 30  # rows in a slice, and outside it, below which nothing is tested
MOST_VALUES = 50  # of a column: the rest are one slice

Parts = Callable[[Sequence[Record], Sequence[Any], Sequence[str]], Floats]
Values = Callable[[Floats], Floats]


@dataclass(frozen=True)
class _Score:
    """A score as a function of sums over rows: `parts` is [rows, k], `value` takes [..., k] to [...].

    A row that there is nothing to score in has only zeros (of generated texts none is such).
    """

    metric: str
    parts: Parts
    value: Values


@dataclass(frozen=True)
class _Slice:
    """The `rows` of one value of a column; of many (`others`) where the value is None."""

    column: str
    value: str | None
    rows: NDArray[np.intp]
    others: int = 0


def slices(
    task_type: str,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    bootstrap: Bootstrap,
) -> list[Record]:
    """A record for each value of each column (`columns` holds the value of each row), in natural order.

    `column value n metric score low high` (the interval is of resamples within the slice) and, against the
    rows outside the slice, `rest difference p p_holm verdict`: p is of a two-sided permutation test, p_holm
    Holm's over all slices that are tested here. The verdict is better, worse, or no difference shown. With
    fewer than FEWEST rows inside there is no interval, inside or outside no test, and the verdict is `too
    few`. Where there is nothing to score (no entity, true or predicted) there is no score, and that is the
    verdict. Values beyond the MOST_VALUES most frequent of a column are one slice: its `value` is None, and
    `others` says how many they are.
    """
    score = _score(task_type, labels)
    parts = score.parts(predicted, references, labels)
    by_column = [_of_column(column, values) for column, values in columns.items()]
    found = [[_described(score, part, parts, bootstrap) for part in own] for own in by_column]
    tested = [[_testable(part, parts) for part in own] for own in by_column]
    alpha = round(1 - bootstrap.confidence, 9)
    # Or the smallest p there can be, 2 / (times + 1), would not survive the correction.
    times = max(bootstrap.resamples, math.ceil(4 * sum(map(sum, tested)) / alpha))
    judged = []
    for own, records, chosen in zip(by_column, found, tested, strict=True):
        if any(chosen):
            compared = _compared(score, parts, [part.rows for part in own], times, bootstrap.seed)
            for record, test, other in zip(records, chosen, compared, strict=True):
                if test:
                    judged.append(record)
                    record.update(other)
    for record, p in zip(judged, holm([record["p"] for record in judged]), strict=True):
        record["p_holm"] = round(p, 6)
        record["verdict"] = _verdict(score.metric, record, alpha)
    return [record for records in found for record in records]


def lengths(texts: Sequence[Any], n: int = 4) -> list[str]:
    """For each text its bin by length in characters, such as `55-77`: `n` bins of about as many texts.

    A text is a string, or words that count as joined by spaces. Texts of equal length share a bin, so there
    may be fewer. Bins are named by the shortest and the longest text in them.
    """
    sizes = np.array(
        [len(text if isinstance(text, str) else " ".join(text)) for text in texts], dtype=np.intp
    )
    edges = np.quantile(sizes, np.arange(1, n) / n, method="inverted_cdf") if len(sizes) else sizes
    bins = np.searchsorted(np.unique(edges), sizes)
    names = {}
    for number in np.unique(bins):
        low, high = sizes[bins == number].min(), sizes[bins == number].max()
        names[number] = str(low) if low == high else f"{low}-{high}"
    return [names[number] for number in bins]


def holm(p: Sequence[float]) -> list[float]:
    """Each p-value as it is after Holm's correction for there being so many."""
    adjusted, most = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        most = max(most, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = most
    return adjusted


def _of_column(column: str, values: Sequence[str]) -> list[_Slice]:
    counted = Counter(values)
    frequent = sorted(counted, key=lambda value: (-counted[value], value))[:MOST_VALUES]
    shown = sorted(frequent, key=_natural)
    place = {value: number for number, value in enumerate(shown)}
    group = np.array([place.get(value, len(shown)) for value in values], dtype=np.intp)
    found = [_Slice(column, value, np.flatnonzero(group == number)) for value, number in place.items()]
    others = len(counted) - len(shown)
    return found + [_Slice(column, None, np.flatnonzero(group == len(shown)), others)] * bool(others)


def _natural(value: str) -> tuple[str, str]:
    """Numbers in a text by what they are worth: 55-77 comes before 100-200."""
    return re.sub("[0-9]+", lambda digits: digits[0].zfill(20), value), value


def _testable(part: _Slice, parts: Floats) -> bool:
    inside = np.isin(np.arange(len(parts)), part.rows)
    both = parts[inside], parts[~inside]
    return all(len(of) >= FEWEST and of.any() for of in both)


def _described(score: _Score, part: _Slice, parts: Floats, bootstrap: Bootstrap) -> Record:
    own = parts[part.rows]
    found: Record = {"column": part.column, "value": part.value, "n": len(own), "metric": score.metric}
    if part.others:
        found["others"] = part.others
    if not own.any():
        return found | {"verdict": "nothing to score"}
    found |= {"score": round(float(score.value(own.sum(axis=0))), 6), "verdict": "too few"}
    if len(own) < FEWEST:
        return found
    samples = np.concatenate([score.value(weights @ own) for weights in drawn(len(own), bootstrap)])
    low, high = bootstrap.interval(samples)
    return found | {"low": round(low, 6), "high": round(high, 6)}


def _compared(
    score: _Score, parts: Floats, groups: Sequence[NDArray[np.intp]], times: int, seed: int
) -> list[Record]:
    """Each group against the rows outside it; each time, rows are dealt to all groups at random.

    p is twice the smaller tail, as in scipy.stats.permutation_test.
    """
    rng = np.random.default_rng(seed)
    total = parts.sum(axis=0)
    starts = np.cumsum([0, *map(len, groups)])[:-1]

    def scores(order: NDArray[np.intp]) -> tuple[Floats, Floats]:
        sums = np.add.reduceat(parts[order], starts, axis=0)
        return score.value(sums), score.value(total - sums)

    inside, outside = scores(np.concatenate(groups))
    difference = inside - outside
    slack = 1e-9 * (np.abs(inside) + np.abs(outside))  # what rounding may part
    lower, upper = np.zeros(len(groups)), np.zeros(len(groups))
    for _ in range(times):
        one, other = scores(rng.permutation(len(parts)))
        lower += one - other <= difference + slack
        upper += one - other >= difference - slack
    p = np.minimum(1.0, 2 * (np.minimum(lower, upper) + 1) / (times + 1))
    columns = zip(outside.tolist(), difference.tolist(), p.tolist(), strict=True)
    return [{"rest": round(r, 6), "difference": round(d, 6), "p": round(x, 6)} for r, d, x in columns]


def _verdict(metric: str, record: Record, alpha: float) -> str:
    if record["p_holm"] >= alpha:
        return "no difference shown"
    return "better" if (record["difference"] > 0) == greater_is_better(metric) else "worse"


def _score(task_type: str, labels: Sequence[str]) -> _Score:
    kind = TASK_TYPES[task_type].label
    return _PLAIN_TAGS if kind == "tags" and not are_entities(labels) else _SCORES[kind]


def _mean(sums: Floats) -> Floats:
    """Of a numerator and a denominator, both summed: shape [..., 2]."""
    return ratio(sums[..., 0], sums[..., 1])


def _pairs(rows: Any) -> Floats:
    return np.array(list(rows), dtype=np.float64)


def _hits(predicted: Sequence[Record], references: Sequence[str], labels: Sequence[str]) -> Floats:
    return _pairs(
        (record["predicted"] == true, 1) for record, true in zip(predicted, references, strict=True)
    )


def _shared(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Floats:
    said = [set(record["predicted"]) for record in predicted]
    true = [set(row) for row in references]
    return _pairs((2 * len(s & t), len(s) + len(t)) for s, t in zip(said, true, strict=True))


def _errors(predicted: Sequence[Record], references: Sequence[float], labels: Sequence[str]) -> Floats:
    return _pairs((abs(row["predicted"] - true), 1) for row, true in zip(predicted, references, strict=True))


def _entities(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Floats:
    found, wanted, given, *_ = np.moveaxis(tag_counts(predicted, references, labels), -1, 0)
    return np.column_stack([2 * found, wanted + given])


def _words(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Floats:
    rows = [
        list(zip(row["predicted"], true, strict=True))
        for row, true in zip(predicted, references, strict=True)
    ]
    return _pairs((sum(one == other for one, other in row), len(row)) for row in rows)


def _losses(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Floats:
    return _pairs((record["loss"], record["tokens"]) for record in predicted)


# What a row counts for adds up, and no score depends on which labels a slice happens to hold: a macro mean
# would count absent ones as 0, r2 and correlations fall where the true numbers are alike. Loss, not
# perplexity, which a few rows of a slice can send out of range.
_SCORES: dict[str, _Score] = {
    "class": _Score("accuracy", _hits, _mean),
    "classes": _Score("f1_micro", _shared, _mean),
    "number": _Score("mae", _errors, _mean),
    "tags": _Score("entity_f1", _entities, _mean),
    "text": _Score("chrf", text_counts, lambda sums: text_values(sums, [])["chrf"]),
    "none": _Score("loss", _losses, _mean),
}
_PLAIN_TAGS = _Score("accuracy", _words, _mean)
