"""The card's front matter: what the Hub reads.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from stages.core.records import Record
from stages.core.terms import of_model
from stages.release.formats import sentence
from stages.release.markdown import one_line
from stages.release.measured import TRAINING, emissions
from stages.release.traced import Call, Integer, MarkdownText, Source, Span, join, keeping, origin_of, spanned
from stages.release.wording import METRICS, TASKS

# The Hub and its client read YAML 1.1, where `no`, `on`, `1e5` and `12:30` are not strings: whatever is not
# plainly a word is quoted.
_WORD = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)
_NOT_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def front_matter(card: Record, hub: Record, known: Mapping[str, Record]) -> MarkdownText:
    """The YAML between two `---` lines, with the keys that apply and no others, from traced records."""
    data, train, evaluation = known["data"], known["train"], known["eval"]
    lora = train["method"] == "lora"
    names = evaluation["metrics"]
    source = data["source"]
    name = keeping(without_namespace)(hub["repo_id"])
    fields = {
        "language": card["languages"],
        "license": of_model(card, train["base"], data["source"]).id,
        "license_name": card["license_name"],
        "license_link": card["license_link"],
        "library_name": "peft" if lora else "transformers",
        "pipeline_tag": pipeline_tag(card, evaluation),
        "base_model": train["base"]["repo_id"],
        "base_model_relation": "adapter" if lora else "finetune",
        "datasets": [source["repo_id"]] if source["type"] == "hub" else None,
        "metrics": sorted({METRICS[name].hub_id for name in names}),
        "tags": list(dict.fromkeys([*card["tags"], *(["lora"] if lora else [])])),
        "co2_eq_emissions": emissions(known.get(TRAINING)),
        "widget": known["snippet"]["widget"],
        "model-index": [{"name": name, "results": [_result(card, source, evaluation)]}],
    }
    document = {key: value for key, value in fields.items() if value}
    text = _yaml(document)
    return join(["---\n", spanned(text, _spans(YAML(typ="rt").compose(text), document)), "---\n"])


def without_namespace(repo_id: str) -> str:
    """demo/tweets -> tweets."""
    return repo_id.split("/")[1]


def scalar(value: Any) -> str:
    """One value as the front matter writes it: `0.942`, `demo/base`, `"3.3.2"`."""
    return _yaml({"value": value}).removeprefix("value: ").rstrip("\n")


FORMATS = (one_line, scalar, without_namespace)


def _spans(node: Any, value: Any) -> Iterator[Span]:
    """The places of traced values: `node` is what YAML made of the text, `value` what was written."""
    if isinstance(value, dict):
        for (_, below), item in zip(node.value, value.values(), strict=True):
            yield from _spans(below, item)
    elif isinstance(value, list):
        for below, item in zip(node.value, value, strict=True):
            yield from _spans(below, item)
    elif isinstance(origin := origin_of(value), Source | Call):
        yield Span(node.start_mark.index, node.end_mark.index, Call("scalar", (origin,)))


def pipeline_tag(card: Record, evaluation: Record) -> str:
    """What the Hub files the model under: the task's, or what `card.pipeline_tag` says."""
    return card["pipeline_tag"] or TASKS[evaluation["task"]].pipeline_tag


def _result(card: Record, source: Record, evaluation: Record) -> Record:
    """One entry of model-index: every score on the test rows, the main one first."""
    task = TASKS[evaluation["task"]]
    measured = [name for name in METRICS if name in evaluation["metrics"]]
    scores, level = [], evaluation["bootstrap"]["confidence"]
    for name in sorted(measured, key=lambda name: name != evaluation["metric"]):
        metric, found = METRICS[name], evaluation["metrics"][name]
        interval = {"confidence_interval": [found["low"], found["high"]], "confidence_level": level}
        score = {"type": metric.hub_id, "value": found["value"], "name": sentence(metric.name)}
        scores.append(score | {"args": {**(metric.args or {}), **interval}})
    return {
        "task": {"type": pipeline_tag(card, evaluation), "name": task.name},
        "dataset": _dataset(card, source, evaluation),
        "metrics": scores,
    }


def _dataset(card: Record, source: Record, evaluation: Record) -> Record:
    """The test rows. `type` is a Hub id, or what stands for one: the package, or `local`."""
    described: Record = {"name": keeping(one_line)(card["data"]["name"], 200)}
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
    yaml.representer.add_representer(float, _float)
    stream = io.StringIO()
    yaml.dump(_quoted(document), stream)
    return stream.getvalue()


def _float(representer: Any, value: float) -> Any:
    """1e-06 as 1.0e-06: without the point YAML 1.1 reads a string."""
    mantissa, e, exponent = repr(value).partition("e")
    text = f"{mantissa}{'' if '.' in mantissa else '.0'}e{exponent}" if e else mantissa
    return representer.represent_scalar("tag:yaml.org,2002:float", text)


def _quoted(node: Any) -> Any:
    if isinstance(node, dict):
        return {one_line(key): _quoted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_quoted(value) for value in node]
    if not isinstance(node, str):  # ruamel knows Python's own numbers only
        return float(node) if isinstance(node, float) else int(node) if type(node) is Integer else node
    line = one_line(node)
    plain = _WORD.fullmatch(line) and line.lower() not in _NOT_WORDS
    return line if plain else DoubleQuotedScalarString(line)
