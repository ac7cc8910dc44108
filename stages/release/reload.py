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
    from stages.core.task_section import Task as Settings
    from stages.release import as_a_user, same
    from stages.tasks import inference  # torch: only now that everything is there
    from stages.tasks.table import TASKS

    task, settings = TASKS[asked["task"]], Settings.model_validate(asked["settings"])
    model, tokenizer = inference.load(folder, base, task, settings)
    labels = inference.outputs(model) if task.head else []
    if labels != asked["labels"]:
        raise PipelineError(f"its labels are {labels}, and {asked['labels']} were evaluated")
    first = rows.first(ROWS)
    found = inference.predictions(model, tokenizer, first, task, settings)
    difference = same.difference(found, expected, labels)
    if asked["method"] == "full" and asked["pipeline"]:
        text = first.texts[0]
        if first.pairs:
            text = {"text": text, "text_pair": first.pairs[0]}
        as_a_user.try_pipeline(
            asked["pipeline"],
            asked["repo_id"],
            asked["revision"],
            text,
            expected[0],
            labels,
            settings.max_length,
        )
    _rehearse(asked, folder, base)
    return (
        f"reloaded in a clean process: {len(expected)} predictions equal, largest difference"
        f" {difference:.1e}; the snippet of the card prints what it says"
    )


def _rehearse(asked: Request, folder: Path, base: Path) -> None:
    """Run the card's snippet on what was downloaded, under the tag that it is going to have."""
    from stages.release import snippet
    from stages.release.rehearsal import Repository, rehearse

    repositories = [Repository(asked["repo_id"], asked["tag"], folder)]
    if asked["base"] is not None:
        repo_id, revision = asked["snippet_base"]
        repositories.append(Repository(repo_id, revision, base))
    found = rehearse(asked["snippet"]["code"], repositories, asked["threads"])
    snippet.compare(found["printed"], asked["snippet"]["printed"])


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


if __name__ == "__main__":
    main()
