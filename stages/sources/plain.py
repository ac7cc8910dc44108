"""The values that a row may hold: text, numbers, booleans and null."""

import math
from collections.abc import Collection
from typing import Any

from stages.core.errors import PipelineError

Plain = str | int | float | bool | None


def plain(value: Any, where: str) -> Plain:
    """`value` when a JSON Lines file can hold it; NaN, which is how pandas writes "missing", becomes null.

    `where` begins the error of a value that it cannot hold.
    """
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


def plain_columns(schema: Any, needed: Collection[str], name: str) -> list[str]:
    """The columns of an Arrow schema that rows can hold. Others are left out, unless they are `needed`."""
    import pyarrow.types as types

    kinds = (
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_null,
    )
    kept = []
    for field in schema:
        kind = field.type.value_type if types.is_dictionary(field.type) else field.type
        if any(test(kind) for test in kinds):
            kept.append(field.name)
        elif field.name in needed:
            raise PipelineError(
                f"{name}: column {field.name!r} is of type {field.type}: expected text, numbers or booleans"
            )
    if len(set(kept)) < len(kept):
        raise PipelineError(f"{name}: two columns have the same name: {', '.join(map(repr, kept))}")
    return kept
