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
# Keys that are declared alone by a stage that reads nothing else of their section: another title makes no
# other figure.
ALONE = {"card.language"}
# What stages read that is code, and what is data: by their folders.
CODE = ("stages/", "localhub/")
# What each stage writes, by its names in Layout.
WRITES = {
    "fetch": ["source", "base"],
    "prepare": ["prepared", "slices", "data_report"],
    "baselines": ["baselines", "baselines_report"],
    "train": ["trained", "train_report", "history"],
    "evaluate": [
        "predictions",
        "published",
        "mistakes",
        "eval_report",
        "scores",
        "breakdown_plot",
        "calibration_plot",
        "ladder_plot",
        "loss_plot",
        "results_plot",
        "slices_plot",
    ],
    "curve": ["curve_report"],
    "snippet": ["snippet_report"],
    "card": ["card", "card_sources", "curve_plot"],
    "push": [],
}


def tree(stage: str) -> ast.Module:
    return ast.parse((ROOT / f"stages/{stage}.py").read_text())


def names(entries: list[Any]) -> list[str]:
    """Paths of a dvc.yaml list, whose entries are paths or one-key mappings."""
    return [next(iter(e)) if isinstance(e, dict) else e for e in entries]


def code(stage: str) -> list[str]:
    """The files of ours that a stage's code consists of."""
    return [f.relative_to(ROOT).as_posix() for f in closure(ROOT / f"stages/{stage}.py", ROOT)]


def paths(stage: str) -> set[str]:
    """The names in Layout that the stage's code mentions."""
    nodes = [n for f in code(stage) if f.endswith(".py") for n in ast.walk(ast.parse((ROOT / f).read_text()))]
    reads = [n for n in nodes if isinstance(n, ast.Attribute)]
    return {n.attr for n in reads if isinstance(n.value, ast.Name) and n.value.id == "layout"}


def sections(stage: str) -> list[str]:
    """The sections of params.yaml that a stage declares; of ALONE, the keys."""
    return sorted(declared(tree(stage)) - UNDECLARED)


def declared(module: ast.Module) -> set[str]:
    """The sections that a module reads off `params`; of one that is not read for more, the key in ALONE."""
    reads = [n for n in ast.walk(module) if isinstance(n, ast.Attribute)]
    whole = [n for n in reads if isinstance(n.value, ast.Name) and n.value.id == "params"]
    keys = {id(n.value): f"{n.value.attr}.{n.attr}" for n in reads if isinstance(n.value, ast.Attribute)}
    found = {(n.attr, keys.get(id(n))) for n in whole}
    sections = {section for section, key in found if key not in ALONE}
    return sections | {key for section, key in found if key in ALONE and section not in sections}


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_import_closure(stage: str) -> None:
    assert [dep for dep in names(STAGES[stage]["deps"]) if dep.startswith(CODE)] == code(stage)


def test_files_read_from_beside_a_module_are_code() -> None:
    for stage in ("evaluate", "card"):
        assert "stages/evidence/figures.mplstyle" in code(stage)
    assert "stages/evidence/figures.mplstyle" not in code("train")


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_the_sections_read(stage: str) -> None:
    assert STAGES[stage]["params"] == sections(stage)


def test_a_key_is_declared_alone_only_where_nothing_else_of_its_section_is_read() -> None:
    for source, expected in {
        "f(params.card.language)": {"card.language"},
        "f(params.card.language, params.card)": {"card"},
        "f(params.card.language, params.card.title)": {"card"},
        "f(params.task.kind.label, params.seed)": {"task", "seed"},
    }.items():
        assert declared(ast.parse(source)) == expected


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
    assert set(WRITES[stage]) <= paths(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_inputs_are_written_by_an_earlier_stage_or_kept_in_git(stage: str) -> None:
    made: set[str] = set()
    for name, entry in STAGES.items():
        if name == stage:
            break
        made |= {p for kind in ("outs", "metrics", "plots") for p in names(entry.get(kind, []))}
    data = {dep for dep in names(STAGES[stage]["deps"]) if not dep.startswith(CODE)}
    folders = ("data/raw", "data/previous", "model_cards/templates", "model_cards/prose", "reports/measured")
    kept = {dep for dep in data if dep.startswith(folders)}
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
        entry["deps"] = [dep for dep in entry["deps"] if not dep.startswith(CODE)] + code(stage)
        entry["params"] = sections(stage)
    yaml.dump(document, path)


if __name__ == "__main__":
    write()
