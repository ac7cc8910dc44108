"""What the Hub demands of a card's metadata, and what it only remarks on.

Each rule yields sentences; errors stop a commit, warnings are shown. Wording follows the Hub's own where it
is known. Specifications: modelcard.md, datasetcard.md and docs/hub/spaces-config-reference.md of
https://github.com/huggingface/hub-docs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice

from localhub.cards import frontmatter, results, vocabulary
from localhub.cards.shapes import (
    Metadata,
    each,
    is_a,
    items,
    known,
    must_be,
    objects,
    one_of,
    optional,
    texts,
)
from localhub.cards.vocabulary import LANGUAGE_WORDS, LANGUAGES, LICENSES, RELATIONS, TASKS
from localhub.errors import HubError

MAX_SHORT_DESCRIPTION = 60  # characters
MAX_LINES = 100  # of errors, and of warnings: some name every choice
_DOCS = {
    "model": "https://huggingface.co/docs/hub/model-cards#model-card-metadata",
    "dataset": "https://huggingface.co/docs/hub/datasets-cards",
    "space": "https://huggingface.co/docs/hub/spaces-config-reference",
}
_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)?", re.ASCII)
_HINTS = {
    "dataset": "If possible, use a dataset id from https://hf.co/datasets.",
    "model": "Use a model id from https://hf.co/models.",
}


def refuse_invalid(content: str, kind: str) -> None:
    """HubError 400 for a README.md that the Hub would not take into a repository of that kind."""
    errors, _ = check(content, kind)
    if errors:
        raise HubError(400, "; ".join(errors))


def check(content: str, kind: str) -> tuple[list[str], list[str]]:
    """(errors, warnings) of a README.md for a repository of `kind` ("model", "dataset" or "space").

    The first MAX_LINES of each.
    """
    try:
        card = frontmatter.parse(content)
    except HubError as error:
        return [error.message], []
    if not card:
        return [], [f"empty or missing yaml metadata in repo card ({_DOCS.get(kind, _DOCS['model'])})"]
    errors, warnings = _KINDS.get(kind, _KINDS["model"])
    found = (chain(_every_card(card), errors(card)), warnings(card))
    wrong, remarks = (list(islice(lines, MAX_LINES)) for lines in found)
    return wrong, remarks


def _every_card(card: Metadata) -> Iterator[str]:
    yield from _license(card)
    yield from _language(card)
    yield from optional(card, list, "tags")
    yield from texts(card, "tags")


def _license(card: Metadata) -> Iterator[str]:
    yield from one_of(card, "license", LICENSES)
    link = card.get("license_link")
    if (
        link is not None
        and link not in ("LICENSE", "LICENSE.md")
        and not str(link).startswith(("http://", "https://"))
    ):
        yield '"license_link" must be "LICENSE", "LICENSE.md" or a URL'
    yield from optional(card, str, "license_name", "license_details")


def _language(card: Metadata) -> Iterator[str]:
    for place, value in each(card, "language"):
        if not isinstance(value, str):
            yield must_be(place, str)
        elif value != value.lower():
            yield f'"{place}" must only contain lowercase characters'
        elif not _is_language(value):
            yield (
                f'"{place}" with value "{value[:60]}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 '
                'code (two/three letters), or a special value like "code", "multilingual". If you want to '
                "use BCP-47 identifiers, you can specify them in language_bcp47."
            )


def _is_language(code: str) -> bool:
    if code in LANGUAGE_WORDS or code in LANGUAGES:
        return True
    return len(code) == 3 and code.isascii() and code.isalpha()


def _ids(card: Metadata, key: str, what: str) -> Iterator[str]:
    """Ids of repositories, one or a list. Whether they exist is not asked: they may be on another Hub."""
    for place, value in each(card, key):
        if not isinstance(value, str):
            yield must_be(place, str)
        elif not _ID.fullmatch(value):
            yield f'"{place}" with value "{value[:100]}" is not valid. {_HINTS[what]}'


def _model(card: Metadata) -> Iterator[str]:
    yield from optional(card, str, "library_name", "pipeline_tag", "base_model_relation", "thumbnail")
    yield from texts(card, "metrics")
    yield from optional(card, list, "widget")
    yield from _ids(card, "datasets", "dataset")
    yield from _ids(card, "base_model", "model")
    yield from _ids(card, "new_version", "model")
    if isinstance(card.get("base_model_relation"), str):
        yield from one_of(card, "base_model_relation", RELATIONS)
    yield from results.check(card.get("model-index"))


def _model_remarks(card: Metadata) -> Iterator[str]:
    yield from known(card, "pipeline_tag", TASKS, "pipeline tag")


def _dataset(card: Metadata) -> Iterator[str]:
    yield from optional(card, str, "pretty_name", "paperswithcode_id")
    yield from texts(card, "task_categories", "task_ids", *vocabulary.DATASET_WORDS)
    yield from texts(card, "source_datasets", "language_details")
    yield from objects(card, "configs", _config)
    if isinstance(card.get("dataset_info"), dict):
        yield from _info(card["dataset_info"], "dataset_info")
    else:
        yield from objects(card, "dataset_info", _info)
    yield from optional(card, list, "train-eval-index")


def _config(config: Metadata, place: str) -> Iterator[str]:
    """One of `configs`: which files are which split (the docs of the data-files configuration)."""
    yield from optional(config, str, "config_name", "data_dir", place=f"{place}.")
    yield from optional(config, bool, "default", "drop_labels", "drop_metadata", place=f"{place}.")
    files = config.get("data_files")
    if files is not None and not isinstance(files, str | list | dict):
        yield must_be(f"{place}.data_files", list)
    for name, row in items(config, "data_files", f"{place}."):
        if isinstance(row, dict):
            yield from optional(row, str, "split", place=f"{name}.")
            yield from texts(row, "path", "pattern", place=f"{name}.")
        elif not isinstance(row, str):
            yield must_be(name, str)


def _info(info: Metadata, place: str) -> Iterator[str]:
    """`dataset_info`, or one of them: features and sizes (`datasets.info.DatasetInfo`)."""
    yield from optional(info, str, "config_name", place=f"{place}.")
    yield from optional(info, int, "download_size", "dataset_size", place=f"{place}.")
    for key in ("features", "splits"):
        for name, row in items(info, key, f"{place}."):
            if not isinstance(row, dict):
                yield must_be(name, dict)
            else:
                yield from optional(row, str, "name", place=f"{name}.")
                yield from optional(row, int, "num_bytes", "num_examples", place=f"{name}.")


def _dataset_remarks(card: Metadata) -> Iterator[str]:
    yield from known(card, "task_categories", TASKS, "task_categories")
    yield from known(card, "task_ids", vocabulary.SUBTASKS, "task_ids")
    for key, words in vocabulary.DATASET_WORDS.items():
        yield from known(card, key, words, key)


def _space(card: Metadata) -> Iterator[str]:
    yield from one_of(card, "sdk", vocabulary.SDKS)
    yield from one_of(card, "colorFrom", vocabulary.COLORS)
    yield from one_of(card, "colorTo", vocabulary.COLORS)
    yield from optional(card, str, "title", "emoji", "app_file", "base_path", "short_description")
    yield from optional(card, bool, "pinned", "fullWidth", "disable_embedding")
    yield from optional(card, int, "app_port")
    text = card.get("short_description")
    if isinstance(text, str) and len(text) > MAX_SHORT_DESCRIPTION:
        most = f"less than or equal to {MAX_SHORT_DESCRIPTION} characters long"
        yield f'"short_description" length must be {most}'
    for key in ("python_version", "sdk_version"):
        if card.get(key) is not None and not (isinstance(card[key], str) or is_a(card[key], int)):
            yield must_be(key, str)
    yield from _ids(card, "models", "model")
    yield from _ids(card, "datasets", "dataset")


def _space_remarks(card: Metadata) -> Iterator[str]:
    del card  # none is known
    yield from ()


_Rule = Callable[[Metadata], Iterator[str]]
_KINDS: dict[str, tuple[_Rule, _Rule]] = {
    "model": (_model, _model_remarks),
    "dataset": (_dataset, _dataset_remarks),
    "space": (_space, _space_remarks),
}
