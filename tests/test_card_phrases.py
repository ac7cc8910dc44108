"""All that stages say in English in their records has a translation: found by reading their source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.release.languages import LANGUAGES
from stages.sources import personal

ROOT = Path(__file__).parents[1]
OTHERS = sorted(LANGUAGES.keys() - {"en"})


def spoken() -> Iterator[str]:
    """All that stages write into records for readers, `{}` for what is put in."""
    sources, training = ROOT / "stages/sources", ROOT / "stages/training"
    for name in ("clean", "labels"):  # reasons for leaving rows out
        yield from _constants(sources / f"{name}.py", r"[A-Z]+(_[A-Z]+)*")
    for file in sources.glob("*.py"):  # what was done to texts and tags
        yield from _said_by(file, r"_?sentences")
    for file in training.glob("*.py"):
        yield from _described(file)
    yield from _constants(training / "untouched.py", "DESCRIPTION")
    yield from personal._KINDS
    yield from _yielded(sources / "damage.py")
    yield from _said_by(ROOT / "stages/evidence/slices.py", "_verdict")
    yield from _under(ROOT / "stages/evidence/slices.py", "verdict")


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that make up an expression, each f-string as one."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif not isinstance(node, ast.Compare | ast.Subscript):
        for below in ast.iter_child_nodes(node):
            yield from _texts(below)


def _nodes(file: Path, *kinds: type[ast.AST]) -> Iterator[Any]:
    return (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds))


def _constants(file: Path, names: str) -> Iterator[str]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            target = node.targets[0]
            if isinstance(target, ast.Name) and re.fullmatch(names, target.id):
                yield from _texts(node.value)


def _said_by(file: Path, name: str) -> Iterator[str]:
    """The texts in a function, but for its docstring."""
    for function in _nodes(file, ast.FunctionDef):
        if re.fullmatch(name, function.name):
            for statement in function.body[1:] if ast.get_docstring(function) else function.body:
                yield from (text for text in _texts(statement) if re.search("[a-z] |^[a-z]+$", text))


def _under(file: Path, key: str) -> Iterator[str]:
    """The texts under this key in the dictionaries that are written out in a file."""
    for node in _nodes(file, ast.Dict):
        for name, value in zip(node.keys, node.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key:
                yield from _texts(value)


def _described(file: Path) -> Iterator[str]:
    yield from _under(file, "description")
    for node in _nodes(file, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in ("description", "_DESCRIPTIONS"):
            values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
            for value in values:
                yield from _texts(value)


def _yielded(file: Path) -> Iterator[str]:
    for node in _nodes(file, ast.Yield):
        yield from _texts(node.value)


def test_what_is_spoken_is_found() -> None:
    found = set(spoken())
    assert {
        "no label rule takes it",
        "duplicate",
        "Line ends are LF.",
        "Tags are rewritten from {} to IOB2.",
        "the first {} words of the source text",
        "an LSTM network on word embeddings, trained from nothing",
        "each token by its frequency among the training tokens, whatever stands around it",
        "the model that was fine-tuned, as it was before",
        "mojibake",
        "email",
        "no difference shown",
        "worse",
        "too few",
        "nothing to score",
    } <= found
    assert len(found) > 45


@pytest.mark.parametrize("language", OTHERS)
def test_all_that_records_say_is_translated(language: str) -> None:
    phrases = LANGUAGES[language].words.phrases
    assert set(spoken()) - phrases.keys() == set()
    assert phrases.keys() - set(spoken()) <= {"processor", "device"}  # of the environment
    for text, meant in phrases.items():
        assert text.count("{}") == meant.count("{}")
