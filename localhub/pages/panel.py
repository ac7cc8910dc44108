"""What stands beside a card: facts as rows, evaluation results, and a snippet that runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from localhub.cards.facts import Facts
from localhub.cards.frontmatter import strings
from localhub.pages import adapters
from localhub.storage.repos import Repo

_SHOWN_TAGS = 24


@dataclass(frozen=True)
class Row:
    """One fact: a label and its values, each with an address or none."""

    label: str
    values: list[tuple[str, str | None]]


@dataclass(frozen=True)
class Score:
    """One line of evaluation results, from the card's model-index."""

    dataset: str
    metric: str
    value: Any


def rows(facts: Facts) -> list[Row]:
    """The facts that the card states; those it does not state are left out."""
    card = facts.card
    bases: list[tuple[str, str | None]] = [(name, f"/{name}") for name in strings(card.get("base_model"))]
    relation = f"Base model · {facts.relation}" if facts.relation else "Base model"
    found = [
        Row("Task", _linked(facts.task)),
        Row("Library", [(facts.library, None)] if facts.library else []),
        Row("Languages", _plain(card.get("language"))),
        Row("License", _plain(card.get("license_name") or card.get("license"))),
        Row(relation, bases),
        Row("Data sets", [(name, f"/datasets/{name}") for name in strings(card.get("datasets"))]),
        Row("Metrics", _plain(card.get("metrics"))),
        Row("Architecture", _plain((facts.config or {}).get("architectures"))),
        Row("Tags", _plain(card.get("tags"))[:_SHOWN_TAGS]),
    ]
    return [row for row in found if row.values]


def _linked(task: str | None) -> list[tuple[str, str | None]]:
    return [(task, f"/models?q={quote(task)}")] if task else []


def _plain(value: Any) -> list[tuple[str, str | None]]:
    return [(text, None) for text in strings(value)]


def scores(facts: Facts) -> list[Score]:
    """Evaluation results of the model-index, in its order. Malformed parts are passed over."""
    found = []
    for model in _dicts(facts.card.get("model-index")):
        for result in _dicts(model.get("results")):
            dataset = result.get("dataset")
            name = str(dataset.get("name", "")) if isinstance(dataset, dict) else ""
            for metric in _dicts(result.get("metrics")):
                label = str(metric.get("name") or metric.get("type") or "")
                found.append(Score(name, label, metric.get("value")))
    return found


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def snippet(repo: Repo, facts: Facts, revision: str) -> str:
    """Python that loads this repository, pinned to a tag when there is one."""
    pin = f', revision="{revision}"' if revision != "main" else ""
    if repo.kind == "dataset":
        return f'from datasets import load_dataset\n\nrows = load_dataset("{repo.id}"{pin})'
    if facts.library == "sentence-transformers":
        return (
            f"from sentence_transformers import SentenceTransformer\n\n"
            f'model = SentenceTransformer("{repo.id}"{pin})'
        )
    if facts.library == "peft" and any(file.path == "adapter_config.json" for file in facts.files):
        return adapters.snippet(repo, facts, revision)
    if facts.task and facts.config:
        line = f'    revision="{revision}",\n' if pin else ""
        return (
            f'from transformers import pipeline\n\npipe = pipeline(\n    "{facts.task}",\n'
            f'    model="{repo.id}",\n{line})'
        )
    return f'from huggingface_hub import snapshot_download\n\npath = snapshot_download("{repo.id}"{pin})'
