"""Fetch what the last release predicted of its test rows, so that the next one can be compared with it.

Reads   the Hub; params: hub
Writes  data/previous/release.json, data/previous/predictions.jsonl
Run     make previous   (or: python -m stages.previous)
"""

from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.release.endpoint import opened
from stages.release.previous import fetch, last_before


def previous(params: Params, layout: Layout) -> None:
    """Find the newest release below hub.version, and keep its predictions."""
    hub = params.hub
    with opened(hub.endpoint, layout.hub) as target:
        tag, commit = last_before(target, hub.repo_id, hub.version)
        rows = fetch(target, hub.repo_id, tag, commit, layout)
    say(
        "previous",
        f"{hub.repo_id} {tag}, commit {commit}: {rows} predictions in {layout.previous_note.parent}",
    )
    say("previous", "`dvc repro` now compares with it, if the test rows are the same; commit data/previous")


if __name__ == "__main__":
    run(previous, offline=False)
