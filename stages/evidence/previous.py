"""The release before this one, as `make previous` left it in data/previous: may it be compared with?"""

from collections.abc import Sequence

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.records import Record
from stages.evidence.predicting import Asked
from stages.evidence.published import Said, read

_ADVICE = "run `make previous` again, or delete the file to compare with no release"


def previous(layout: Layout, asked: Asked, task: str, said: Sequence[Record]) -> tuple[Record, Said | None]:
    """Which release it was, and what it predicted of the rows `asked`; nothing where there is no note.

    A release that cannot be compared with is named, with `compared` false and `because`, and gives no
    predictions. It was scored on other `rows`, or did another `task`, or has other `labels`, or its language
    model cuts texts into other `tokens` than this one, which answers `said`. Raises PipelineError for files
    that do not belong together.
    """
    if not layout.previous_note.exists():
        return {}, None
    release = records.read(layout.previous_note, "previous")
    facts = {key: release[key] for key in ("repo_id", "version", "commit", "model", "test")}
    mine = {"rows": asked.sha256, "task": task, "labels": asked.labels}
    its = {"rows": release["test"]["sha256"], "task": release["task"], "labels": release["labels"]}
    if other := next((key for key in mine if mine[key] != its[key]), None):
        return facts | {"compared": False, "because": other}, None
    before = read(layout.previous_predictions)
    if before.ids != asked.ids:
        raise PipelineError(
            f"{layout.previous_predictions} is not about the rows that {layout.previous_note} names:"
            f" {_ADVICE}"
        )
    if any(one.get("tokens") != other.get("tokens") for one, other in zip(said, before.model, strict=True)):
        return facts | {"compared": False, "because": "tokens"}, None
    return facts | {"compared": True}, before.model
