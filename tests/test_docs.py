"""What the documents say exists, exists; what exists is documented."""

import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from stages.core.params import load
from stages.core.schema import Params

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs/params.md").read_text()


def models(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in models(part)]


def keys(model: type[BaseModel]) -> set[str]:
    """The last names of all keys below `model`."""
    inner = [keys(m) for field in model.model_fields.values() for m in models(field.annotation)]
    return set(model.model_fields).union(*inner)


def test_every_parameter_is_in_the_reference() -> None:
    named = set(re.findall(r"`(?:\w+\.)*(\w+)`", REFERENCE)) | set(re.findall(r"^## (.*)$", REFERENCE, re.M))
    headings = " ".join(re.findall(r"^## (.*)$", REFERENCE, re.M)).split()
    assert keys(Params) - named - set(headings) - {"type", "citation"} == set()


@pytest.mark.parametrize(
    "path", ["params.yaml", *(f"recipes/{p.name}" for p in (ROOT / "recipes").iterdir())]
)
def test_shipped_parameters_load(path: str) -> None:
    load(ROOT / path)


def test_the_demos_recipe_is_what_params_yaml_is_at_first() -> None:
    def text(path: str) -> str:
        return (ROOT / path).read_text().partition("\nseed:")[2]

    if load(ROOT / "params.yaml").hub.repo_id.startswith("demo/"):  # until somebody makes it theirs
        assert text("recipes/demo.yaml") == text("params.yaml")


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    texts = README + REFERENCE + (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`make ([a-z-]+)", texts)) | set(re.findall(r"^make ([a-z-]+)", texts, re.M))
    assert named <= targets
    assert {"demo", "test"} <= named


def test_make_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"make ([a-z-]+)", said)) == set(phony.group(1).split())


def test_links_to_files_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", document.read_text()):
            path = next(filter(None, target))
            assert (document.parent / path).exists(), f"{document.name}: {path}"
