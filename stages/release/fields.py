"""The front matter of a card on the Hub, brought together with the one that was generated, key by key.

Digests of what was generated stand in the card (see blocks.py): of a list one for each item, of `model-index`
one for each metric of each result. So a key, or an item, is the release's or somebody else's, and the former
as it was generated or edited. Somebody else's stay, as they are written; those of the release are replaced.

A result of model-index is told by its task, its data set with configuration and split, and its metric with
arguments, other than the interval. The revision of the data set is not part of it: a new one would otherwise
leave the old result standing beside the new. One with a `source` is always somebody else's.
"""

import copy
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from stages.core.errors import PipelineError
from stages.release.blocks import Digests
from stages.release.markdown import one_line

INDEX = "model-index"
_INTERVAL = ("confidence_interval", "confidence_level")

# Where params.yaml decides a key.
_PARAMS = {
    "language": "card.languages",
    "license": "card.license",
    "license_name": "card.license_name",
    "license_link": "card.license_link",
    "library_name": "method",
    "pipeline_tag": "card.pipeline_tag",
    "base_model": "base.repo_id",
    "base_model_relation": "method",
    "datasets": "data.source",
    "tags": "card.tags",
    "widget": "card.examples",
}


@dataclass(frozen=True)
class Front:
    """Front matter: its values by key, and the lines that each key is written in."""

    values: dict[str, Any]
    entries: dict[str, str]
    text: str


@dataclass(frozen=True)
class Fields:
    """Front matter brought together: its text, what of it is somebody else's, and what cannot be decided."""

    text: str
    kept: list[str]
    conflicts: list[str]


def read(text: str, name: str) -> Front:
    """Front matter without its `---`, of a file called `name`. Raises PipelineError for what is not such."""
    try:
        events = list(YAML(typ="rt").parse(text))
        node = YAML(typ="rt").compose(text)
        values = YAML(typ="safe", pure=True).load(text) or {}
    except YAMLError as error:
        raise PipelineError(f"{name}: its front matter is not YAML: {one_line(str(error), 200)}") from None
    if any(isinstance(event, AliasEvent) for event in events):
        raise PipelineError(f"{name}: its front matter has an alias (`*name`): write out what it stands for")
    if not values and (node is None or not isinstance(values, dict)):
        return Front({}, {}, text)
    if not isinstance(values, dict) or node.flow_style or not all(isinstance(key, str) for key in values):
        raise PipelineError(f"{name}: its front matter is not one key a line: write it so")
    starts = [key.start_mark.line for key, _ in node.value]
    lines = text.split("\n")
    ends = [*starts[1:], len(lines)]
    entries = (_entry(lines[start:end]) for start, end in zip(starts, ends, strict=True))
    return Front(values, dict(zip(values, entries, strict=True)), text)


def _entry(lines: list[str]) -> str:
    """The lines of a key, without comments and blank lines that precede the next one."""
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines = lines[:-1]
    return "\n".join(lines) + "\n"


def digests(text: str) -> Digests:
    """{key: the digest of each of its items} of front matter that was generated."""
    return {key: _digests(key, value) for key, value in read(text, "the card").values.items()}


def _digests(key: str, value: Any) -> list[str]:
    return [_digest(item) for item in items(key, value)]


def items(key: str, value: Any) -> list[Any]:
    """What of a key stands for itself: the items of a list, the metrics of a model-index, or the value."""
    if key == INDEX:
        return [item for _, _, item in _metrics(value)]
    return value if isinstance(value, list) else [value]


def _digest(value: Any) -> str:
    said = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _metrics(index: Any) -> Iterator[tuple[Any, int, Any]]:
    """Each metric of a model-index: the result that it stands in, its place there, and all that it says."""
    for result in (result for model in index for result in model["results"]):
        for place, metric in enumerate(result["metrics"]):
            yield result, place, {**{k: v for k, v in result.items() if k != "metrics"}, "metric": metric}


def _same_result(item: Any) -> str:
    """What tells a result from others (see above)."""
    task, data, metric = item["task"], item["dataset"], item["metric"]
    arguments = metric.get("args")
    if isinstance(arguments, dict):
        arguments = {key: value for key, value in arguments.items() if key not in _INTERVAL}
    named = [task.get("type"), *(data.get(key) for key in ("type", "config", "split"))]
    return _digest([*named, metric.get("type"), arguments or None])


