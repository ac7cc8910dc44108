"""Which of our files a stage's code consists of: its import closure, read from the source, not run.

A file that a module reads from beside itself, as `Path(__file__).with_name("NAME")`, is code too.
"""

import ast
from pathlib import Path

from stages.core.files import digest, sha256

ROOTS = ("stages", "localhub")


def closure(module: Path, root: Path) -> list[Path]:
    """The file `module` and every file of ours that it, directly or not, imports or reads from beside itself.

    Sorted. Imports inside functions count. Empty `__init__.py` files do not: they hold no behaviour.
    """
    seen: set[Path] = set()
    todo = [module]
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += _used(file, root)
    return sorted(seen)


def code_digest(stage: str, root: Path) -> str:
    """One SHA-256 for the code closure of `stages/<stage>.py`; goes into the stage's record."""
    files = closure(root / f"stages/{stage}.py", root)
    return digest({f.relative_to(root).as_posix(): sha256(f) for f in files})


def _used(file: Path, root: Path) -> list[Path]:
    """The files of ours that a module uses itself; what is no module uses none."""
    if file.suffix != ".py":
        return []
    tree = ast.parse(file.read_bytes())
    return [f for name in _imports(tree) if (f := _file(name, root))] + _beside(tree, file)


def _beside(tree: ast.Module, file: Path) -> list[Path]:
    """The files that the module reads as `Path(__file__).with_name("NAME")`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 1]
    named = [call for call in calls if ast.unparse(call.func) == "Path(__file__).with_name"]
    return [file.with_name(ast.literal_eval(call.args[0])) for call in named]


def _imports(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ROOTS}


def _file(name: str, root: Path) -> Path | None:
    file = root / (name.replace(".", "/") + ".py")
    return file if file.is_file() else None
