"""The values that a row may hold: text, numbers, booleans and null, and lists of these.

A column that is asked for may be a field of an object, named by a dotted path: `translation.fr`.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stages.core.errors import PipelineError

Plain = str | int | float | bool | None
Value = Plain | list[Plain]


def row_values(given: Mapping[str, Any], needed: Collection[str], at: str) -> dict[str, Value]:
    """What a row holds of `given`, each value under its column or path.

    That are the plain values, those of the objects that `needed` paths lead into, and the lists that are
    `needed` themselves. A column whose own name has dots comes before a path. `at` begins the errors.
    """
    values: dict[str, Value] = {}
    for name, value in _leaves(given, needed, ""):
        if name in needed or isinstance(value, Plain):
            values.setdefault(name, _held(value, at, name))
    return values


def _leaves(given: Mapping[str, Any], needed: Collection[str], path: str) -> Iterator[tuple[str, Any]]:
    """Values by their paths: first those of this object, then those of objects that `needed` leads into."""
    inner = {}
    for key, value in given.items():
        if isinstance(value, dict) and path + key not in needed and leads_to(needed, path + key):
            inner[f"{path}{key}."] = value
        else:
            yield path + key, value
    for below, value in inner.items():
        yield from _leaves(value, needed, below)


def leads_to(needed: Collection[str], name: str) -> bool:
    """Whether one of the `needed` paths is one into the object `name`."""
    return any(path.startswith(f"{name}.") for path in needed)


def _held(value: Any, at: str, name: str) -> Value:
    if isinstance(value, list):
        return [plain(one, f"{at}: {name!r}, item {number}") for number, one in enumerate(value, 1)]
    if isinstance(value, dict):
        example = f", such as {name}.{next(iter(value))}" if value else ""
        raise PipelineError(f"{at}: {name!r} is an object: name one of its fields{example}")
    return plain(value, f"{at}: {name!r}")


def plain(value: Any, where: str) -> Plain:
    """`value` when it is plain; NaN, which is how pandas writes "missing", becomes null."""
    if isinstance(value, float):
        if math.isinf(value):
            raise PipelineError(f"{where}: is infinite: use a finite number or leave it empty")
        return None if math.isnan(value) else value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PipelineError(f"{where}: holds half a surrogate pair, which is no character") from None
        return value
    if value is None or isinstance(value, bool | int):
        return value
    raise PipelineError(f"{where}: is {type(value).__name__}: expected text, a number, true, false or null")


def readable_columns(schema: Any, needed: Collection[str], name: str) -> list[str]:
    """The columns of an Arrow schema that rows can hold, or that a `needed` path leads into.

    Others are left out; PipelineError when one of them is `needed` itself.
    """
    kept = []
    for field in schema:
        wanted = field.name in needed
        if _is_plain(field.type) or (wanted and _is_list(field.type)):
            kept.append(field.name)
        elif wanted:
            raise PipelineError(
                f"{name}: column {field.name!r} is of type {field.type}: expected text, numbers or booleans,"
                " or lists of these; a field of an object is named as in translation.en"
            )
        elif leads_to(needed, field.name):
            kept.append(field.name)
    if len(set(kept)) < len(kept):
        raise PipelineError(f"{name}: two columns have the same name: {', '.join(map(repr, kept))}")
    return kept


def _is_plain(kind: Any) -> bool:
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    tests = (
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_null,
    )
    return any(test(kind) for test in tests)


def _is_list(kind: Any) -> bool:
    import pyarrow.types as types

    tests = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view)
    return any(test(kind) for test in tests) and _is_plain(kind.value_type)