def merge(ours: Front, theirs: Front, made: Digests | None, name: str) -> Fields:
    """`theirs`, of the card called `name`, with what a release generated replaced by `ours`.

    `made` is what the release on the Hub generated; None when it is not known, and then what differs from
    `ours` counts as an edit.
    """
    merged = Fields("", [], [])
    parts = []
    for key, entry in ours.entries.items():
        parts.append(entry + _added(key, ours, theirs, (made or {}).get(key), merged, name))
    for key, entry in theirs.entries.items():
        if key not in ours.entries:
            parts.append(_foreign(key, entry, theirs, (made or {}).get(key), merged, name))
    return Fields("".join(parts), merged.kept, merged.conflicts)


def _added(
    key: str, ours: Front, theirs: Front, known: Sequence[str] | None, merged: Fields, name: str
) -> str:
    """What somebody added to a key of ours, as lines to append; a conflict is noted in `merged`."""
    value = ours.values[key]
    if key not in theirs.values:
        if known is not None:
            merged.conflicts.append(f"{name}: {key} was taken out of its front matter: {_advice(key, value)}")
        return ""
    if not isinstance(value, list):
        if not _as_generated(key, theirs.values[key], value, known):
            said = f"{key} was changed by hand to {_shown(theirs.values[key])}"
            merged.conflicts.append(f"{name}: {said}, and is generated: {_advice(key, value)}")
        return ""
    return _added_items(key, value, theirs, known or [], merged, name)


def _as_generated(key: str, found: Any, value: Any, known: Sequence[str] | None) -> bool:
    found_as = _digests(key, found)
    return found_as == _digests(key, value) or found_as == known


def _added_items(
    key: str, value: list[Any], theirs: Front, known: Sequence[str], merged: Fields, name: str
) -> str:
    """`_added` for a list."""
    try:
        found = items(key, theirs.values[key])
        generated = {_digest(item) for item in items(key, value)}
        held = {_digest(item) for item in found}
        gone = [i for i in items(key, value) if _digest(i) in set(known) - held]
        places = [place for place, i in enumerate(found) if _digest(i) not in generated | set(known)]
        doubled = _doubled(items(key, value), [found[i] for i in places]) if key == INDEX else []
    except (LookupError, TypeError, AttributeError):
        raise PipelineError(f"{name}: {key} in its front matter is not what the Hub asks for") from None
    for item in doubled or gone:
        if doubled:
            said = f"{key} holds a result of ours that was changed by hand, {_shown(item)}"
            merged.conflicts.append(f"{name}: {said}: take it back there, or say who measured it (`source`)")
        else:
            said = f"{key} had {_shown(item)}, which was taken out by hand or changed"
            merged.conflicts.append(f"{name}: {said}: {_advice(key, value)}")
    if not places:
        return ""
    merged.kept.append(f"{key} (+{len(places)})")
    return _written(key, theirs, places)


def _doubled(ours: list[Any], added: list[Any]) -> list[Any]:
    """The results that pass for ours and are not."""
    known = {_same_result(item) for item in ours}
    return [item for item in added if not item.get("source") and _same_result(item) in known]


def _foreign(
    key: str, entry: str, theirs: Front, known: Sequence[str] | None, merged: Fields, name: str
) -> str:
    """What stays of a key that is not generated now."""
    if known is None:
        merged.kept.append(key)
        return entry
    value = theirs.values[key]
    places = [place for place, item in enumerate(items(key, value)) if _digest(item) not in known]
    if not places:
        return ""
    if not isinstance(value, list) or key == INDEX:
        said = f"{key} was changed by hand to {_shown(value)}"
        merged.conflicts.append(f"{name}: {said}, and is no longer generated: take it out there")
        return entry
    merged.kept.append(key)
    return f"{key}:\n{_written(key, theirs, places)}"


def _written(key: str, theirs: Front, places: Sequence[int]) -> str:
    """These items of theirs as YAML, with the quotes that they have."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10**6
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=2, offset=0)
    value = yaml.load(theirs.text)[key]
    if key == INDEX:
        chosen, indent = _results(value, set(places)), "  "
    else:
        chosen, indent = [items(key, value)[place] for place in places], ""
    stream = io.StringIO()
    yaml.dump(chosen, stream)
    lines = stream.getvalue().rstrip("\n").split("\n")
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)


def _results(index: Any, places: set[int]) -> list[Any]:
    """The results of a model-index, of their metrics only those at these places of all."""
    found: dict[int, Any] = {}
    for number, (result, place, _) in enumerate(_metrics(index)):
        if number in places:
            kept = found.setdefault(id(result), copy.copy(result))
            metrics = [] if kept["metrics"] is result["metrics"] else kept["metrics"]
            kept["metrics"] = [*metrics, result["metrics"][place]]
    return list(found.values())


def _advice(key: str, value: Any) -> str:
    where = f"change {_PARAMS[key]} in params.yaml, or " if key in _PARAMS else ""
    return f"{where}make it {_shown(value)} there again"


def _shown(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False, default=str), 120)
