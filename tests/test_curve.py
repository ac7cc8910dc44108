"""The curve stage, for real, on a tiny model."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages.core.layout import Layout
from stages.core.records import parse
from stages.curve import curve
from stages.training import fine_tuning
from tests import tiny

ON = {"enabled": True, "shares": [0.1, 0.3, 1.0], "seeds": 2}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared")
    tiny.write_base(Layout(root).base)
    tiny.write_prepared(Layout(root))
    shutil.copytree("stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def layout(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    shutil.copytree(prepared, tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    return Layout(Path("."))


def test_more_rows_teach_more_and_the_same_bytes_come_again(layout: Layout) -> None:
    params = tiny.write_params(layout.root, curve=ON, train={"num_train_epochs": 8})
    curve(params, layout)
    first = layout.curve_report.read_bytes()
    found = parse(first)
    means = [sum(p["validation"]) / 2 for p in found["points"]]
    assert [p["rows"] for p in found["points"]] == [19, 58, 192]
    assert means[0] < means[-1] > 0.8
    assert found["twice"]["rows"] == 384
    assert found["seeds"] == [7, 8]
    assert not list(layout.curve_checkpoints.iterdir())
    curve(params, layout)
    assert layout.curve_report.read_bytes() == first


def test_the_whole_of_the_rows_is_what_train_trains_on(layout: Layout) -> None:
    """With an evaluation each epoch the largest part's first seed is the train stage's own run."""
    from stages.train import train

    params = tiny.write_params(layout.root, curve=ON, train={"num_train_epochs": 8})
    curve(params, layout)
    train(params, layout)
    largest = parse(layout.curve_report.read_bytes())["points"][-1]
    best = parse(layout.train_report.read_bytes())["best"]
    assert largest["validation"][0] == best["value"]


def test_a_killed_curve_goes_on_where_it_was(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when a training is over, within an epoch of its part: nothing but checkpoints tells of it."""
    chosen = {"num_train_epochs": 4, "lr_scheduler_type": "constant"}
    shares = {**ON, "shares": [0.13, 0.37, 1.0]}  # 25 and 71 rows: 2 and 5 steps an epoch, of 48
    params = tiny.write_params(layout.root, curve=shares, train=chosen)
    curve(params, layout)
    whole = layout.curve_report.read_bytes()
    layout.curve_report.unlink()

    fit, trained = fine_tuning.fit, []

    def killed(*arguments: object) -> object:
        found = fit(*arguments)  # type: ignore[arg-type]
        trained.append(arguments)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(fine_tuning, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        curve(params, layout)
    assert not layout.curve_report.exists()
    curve(params, layout)
    assert len(trained) == 2 + 5  # six in all, of which the first was done
    assert layout.curve_report.read_bytes() == whole


def test_off_it_says_so_and_loads_nothing(layout: Layout) -> None:
    (layout.curve_checkpoints / "killed").mkdir(parents=True)
    tiny.write_params(layout.root)
    code = (
        "import runpy, sys; runpy.run_module('stages.curve', run_name='__main__');"
        "loaded = {'torch', 'numpy', 'transformers', 'scipy'} & sys.modules.keys();"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    env = {"PYTHONPATH": ".", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "curve: off (params.yaml: curve.enabled)\n"
    assert parse(layout.curve_report.read_bytes()) == {"enabled": False}
    assert not layout.curve_checkpoints.exists()
