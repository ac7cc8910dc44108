"""The labels of all rows, in the order of a model's outputs."""

from collections import Counter
from collections.abc import Sequence

from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources.kinds import KINDS
from stages.sources.labels import check_name, label_text
from stages.sources.rows import Row

_SHOWN = 10


def ordered_labels(rows: Sequence[Row], given: list[str] | None, kind: Kind) -> list[str]:
    """The labels as `task.labels` has them, else O first and the others sorted; [] where they are no names.

    Raises PipelineError for labels of the data that `given` lacks, and when there is nothing to learn.
    """
    names = KINDS[kind].names
    counts = Counter(name for row in rows for name in set(names(row)))
    given = given and [label_text(label) for label in given]
    for label in given or []:
        check_name(label, "params.yaml: task.labels")
    if given is not None and (unknown := sorted(counts.keys() - set(given))):
        first = {label: next(row.at for row in rows if label in names(row)) for label in unknown[:_SHOWN]}
        listed = [f"{label!r} ({counts[label]} rows, first at {first[label]})" for label in unknown[:_SHOWN]]
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise PipelineError(
            f"task.labels: the data has labels that it does not name: {', '.join(listed)}{more};"
            " add them, or take task.labels out to use whatever labels there are"
        )
    if not rows:
        raise PipelineError("no row is left: all were rejected, for the reasons above")
    KINDS[kind].check(rows)
    return given if given is not None else sorted(counts, key=lambda name: (name != KINDS[kind].first, name))
