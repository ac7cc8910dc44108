"""Benchmarks of the Hub: data sets whose eval.yaml names tasks that models are scored on.

Specification: https://github.com/huggingface/hub-docs/blob/main/docs/hub/eval-results.md
"""

import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.core.errors import PipelineError
from stages.core.records import Record

_LARGEST = 1 << 16  # characters of an eval.yaml
_MOST = 200  # tasks
_NAME = re.compile(r"[A-Za-z0-9_][\w./-]{0,99}", re.ASCII)


def tasks_of(text: str) -> list[Record]:
    """The tasks of an eval.yaml: `id`, and `config` and `split` of the rows where it names them.

    Empty for a text that is none: it is somebody else's, and no error of the user.
    """
    try:
        document = YAML(typ="safe", pure=True).load(text) if len(text) <= _LARGEST else None
    except (YAMLError, ValueError, TypeError, RecursionError):
        return []
    listed = document.get("tasks") if isinstance(document, dict) else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    found = [{key: row[key] for key in ("id", "config", "split") if _is_name(row.get(key))} for row in rows]
    return [row for row in found if "id" in row][:_MOST]


def chosen(task: str, source: Mapping[str, Any]) -> Record:
    """The task `card.benchmark`, of the tasks that fetch recorded of the data set.

    Raises PipelineError when it is none of them, or when our test rows are not those that it is scored on.
    """
    tasks: list[Record] = source.get("benchmark") or []
    found = next((row for row in tasks if row["id"] == task), None)
    if found is None:
        there = ", ".join(row["id"] for row in tasks)
        has = f"its eval.yaml has {there}" if there else "it has no eval.yaml with tasks: take the key out"
        raise PipelineError(f"params.yaml: card.benchmark: {source['repo_id']} has no task {task!r}; {has}")
    for key, ours in (("split", source["splits"].get("test")), ("config", source.get("config"))):
        wanted = found.get(key)
        if wanted and wanted != ours and (key == "split" or ours is not None):
            place = "splits.test" if key == "split" else "config"
            raise PipelineError(
                f"params.yaml: data.source.{place}: is {ours}, and the benchmark {task} is scored on"
                f" {wanted}: set that, or take card.benchmark out"
            )
    return found


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
