"""The clean process: download a staged commit, load it, and compare its predictions with the evaluated ones.

Reads   a request (see child.py) on standard input; the Hub that HF_ENDPOINT names
Writes  one line on standard output; `error: ...` and status 1 when anything differs
Run     by push only
"""

import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.tasks.rows import read_rows

Request = dict[str, Any]

ROWS = 1000  # the first so many of the test rows
TOLERANCE = 1e-4  # of a probability; another processor's arithmetic stays well below


def main() -> None:
    """Answer the request on standard input."""
    try:
        print(compare(json.load(sys.stdin)))
    except PipelineError as error:
        sys.exit(f"error: {error}")


def compare(asked: Request) -> str:
    """Download, load, predict; returns a sentence. Raises PipelineError on the first difference."""
    folder = _download(asked["repo_id"], asked["revision"], asked["files"])
    base = folder if asked["base"] is None else _base(asked["base"])
    test = Path(asked["test"])
    rows = read_rows(test)
    if sha256(test) != asked["test_sha256"]:
        raise PipelineError("data/prepared/test.parquet is not what was evaluated: run `dvc repro evaluate`")
    expected = list(islice(records.read_lines(Path(asked["predictions"])), ROWS))
    if [row["id"] for row in expected] != rows.ids[:ROWS]:
        raise PipelineError("models/predictions.jsonl is about other rows: run `dvc repro evaluate`")
    from stages.tasks import inference  # torch: only now that everything is there

    model, tokenizer, labels = inference.load(folder, base)
    if labels != asked["labels"]:
        raise PipelineError(f"its labels are {labels}, and {asked['labels']} were evaluated")
    found = inference.probabilities(model, tokenizer, rows.texts[:ROWS], asked["max_length"]).tolist()
    difference = _difference(found, expected, labels)
    if asked["method"] == "full":
        _as_a_user(asked, rows.texts[0], expected[0])
    return (
        f"reloaded in a clean process: {len(expected)} predictions equal, largest difference {difference:.1e}"
    )


def _download(repo_id: str, revision: str, files: dict[str, str]) -> Path:
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(repo_id, revision=revision, allow_patterns=sorted(files)))
    for path, digest in files.items():
        if not (folder / path).is_file() or sha256(folder / path) != digest:
            raise PipelineError(f"{path} does not download as it was sent")
    return folder


def _base(base: dict[str, str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    if "folder" in base:
        return Path(base["folder"])
    wanted = ["config.json", "*.safetensors", "*.safetensors.index.json"]
    try:
        return Path(snapshot_download(base["repo_id"], revision=base["revision"], allow_patterns=wanted))
    except (RepositoryNotFoundError, RevisionNotFoundError):
        at = f" at {base['revision']}" if base["revision"] else ""
        raise PipelineError(
            f"its base model {base['repo_id']}{at} is not on this Hub, so nobody could use the adapter:"
            " publish the base there first, or use method: full"
        ) from None


def _difference(found: list[list[float]], expected: list[records.Record], labels: list[str]) -> float:
    """The largest difference of a probability. Every predicted label has to be the one that was evaluated,
    unless the two were so near to each other then that the last digits decided.
    """
    largest, others = 0.0, 0
    for row, then in zip(found, expected, strict=True):
        others += not _same(labels[row.index(max(row))], then, labels)
        pairs = zip(row, then["probabilities"], strict=True)
        largest = max(largest, *(abs(now - before) for now, before in pairs))
    if others or not largest <= TOLERANCE:
        raise PipelineError(
            f"it predicts otherwise than what was evaluated: {others} of {len(found)} labels differ,"
            f" probabilities by up to {largest:.2g} (at most {TOLERANCE:g} is allowed)"
        )
    return largest


def _same(label: str, then: records.Record, labels: list[str]) -> bool:
    evaluated: float = then["probabilities"][labels.index(then["predicted"])]
    other: float = then["probabilities"][labels.index(label)]
    return abs(evaluated - other) <= TOLERANCE


def _as_a_user(asked: Request, text: str, then: records.Record) -> None:
    """The card's snippet: `pipeline` by repository and revision gives the label by its name."""
    from transformers import pipeline

    classify: Any = pipeline(asked["task"], model=asked["repo_id"], revision=asked["revision"], device="cpu")
    answer = classify(text, truncation=True, max_length=asked["max_length"])[0]["label"]
    if answer not in asked["labels"] or not _same(answer, then, asked["labels"]):
        raise PipelineError(
            f"transformers.pipeline answers {answer!r} where {then['predicted']!r} was evaluated"
        )


if __name__ == "__main__":
    main()
