"""What stands beside a card: facts as rows, and evaluation results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from localhub.cards.facts import Facts
from localhub.cards.frontmatter import strings
from localhub.pages import languages, licenses
from localhub.pages.numbers import interval
from localhub.storage.repos import Repo

_SHOWN_TAGS = 24
_SHOWN_ROWS = 50  # of evaluation results and of names in one row
_LONGEST = 100  # characters of a metric's name, and of a value that is no number
_RELATIONS = {
    "finetune": "Fine-tuned from",
    "adapter": "Adapter of",
    "merge": "Merge of",
    "quantized": "Quantized from",
}

Values = list[tuple[str, str | None]]


@dataclass(frozen=True)
class Row:
    """One fact: a label, its values, each with an address or none, and how many more there are."""

    label: str
    values: Values
    more: int = 0


@dataclass(frozen=True)
class Score:
    """A metric's value, and the ends of its interval when the card gives them."""

    metric: str
    value: Any
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Results:
    """Scores on one data set. `level` is that of their intervals ("95%"), None when none has one."""

    dataset: str
    level: str | None
    scores: list[Score]


def rows(repo: Repo, facts: Facts, present: Mapping[tuple[str, str], str]) -> list[Row]:
    """The facts that the card states; those it does not state are left out.

    `present` holds the pages of what is here by (kind, id): links to what is elsewhere would be dead.
    """
    card, kind = facts.card, f"{repo.kind}s"
    tasks, key = strings(facts.task), "pipeline_tag"
    if repo.kind == "dataset":
        tasks, key = strings(card.get("task_categories")), "task_categories"
    found = [
        Row("Task", _filters(kind, key, tasks)),
        Row("Library", _filters(kind, "library", strings(facts.library)) if repo.kind == "model" else []),
        Row("Languages", _languages(kind, strings(card.get("language")))),
        Row("License", licenses.shown(card, {file.path for file in facts.files}, repo.url_path)),
        Row(
            _RELATIONS.get(facts.relation or "", "Base model"),
            _links("model", card.get("base_model"), present),
        ),
        Row("Data sets", _links("dataset", card.get("datasets"), present)),
        Row("Metrics", _plain(card.get("metrics"))),
        Row("Architecture", _plain((facts.config or {}).get("architectures"))),
        Row("SDK", _plain(repo.sdk or None)),
        Row("Size", _plain(card.get("size_categories"))),
        Row("Tags", _filters(kind, "other", strings(card.get("tags")))),
    ]
    return [_cut(row, _SHOWN_TAGS if row.label == "Tags" else _SHOWN_ROWS) for row in found if row.values]


def _cut(row: Row, most: int) -> Row:
    return Row(row.label, row.values[:most], max(0, len(row.values) - most))


def related(facts: Facts) -> list[tuple[str, str]]:
    """(kind, id) of the base models and data sets that the card names, as many as are shown."""
    named = (("model", facts.card.get("base_model")), ("dataset", facts.card.get("datasets")))
    return [(kind, name) for kind, value in named for name in strings(value)[:_SHOWN_ROWS]]


def _filters(kind: str, key: str, values: list[str]) -> Values:
    return [(value, f"/{kind}?{urlencode({key: value})}") for value in values]


def _languages(kind: str, codes: list[str]) -> Values:
    return [(languages.name(code), f"/{kind}?{urlencode({'language': code})}") for code in codes]


def _links(kind: str, names: Any, present: Mapping[tuple[str, str], str]) -> Values:
    return [(name, present.get((kind, name))) for name in strings(names)]


def _plain(value: Any) -> Values:
    return [(text, None) for text in strings(value)]


def results(facts: Facts) -> list[Results]:
    """Evaluation results of the model-index, in its order. Malformed parts are passed over."""
    found: dict[str, list[dict[str, Any]]] = {}
    for model in _dicts(facts.card.get("model-index")):
        for result in _dicts(model.get("results")):
            found.setdefault(_dataset(result.get("dataset")), []).extend(_dicts(result.get("metrics")))
    return [
        _results(name, metrics[:_SHOWN_ROWS])
        for name, metrics in list(found.items())[:_SHOWN_ROWS]
        if metrics
    ]


def _dataset(dataset: Any) -> str:
    """Its name and split, as one line."""
    known = dataset if isinstance(dataset, dict) else {}
    parts = [known.get("name") or known.get("type"), known.get("split")]
    return ", ".join(str(part) for part in parts if isinstance(part, str) and part)


def _results(name: str, metrics: list[dict[str, Any]]) -> Results:
    scores = [_score(metric) for metric in metrics]
    levels = {_level(metric) for metric, score in zip(metrics, scores, strict=True) if score.interval}
    return Results(name, levels.pop() if len(levels) == 1 else "" if levels else None, scores)


def _score(metric: dict[str, Any]) -> Score:
    name, value = str(metric.get("name") or metric.get("type") or ""), metric.get("value")
    shown = value if isinstance(value, float | int) else str(value)[:_LONGEST]
    return Score(name[:_LONGEST], shown, interval(metric))


def _level(metric: dict[str, Any]) -> str:
    level = metric["args"].get("confidence_level")
    return f"{level * 100:g}%" if isinstance(level, float) and 0 < level < 1 else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
