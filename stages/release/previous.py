"""The release before the one that is being made: found by its tag, and what it predicted."""

import json
from typing import Any

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.release.contents import PREDICTIONS
from stages.release.endpoint import Target
from stages.release.remote import content_at, look
from stages.release.versions import number, released

_COMPARED = ("test", "model", "task", "labels")  # what has to be alike, and what is said


def last_before(target: Target, repo_id: str, version: str) -> tuple[str, str]:
    """The tag and the commit of the newest release below `version`.

    Raises PipelineError when there is none.
    """
    tags = look(target, repo_id).tags
    earlier = [(known, tag) for tag, known in released(tags).items() if known < number(version)]
    if not earlier:
        raise PipelineError(
            f"{repo_id} has no release before v{version} on {target.url}: nothing to compare with"
        )
    tag = max(earlier)[1]
    return tag, tags[tag]


def fetch(target: Target, repo_id: str, tag: str, commit: str, layout: Layout) -> int:
    """Keep what the release predicted, and of which rows; returns how many rows.

    Only ids, labels and the model's own predictions are kept. The note is written last. Raises PipelineError
    for a release that published no predictions.
    """
    evaluation = records.parse(_download(target, repo_id, commit, "reports/eval.json"))
    lines = _download(target, repo_id, commit, PREDICTIONS).split(b"\n")
    kept = [json.loads(line) for line in lines if line]
    layout.previous_note.unlink(missing_ok=True)
    own = ("id", "label", "model")
    records.write_lines(layout.previous_predictions, ({k: row[k] for k in own if k in row} for row in kept))
    note: dict[str, Any] = {"repo_id": repo_id, "version": tag[1:], "commit": commit}
    records.write(layout.previous_note, note | {name: evaluation[name] for name in _COMPARED})
    return len(kept)


def _download(target: Target, repo_id: str, commit: str, path: str) -> bytes:
    found = content_at(target, repo_id, commit, path)
    if found is None:
        raise PipelineError(f"{repo_id} at {commit} holds no {path}: there is nothing to compare with")
    return found
