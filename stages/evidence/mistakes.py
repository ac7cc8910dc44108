"""The mistakes to look at first: ids of the rows where the model was most sure of itself, or furthest off."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from stages.core.records import Record
from stages.evidence.text_counts import text_counts, text_values
from stages.tasks.metrics import numbers

_Ranked = tuple[float, str, Record]  # how bad, and what decides between equals
_Rows = Iterable[tuple[str, Record, Any]]  # id, prediction, what is true


def mistakes(
    kind: str,
    ids: Sequence[str],
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    most: int = 20,
) -> list[Record]:
    """The `most` worst mistakes, worst first, equal ones by id.

    * class: `id predicted true confidence`, by the probability of the predicted class;
    * classes: `id label probability true`, a label that is predicted and not true or the other way round, by
      the probability of what was decided;
    * number: `id predicted true error`, by the size of the error (predicted less true, in the label's units);
    * tags: `id wrong words`, by the number of words with another tag than the true one;
    * text: `id chrf`, by the row's own chrF (0 to 100), the lowest first;
    * none: `id loss tokens`, by the mean loss of the row's tokens, in nats.
    """
    ranked = _RANKED[kind](zip(ids, predicted, references, strict=True), labels)
    return [record for *_, record in sorted(ranked, key=lambda found: (-found[0], found[1]))[:most]]


def _of_class(rows: _Rows, labels: Sequence[str]) -> Iterator[_Ranked]:
    for id_, record, true in rows:
        said = record["predicted"]
        if said != true:
            confidence = round(float(record["probabilities"][numbers([said], labels)[0]]), 6)
            yield confidence, id_, {"id": id_, "predicted": said, "true": true, "confidence": confidence}


def _of_classes(rows: _Rows, labels: Sequence[str]) -> Iterator[_Ranked]:
    for id_, record, true in rows:
        for label, share in zip(labels, record["probabilities"], strict=True):
            said = label in record["predicted"]
            if said != (label in true):
                probability = round(float(share), 6)
                sure = probability if said else 1 - probability
                yield sure, id_, {"id": id_, "label": label, "probability": probability, "true": not said}


def _of_number(rows: _Rows, labels: Sequence[str]) -> Iterator[_Ranked]:
    for id_, record, true in rows:
        said = round(float(record["predicted"]), 6)
        error = round(said - float(true), 6)
        if error:
            yield abs(error), id_, {"id": id_, "predicted": said, "true": float(true), "error": error}


def _of_tags(rows: _Rows, labels: Sequence[str]) -> Iterator[_Ranked]:
    for id_, record, true in rows:
        wrong = sum(one != other for one, other in zip(record["predicted"], true, strict=True))
        if wrong:
            yield wrong, id_, {"id": id_, "wrong": wrong, "words": len(true)}


def _of_text(rows: _Rows, labels: Sequence[str]) -> Iterator[_Ranked]:
    ids, predicted, true = zip(*rows, strict=True)
    scores = text_values(text_counts(predicted, true, []), [])["chrf"]
    for id_, score in zip(ids, scores.tolist(), strict=True):
        if score < 100:
            yield -score, id_, {"id": id_, "chrf": round(score, 6)}


def _of_none(rows: _Rows, labels: Sequence[str]) -> Iterator[_Ranked]:
    for id_, record, _ in rows:
        if record["tokens"]:
            loss = record["loss"] / record["tokens"]
            yield loss, id_, {"id": id_, "loss": round(loss, 6), "tokens": record["tokens"]}


_RANKED: dict[str, Callable[[_Rows, Sequence[str]], Iterator[_Ranked]]] = {
    "class": _of_class,
    "classes": _of_classes,
    "number": _of_number,
    "tags": _of_tags,
    "text": _of_text,
    "none": _of_none,
}
