"""Whether what `data` says of the columns fits the data, and the kind of label that the task has."""

from collections.abc import Iterable, Sequence

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources.kinds import KINDS


def check_columns(columns: Sequence[str], data: Data, kind: Kind) -> None:
    """Raise PipelineError when a column that params name is not there, listing those that are.

    So it does for keys of `data` that mean nothing for the task's kind of label.
    """
    if problems := [*_useless(data, kind)]:
        raise PipelineError("\n".join(problems))
    labelled = bool(KINDS[kind].column)
    wanted = {key: name for key, name in data.columns.items() if labelled or key != "data.label"}
    there = ", ".join(map(repr, columns))
    missing = {key: name for key, name in wanted.items() if name not in columns}
    if missing:
        lines = [f"{key}: there is no column {name!r}; there are {there}" for key, name in missing.items()]
        raise PipelineError("\n".join(lines))


def _useless(data: Data, kind: Kind) -> Iterable[str]:
    given = {
        "pair": data.pair is not None,
        "label_rules": data.label_rules is not None,
        "label_map": data.label_map is not None,
        "label_separator": data.label_separator is not None,
        "tag_scheme": data.tag_scheme != "auto",
        "checks.label_errors": data.checks.label_errors != "off",
    }
    has = f"the labels of this task are {KINDS[kind].wording}"
    for key, is_given in given.items():
        if is_given and key not in KINDS[kind].keys:
            yield f"data.{key}: has no meaning here, {has}: take it out"
    if isinstance(data.label, list) and "label" not in KINDS[kind].keys:
        yield f"data.label: names several columns, but {has}: name one column"
    if data.label is None and KINDS[kind].column:
        yield f"data.label: {has}: name their column"
