"""The card's front matter: what the Hub reads.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from stages.core.records import Record
from stages.core.schema import Card, Hub
from stages.release.formats import sentence
from stages.release.markdown import one_line
from stages.release.wording import METRICS, TASKS

# The Hub and its client read YAML 1.1, where `no`, `on`, `1e5` and `12:30` are not strings: whatever is not
# plainly a word is quoted.
_WORD = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)
_NOT_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def front_matter(card: Card, hub: Hub, data: Record, train: Record, evaluation: Record) -> str:
    """The YAML between two `---` lines, with the keys that apply and no others."""
    lora = train["method"] == "lora"
    names = evaluation["metrics"]
    source = data["source"]
    known = {
        "language": card.languages,
        "license": card.license,
        "library_name": "peft" if lora else "transformers",
        "pipeline_tag": pipeline_tag(card, evaluation),
        "base_model": train["base"]["repo_id"],
        "base_model_relation": "adapter" if lora else "finetune",
        "datasets": [source["repo_id"]] if source["type"] == "hub" else None,
        "metrics": sorted({METRICS[name].hub_id for name in names}),
        "tags": list(dict.fromkeys([*card.tags, *(["lora"] if lora else [])])),
        "model-index": [{"name": hub.repo_id.split("/")[1], "results": [_result(card, source, evaluation)]}],
    }
    return f"---\n{_yaml({key: value for key, value in known.items() if value})}---\n"


def pipeline_tag(card: Card, evaluation: Record) -> str:
    """What the Hub files the model under: the task's, or what `card.pipeline_tag` says."""
    return card.pipeline_tag or TASKS[evaluation["task"]].pipeline_tag


def _result(card: Card, source: Record, evaluation: Record) -> Record:
    """One entry of model-index: every score on the test rows, the main one first."""
    task = TASKS[evaluation["task"]]
    measured = [name for name in METRICS if name in evaluation["metrics"]]
    scores = []
    for name in sorted(measured, key=lambda name: name != evaluation["metric"]):
        metric, value = METRICS[name], evaluation["metrics"][name]["value"]
        score = {"type": metric.hub_id, "value": value, "name": sentence(metric.name)}
        scores.append(score | ({"args": metric.args} if metric.args else {}))
    return {
        "task": {"type": pipeline_tag(card, evaluation), "name": task.name},
        "dataset": _dataset(card, source, evaluation),
        "metrics": scores,
    }


def _dataset(card: Card, source: Record, evaluation: Record) -> Record:
    """The test rows. `type` is a Hub id, or what stands for one: the package, or `local`."""
    described: Record = {"name": one_line(card.data.name, 200)}
    if source["type"] == "hub":
        split = source.get("splits", {}).get("test")
        described |= {"type": source["repo_id"], "config": source.get("config"), "split": split}
        described |= {"revision": source.get("commit") or source.get("revision")}
    elif source["type"] == "pypi":
        described |= {"type": source["package"], "split": "test"}
        described |= {"revision": source["version"]}
    else:
        described |= {"type": "local", "split": "test"}
    described["args"] = {"test_rows": evaluation["test"]["rows"], "test_sha256": evaluation["test"]["sha256"]}
    return {key: value for key, value in described.items() if value is not None}


def _yaml(document: Record) -> str:
    yaml = YAML(typ="rt")
    yaml.width = 10**6  # never fold a line
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=2, offset=0)
    stream = io.StringIO()
    yaml.dump(_quoted(document), stream)
    return stream.getvalue()


def _quoted(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _quoted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_quoted(value) for value in node]
    if not isinstance(node, str):
        return node
    line = one_line(node)
    plain = _WORD.fullmatch(line) and line.lower() not in _NOT_WORDS
    return line if plain else DoubleQuotedScalarString(line)
