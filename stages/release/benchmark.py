"""The result on a benchmark of the Hub, as `.eval_results/NAME.yaml` of a release.

Specification: https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml. It has no place for an
interval or a number of rows, so that they stand in the notes. No date, which would change the bytes (the Hub
takes the commit's), and no token: nobody but us ran this.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from stages.core.benchmarks import chosen
from stages.core.layout import Layout
from stages.core.records import Record
from stages.core.schema import Hub
from stages.release.contents import LocalFile
from stages.release.edition import Edition


def with_result(edition: Edition, task: str | None, hub: Hub, layout: Layout) -> Edition:
    """The edition with the file of its result on the benchmark's `task`; as it is without one.

    To be called where huggingface_hub may be imported: after the endpoint is set. Raises PipelineError when
    the data set has no such task, or the test rows are not its.
    """
    if task is None:
        return edition
    source = edition.data["source"]
    chosen(task, source)
    address = None if hub.endpoint == "embedded" else f"{hub.endpoint}/{hub.repo_id}"
    data = rendered(task, source, edition.evaluation, address).encode()
    path = f".eval_results/{source['repo_id'].rpartition('/')[2]}.yaml"
    made = LocalFile(path, layout.eval_report, len(data), hashlib.sha256(data).hexdigest(), data)
    return replace(edition, content=dict(sorted({**edition.content, path: made}.items())))


def rendered(task: str, source: Record, evaluation: Record, address: str | None) -> str:
    """The YAML of the main score, on the scale of its record. `address`: where the model is published."""
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    entry = EvalResultEntry(
        dataset_id=source["repo_id"],
        task_id=task,
        value=evaluation["metrics"][evaluation["metric"]]["value"],
        dataset_revision=source["commit"],
        source_url=address,
        source_name="Model card and records" if address else None,
        notes=_notes(evaluation),
    )
    yaml = YAML(typ="rt")
    yaml.width = 10**6  # never fold a line
    stream = io.StringIO()
    yaml.dump(_quoted(eval_result_entries_to_yaml([entry])), stream)
    return stream.getvalue()


def _notes(evaluation: Mapping[str, Any]) -> str:
    name, level = evaluation["metric"], evaluation["bootstrap"]["confidence"]
    found = evaluation["metrics"][name]
    interval = f"{100 * level:g} % interval {found['low']:.4g} to {found['high']:.4g}"
    return f"{name}, {interval}, n = {found['n']}; fine-tuned on this data set"


def _quoted(node: Any) -> Any:
    """The Hub reads YAML 1.1, in which digests and words such as `no` may be something else than strings."""
    if isinstance(node, dict):
        return {key: _quoted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_quoted(value) for value in node]
    return DoubleQuotedScalarString(node) if isinstance(node, str) else node
