"""dvc.yaml says what the code does: checked against the source, so that a forgotten line fails here.

`python -m tests.test_dvc_yaml` writes the code and parameter lists of every stage anew.
"""

import ast
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.core.closure import closure
from stages.core.layout import Layout

ROOT = Path(__file__).parents[1]
STAGES: dict[str, dict[str, Any]] = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
# Sections that change no result: declaring them would rerun a stage for nothing.
UNDECLARED = {"runtime"}
# What each stage writes, by its names in Layout.
WRITES = {
    "fetch": ["source", "base"],
    "prepare": ["prepared", "data_report"],
    "baselines": ["baselines", "baselines_report"],
    "train": ["trained", "train_report", "history"],
    "evaluate": ["predictions", "eval_report", "breakdown_plot", "ladder_plot", "loss_plot", "results_plot"],
    "curve": ["curve_report"],
    "card": ["card", "curve_plot"],
    "push": [],
}


def tree(stage: str) -> ast.Module:
    return ast.parse((ROOT / f"stages/{stage}.py").read_text())


def names(entries: list[Any]) -> list[str]:
    """Paths of a dvc.yaml list, whose entries are paths or one-key mappings."""
    return [next(iter(e)) if isinstance(e, dict) else e for e in entries]


def attributes(stage: str, of: str) -> set[str]:
    """The attributes that the stage's module reads off the name `of`."""
    return {
        node.attr
        for node in ast.walk(tree(stage))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == of
    }


def code(stage: str) -> list[str]:
    """The files of ours that a stage's code consists of."""
    return [f.relative_to(ROOT).as_posix() for f in closure(ROOT / f"stages/{stage}.py", ROOT)]


def sections(stage: str) -> list[str]:
    """The sections of params.yaml that a stage declares."""
    return sorted(attributes(stage, "params") - UNDECLARED)


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_import_closure(stage: str) -> None:
    assert [dep for dep in names(STAGES[stage]["deps"]) if dep.endswith(".py")] == code(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_the_sections_read(stage: str) -> None:
    assert STAGES[stage]["params"] == sections(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_never_handed_on_whole(stage: str) -> None:
    """Otherwise the sections read could not be told from the stage's source."""
    module = tree(stage)
    read_off = {id(n.value) for n in ast.walk(module) if isinstance(n, ast.Attribute)}
    whole = [n for n in ast.walk(module) if isinstance(n, ast.Name) and n.id == "params"]
    assert [n.lineno for n in whole if id(n) not in read_off] == []


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_are_those_of_the_layout(stage: str) -> None:
    entry = STAGES[stage]
    declared = [path for kind in ("outs", "metrics", "plots") for path in names(entry.get(kind, []))]
    layout = Layout(Path("."))
    assert sorted(declared) == sorted(getattr(layout, name).as_posix() for name in WRITES[stage])
    assert set(WRITES[stage]) <= attributes(stage, "layout")


@pytest.mark.parametrize("stage", STAGES)
def test_inputs_are_written_by_an_earlier_stage_or_kept_in_git(stage: str) -> None:
    made: set[str] = set()
    for name, entry in STAGES.items():
        if name == stage:
            break
        made |= {p for kind in ("outs", "metrics", "plots") for p in names(entry.get(kind, []))}
    data = {dep for dep in names(STAGES[stage]["deps"]) if not dep.endswith(".py")}
    kept = {dep for dep in data if dep == "data/raw" or dep.startswith("model_cards/templates")}
    assert data - kept <= made
    for dep in kept:
        assert (ROOT / dep).exists()


@pytest.mark.parametrize("stage", STAGES)
def test_stages_are_plain(stage: str) -> None:
    entry = STAGES[stage]
    assert entry["cmd"] == f"exec python -m stages.{stage}"
    assert entry["desc"]
    assert not {"wdir", "vars", "frozen", "foreach", "matrix"} & entry.keys()
    assert ("always_changed" in entry) == (stage == "push")
    assert "data/raw" not in [p for kind in ("outs", "metrics", "plots") for p in names(entry.get(kind, []))]
    assert "data/source" not in names(entry["deps"]) or stage == "prepare"


def test_reports_are_kept_in_git_without_losing_the_run_cache() -> None:
    """A plain `outs: {cache: false}` switches DVC's run cache off for its stage: only for the fast card."""
    for stage, entry in STAGES.items():
        for kind in ("outs", "metrics", "plots"):
            for out in entry.get(kind, []):
                settings = next(iter(out.values())) if isinstance(out, dict) else {}
                assert "persist" not in settings
                uncached = settings.get("cache") is False
                assert uncached == (kind != "outs" or stage == "card")


@pytest.mark.parametrize("stage", ["prepare", "baselines", "train", "curve"])
def test_what_is_learned_knows_nothing_of_what_is_published(stage: str) -> None:
    rooms = {f.relative_to(ROOT).parts[:2] for f in closure(ROOT / f"stages/{stage}.py", ROOT)}
    assert not {("stages", "evidence"), ("stages", "release")} & rooms
    assert "localhub" not in {room[0] for room in rooms}


def test_a_stage_imports_no_other_stage() -> None:
    for stage in STAGES:
        others = {f"stages.{name}" for name in STAGES} - {f"stages.{stage}"}
        for node in ast.walk(tree(stage)):
            imported = (
                {node.module}
                if isinstance(node, ast.ImportFrom)
                else {a.name for a in node.names}
                if isinstance(node, ast.Import)
                else set()
            )
            assert not imported & others


def test_packages_hold_no_behaviour() -> None:
    """The closure leaves `__init__.py` out, so they have to be empty."""
    for package in ("stages", "localhub"):
        for file in (ROOT / package).rglob("__init__.py"):
            assert not file.read_text().strip(), file


def write() -> None:
    """Bring dvc.yaml in line with the code; comments and all else stay as they are."""
    yaml = YAML()
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    path = ROOT / "dvc.yaml"
    document = yaml.load(path.read_text())
    for stage, entry in document["stages"].items():
        entry["deps"] = [dep for dep in entry["deps"] if not dep.endswith(".py")] + code(stage)
        entry["params"] = sections(stage)
    yaml.dump(document, path)


if __name__ == "__main__":
    write()
