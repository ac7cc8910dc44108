"""What the Hub demands of a card's metadata, and what it only remarks on.

Each rule yields sentences; errors stop a commit, warnings are shown. Wording follows the Hub's own where it
is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localhub.cards import frontmatter
from localhub.cards.vocabulary import LANGUAGE_WORDS, LICENSES, RELATIONS, TASKS
from localhub.errors import HubError

EMPTY = "empty or missing yaml metadata in repo card (https://huggingface.co/docs/hub/model-cards#model-card-metadata)"
_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)

Metadata = dict[str, Any]


def check(content: str, kind: str) -> tuple[list[str], list[str]]:
    """(errors, warnings) of a README.md for a repository of `kind` ("model", "dataset")."""
    try:
        card = frontmatter.parse(content)
    except HubError as error:
        return [error.message], []
    if card is None:
        return [], [EMPTY]
    errors = [*_license(card), *_language(card), *_plain_fields(card)]
    if kind != "model":
        return errors, []
    errors += [*_ids(card, "datasets", "dataset"), *_ids(card, "base_model", "model"), *_relation(card)]
    return [*errors, *_model_index(card)], [*_pipeline_tag(card)]


def _each(card: Metadata, key: str) -> Iterator[tuple[str, Any]]:
    """(spelling of the place, value): the value itself, or each item of a list."""
    value = card.get(key)
    if isinstance(value, list):
        yield from ((f"{key}[{index}]", item) for index, item in enumerate(value))
    elif value is not None:
        yield key, value


def _license(card: Metadata) -> Iterator[str]:
    for place, value in _each(card, "license"):
        if value not in LICENSES:
            yield f'"{place}" must be one of [{", ".join(LICENSES)}]'
    link = card.get("license_link")
    if (
        link is not None
        and link not in ("LICENSE", "LICENSE.md")
        and not str(link).startswith(("http://", "https://"))
    ):
        yield '"license_link" must be "LICENSE", "LICENSE.md" or a URL'
    name = card.get("license_name")
    if name is not None and not isinstance(name, str):
        yield '"license_name" must be a string'


def _language(card: Metadata) -> Iterator[str]:
    for place, value in _each(card, "language"):
        if not isinstance(value, str):
            yield f'"{place}" must be a string'
        elif value not in LANGUAGE_WORDS and not _LANGUAGE.fullmatch(value):
            yield (
                f'"{place}" with value "{value[:60]}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 '
                'code (two/three letters), or a special value like "code", "multilingual".'
            )


def _plain_fields(card: Metadata) -> Iterator[str]:
    for key in ("library_name", "pipeline_tag", "base_model_relation", "pretty_name"):
        if card.get(key) is not None and not isinstance(card[key], str):
            yield f'"{key}" must be a string'
    for key in ("tags", "metrics"):
        if card.get(key) is not None and not isinstance(card[key], list):
            yield f'"{key}" must be an array'
        yield from (
            f'"{place}" must be a string' for place, value in _each(card, key) if not isinstance(value, str)
        )


def _ids(card: Metadata, key: str, what: str) -> Iterator[str]:
    for place, value in _each(card, key):
        if not isinstance(value, str):
            yield f'"{place}" must be a string'
        elif not _ID.fullmatch(value):
            yield f'"{place}" with value "{value[:100]}" is not valid. Use a {what} id from https://hf.co/{what}s.'


def _relation(card: Metadata) -> Iterator[str]:
    relation = card.get("base_model_relation")
    if isinstance(relation, str) and relation not in RELATIONS:
        yield f'"base_model_relation" must be one of [{", ".join(RELATIONS)}]'


def _pipeline_tag(card: Metadata) -> Iterator[str]:
    task = card.get("pipeline_tag")
    if isinstance(task, str) and task not in TASKS:
        yield f'The pipeline tag "{task[:60]}" is not in the official list: {", ".join(TASKS)}'


def _model_index(card: Metadata) -> Iterator[str]:
    index = card.get("model-index")
    if index is None:
        return
    if not isinstance(index, list):
        yield '"model-index" must be an array'
        return
    for number, model in enumerate(index):
        place = f"model-index[{number}]"
        yield from _fields(model, place, {"name": str, "results": list})
        for row, result in enumerate(_list(model, "results")):
            yield from _result(result, f"{place}.results[{row}]")


def _result(result: Any, place: str) -> Iterator[str]:
    yield from _fields(result, place, {"task": dict, "metrics": list})
    if not isinstance(result, dict):
        return
    yield from _fields(result.get("task"), f"{place}.task", {"type": str})
    if result.get("dataset") is not None:
        yield from _fields(result["dataset"], f"{place}.dataset", {"name": str, "type": str})
        kind = result["dataset"].get("type") if isinstance(result["dataset"], dict) else None
        if isinstance(kind, str) and not _ID.fullmatch(kind):
            yield f'"{place}.dataset.type" with value "{kind[:100]}" fails to match the required pattern'
    for row, metric in enumerate(_list(result, "metrics")):
        yield from _fields(metric, f"{place}.metrics[{row}]", {"type": str})
        if isinstance(metric, dict) and metric.get("value") is None:
            yield f'"{place}.metrics[{row}].value" is required'


_TYPES: dict[type, str] = {str: "a string", list: "an array", dict: "an object"}


def _fields(value: Any, place: str, wanted: dict[str, type]) -> Iterator[str]:
    if value is not None and not isinstance(value, dict):
        yield f'"{place}" must be an object'
        return
    for key, kind in wanted.items():
        found = (value or {}).get(key)
        if found is None:
            yield f'"{place}.{key}" is required'
        elif not isinstance(found, kind):
            yield f'"{place}.{key}" must be {_TYPES[kind]}'


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []
