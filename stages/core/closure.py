"""Which of our files a stage's code consists of: its import closure, read from the source, not run."""

import ast
from pathlib import Path

from stages.core.files import digest, sha256

ROOTS = ("stages", "localhub")


def closure(module: Path, root: Path) -> list[Path]:
    """The file `module` and every file of ours that it imports, directly or not, sorted.

    Imports inside functions count. Empty `__init__.py` files do not: they hold no behaviour.
    """
    seen: set[Path] = set()
    todo = [module]
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += [f for name in _imports(file) if (f := _file(name, root))]
    return sorted(seen)


def code_digest(stage: str, root: Path) -> str:
    """One SHA-256 for the code closure of `stages/<stage>.py`; goes into the stage's record."""
    files = closure(root / f"stages/{stage}.py", root)
    return digest({f.relative_to(root).as_posix(): sha256(f) for f in files})


def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ROOTS}


def _file(name: str, root: Path) -> Path | None:
    file = root / (name.replace(".", "/") + ".py")
    return file if file.is_file() else None
