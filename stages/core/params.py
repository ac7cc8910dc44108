"""Read params.yaml: all mistakes at once, each with its line, its key and what was probably meant.

YAML 1.2 by ruamel.yaml, as DVC reads it: `1e-5` is a number and `no` is a label.
"""

import difflib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError

from stages.core import trainer_fields
from stages.core.errors import PipelineError, without_credentials
from stages.core.schema import Params

_LARGEST = 1 << 20  # bytes; a params.yaml beyond this is not one
_SHOWN = 200  # characters of a wrong value
_MOST = 100_000  # values; aliases of aliases let a short file stand for billions

Key = str | int


def load(path: Path) -> Params:
    """The checked parameters. Raises PipelineError with one line a mistake."""
    try:
        document = _parse(path)
        plain = _plain(document, itertools.count(1))
    except RecursionError:
        raise PipelineError(f"{path.name}: nested too deeply for a parameter file") from None
    try:
        return Params.model_validate(plain)
    except ValidationError as error:
        lines = sorted(set(_lines(error, document)))
        raise PipelineError("\n".join(f"{path.name}:{number}: {text}" for number, text in lines)) from None


def _parse(path: Path) -> Any:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise PipelineError(f"{path.name} is missing: run this from the folder that holds it") from None
    if len(data) > _LARGEST:
        raise PipelineError(f"{path.name}: {len(data)} bytes is too large for a parameter file")
    try:
        return _load(data.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PipelineError(f"{path.name}:{line}: not UTF-8: save the file as UTF-8") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PipelineError(f"{path.name}:{line}: not valid YAML: {error.problem or error.context}") from None
    except ReaderError as error:
        line = data.decode("utf-8-sig")[: error.position].count("\n") + 1
        code = f"U+{error.character:04X}"
        raise PipelineError(
            f"{path.name}:{line}: not valid YAML: the character {code} is not allowed"
        ) from None
    except YAMLError as error:
        raise PipelineError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from None


def _load(text: str, name: str) -> Any:
    """The document. A number or date that Python refuses is told by its line, which ruamel does not say."""
    try:
        return YAML(typ="rt").load(text)
    except ValueError as error:
        why = str(error).partition(":")[0]
        raise PipelineError(f"{name}:{_unreadable(text)}: not a number or a date: {why}") from None


def _unreadable(text: str) -> int:
    """The line of the first value of the document that cannot be made one of Python's."""
    yaml = YAML(typ="rt")
    for node in _scalars(yaml.compose(text), set()):
        try:
            yaml.constructor.construct_object(node)
        except ValueError:
            return int(node.start_mark.line) + 1
    return 1


def _scalars(node: Any, seen: set[int]) -> Iterator[ScalarNode]:
    """The plain values below a YAML node in their order, those that aliases repeat only once."""
    if isinstance(node, tuple):  # a key and its value
        for part in node:
            yield from _scalars(part, seen)
    elif id(node) not in seen:
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            yield node
        else:
            yield from _scalars(tuple(node.value), seen)


def _plain(node: Any, count: Iterator[int]) -> Any:
    """ruamel's round-trip nodes as Python's own types, which is what pydantic's strict mode asks for."""
    if next(count) > _MOST:
        raise PipelineError(f"params.yaml: more than {_MOST} values is too many for a parameter file")
    if isinstance(node, dict):
        return {key: _plain(value, count) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, count) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)


def _lines(error: ValidationError, document: Any) -> list[tuple[int, str]]:
    found = []
    for item in error.errors():
        keys = _keys(item["loc"], document)
        if keys[-1:] == ["train"] and "\0" in item["msg"]:
            for problem in item["msg"].removeprefix("Value error, ").split("\1"):
                name, text = problem.split("\0")
                known = [
                    f
                    for f in (*trainer_fields.OURS, *trainer_fields.fields())
                    if trainer_fields.owner(f) is None
                ]
                hint = _hint(name, known) if "is not a field" in text else ""
                found.append(_line(document, [*keys, name], text, hint))
        elif item["type"] == "extra_forbidden":
            hint = _hint(str(keys[-1]), _siblings(keys))
            found.append(_line(document, keys, "no such key", hint))
        else:
            found.append(_line(document, keys, _wording(item), ""))
    return found


def _line(document: Any, keys: list[Key], text: str, hint: str) -> tuple[int, str]:
    value = _value(document, keys)
    got = "" if isinstance(value, dict | list) or value is _ABSENT else f" (got {_shown(value)})"
    place = f"{'.'.join(map(str, keys))}: " if keys else ""
    return _line_number(document, keys), f"{place}{text}{got}{hint}"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"
    text = without_credentials(text, mark="***@")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_ABSENT = object()


def _value(document: Any, keys: list[Key]) -> Any:
    for key in keys:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return _plain(document, itertools.count(1))


def _line_number(document: Any, keys: list[Key]) -> int:
    """The line of the last key of the path that the document has; its parent's when the key is missing."""
    line = 1
    for key in keys:
        try:
            mark = document.lc.data[key]
            line = mark[0] + 1
            document = document[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line


def _keys(location: tuple[Key, ...], document: Any) -> list[Key]:
    """pydantic's location without the names it adds for union members and discriminators."""
    keys: list[Key] = []
    last = len(location) - 1
    for position, key in enumerate(location):
        within = _value(document, keys)
        if isinstance(within, dict) and key not in within and position != last:
            continue
        if isinstance(within, list) and not isinstance(key, int):
            continue
        if within is not _ABSENT and not isinstance(within, dict | list):
            continue
        keys.append("(key)" if key == "[key]" else key)
    return keys


def _wording(item: Any) -> str:
    if item["type"] == "missing":
        return "is required"
    if item["type"] == "union_tag_not_found":
        return "`type` is required: one of files, hub, pypi"
    if item["type"] == "union_tag_invalid":
        return f"`type` should be one of files, hub, pypi, not {item['ctx']['tag']!r}"
    if item["type"] in ("model_type", "dict_type"):
        return "should be a mapping, one `key: value` a line"
    if item["type"] == "string_type" and isinstance(item["input"], int | float):
        return "should be text: put it in quotes"
    if item["type"] == "string_pattern_mismatch":
        return "should match " + str(item["ctx"]["pattern"])
    text: str = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return text[0].lower() + text[1:] if text else text


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f". Did you mean {close[0]}?" if close else f". Known here: {', '.join(sorted(known)[:14])}"


def _siblings(keys: list[Key]) -> list[str]:
    """The field names that the schema knows beside the last of `keys`."""
    models: list[Any] = [Params]
    for key in keys[:-1]:
        kinds = [m.model_fields[str(key)].annotation for m in models if str(key) in m.model_fields]
        models = [m for kind in kinds for m in _models(kind)]
    return sorted({name for model in models for name in model.model_fields})


def _models(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in _models(part)]
