"""The architectures that the installed transformers knows, read from its source.

Importing its table takes seconds and pulls in torch; parsing two files with `ast` takes milliseconds.
"""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path

_FILES = ("models/auto/auto_mappings.py", "models/auto/configuration_auto.py")
_TABLE = "CONFIG_MAPPING_NAMES"


@functools.cache
def architectures() -> frozenset[str]:
    """Every `model_type` that `AutoConfig` takes; empty when transformers keeps its table elsewhere."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return frozenset()
    files = [Path(spec.origin).parent / file for file in _FILES]
    return frozenset(name for file in files if file.is_file() for name in _names(file))


def _names(file: Path) -> Iterator[str]:
    """The keys that this file's statements at module level put into the table, pair by pair."""
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        nodes = [*ast.walk(statement)] if isinstance(statement, ast.Assign | ast.Expr) else []
        if any(isinstance(node, ast.Name) and node.id == _TABLE for node in nodes):
            for key, value in (pair for node in nodes for pair in _pairs(node)):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                    yield str(key.value)


def _pairs(node: ast.AST) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    if isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values, strict=True)
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
        yield node.elts[0], node.elts[1]
