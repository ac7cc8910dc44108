"""The predictions that a release publishes: every score follows from them, without the model.

JSON Lines, one object a test row, in the rows' order (as models/published.jsonl, in a release as
reports/predictions.jsonl):

    id          the row's id, salted (see `salted`)
    label       the true label; none of a text-to-text row, whose label is a text
    slices      by column, the row's value
    model       what the model predicts: see stages/tasks/predict.py
    baselines   by name, what each baseline predicts, without probabilities
    stressed    by kind of change, what the model predicts of the changed text
    previous    what the release before this one predicted

Of text to text no text is published: each answer is the counts that its scores follow from
(stages/evidence/text_counts.py).
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.tasks import Kind

Said = list[Record]


@dataclass(frozen=True)
class Predictions:
    """Columns of equal length: what everything that is said of a model on its test rows follows from."""

    ids: list[str]
    references: list[Any]
    model: Said
    baselines: dict[str, Said] = field(default_factory=dict)
    slices: dict[str, list[str]] = field(default_factory=dict)
    stressed: dict[str, Said] = field(default_factory=dict)
    previous: Said | None = None


def salted(ids: Sequence[str], rows: bytes) -> list[str]:
    """Ids that name the rows to nobody who has not got them: 16 hexadecimal digits of HMAC-SHA-256.

    The key is made of the test rows themselves (the bytes of test.parquet). Ids that are made from a text, or
    numbers that could be tried one by one, would tell who was in the test set. Equal test sets give equal
    ids, so that the predictions of two releases can be paired.
    """
    key = hashlib.sha256(b"ids of test rows\0" + rows).digest()
    return [hmac.new(key, id_.encode(), hashlib.sha256).hexdigest()[:16] for id_ in ids]


def published(kind: Kind, said: Sequence[Record], references: Sequence[Any], whole: bool = False) -> Said:
    """Predictions as they are published: rounded, without texts, and with probabilities if `whole`."""
    if kind == "text":
        from stages.evidence.text_counts import text_counts

        return [{"counts": rounded(row)} for row in text_counts(said, references, []).tolist()]
    kept = [{k: v for k, v in row.items() if whole or k != "probabilities"} for row in said]
    found: Said = rounded(kept)
    return found


def write(path: Path, said: Predictions) -> None:
    """Write the predictions, one line a row."""
    records.write_lines(path, _lines(said))


def _lines(said: Predictions) -> Iterator[Record]:
    for place, id_ in enumerate(said.ids):
        label = said.references[place]
        line: Record = {"id": id_, "model": said.model[place]}
        line |= {} if label is None else {"label": label}
        line |= {"previous": said.previous[place]} if said.previous else {}
        groups: dict[str, Mapping[str, Sequence[Any]]] = {
            "baselines": said.baselines,
            "slices": said.slices,
            "stressed": said.stressed,
        }
        for name, group in groups.items():
            line |= {name: {key: column[place] for key, column in group.items()}} if group else {}
        yield line


def read(path: Path) -> Predictions:
    """The predictions of a file that `write` wrote. Raises PipelineError when it is none."""
    try:
        lines = list(records.read_lines(path))
        groups = {
            name: {key: [line[name][key] for line in lines] for key in lines[0].get(name, {})}
            for name in ("baselines", "slices", "stressed")
        }
        return Predictions(
            ids=[line["id"] for line in lines],
            references=[line.get("label") for line in lines],
            model=[line["model"] for line in lines],
            previous=[line["previous"] for line in lines] if "previous" in lines[0] else None,
            **groups,
        )
    except FileNotFoundError:
        raise PipelineError(
            f"{path} is missing: a release holds it since version 0.2 of the format"
        ) from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise PipelineError(f"{path}: not published predictions ({error!r:.100})") from None


def rounded(node: Any) -> Any:
    """`node` with every number at 6 decimals: what is scored is what is published."""
    if isinstance(node, dict):
        return {key: rounded(value) for key, value in node.items()}
    if isinstance(node, list):
        return [rounded(value) for value in node]
    return round(node, 6) if isinstance(node, float) else node
