"""Every recipe, from its data to a release on the embedded Hub, used from there by its card's snippet.

The ids that it names are on a Hub of the tests, as tiny real models of the right architecture and data sets
of the right shape (tests/world.py); its schedule is shortened, all else is as it stands.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from localhub import launch, mirror
from stages.core import records
from stages.core.layout import Layout
from stages.core.tasks import TASK_TYPES
from tests import world
from tests.sources import registry

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")]
ROOT = Path(__file__).parents[1]
STAGES = ("fetch", "prepare", "baselines", "train", "evaluate", "curve", "snippet", "card")
RUN = """
import importlib, sys
from pathlib import Path
from stages.core import params
from stages.core.layout import Layout
given = params.load(Path("params.yaml"))
for name in sys.argv[1:]:
    getattr(importlib.import_module(f"stages.{name}"), name)(given, Layout(Path(".")))
"""
RECIPES = sorted(p.stem for p in (ROOT / "recipes").glob("*.yaml"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[launch.Server, dict[str, str], Path]]:
    """A Hub and a registry of packages that hold all that recipes name; commits, or SHA-256, by name."""
    folder = tmp_path_factory.mktemp("world")
    index = folder / "index"
    index.mkdir()
    digests = world.packages(index)
    with world.running(folder) as (server, commits), pytest.MonkeyPatch.context() as patch:
        for name, value in registry.environment(index).items():
            patch.setenv(name, value)
        yield server, commits | digests, folder


def written(root: Path, recipe: str, commits: dict[str, str], changes: dict[str, Any]) -> Any:
    """params.yaml from a recipe: pinned, and with a schedule for rows by the dozen."""
    document = YAML(typ="safe").load((ROOT / f"recipes/{recipe}.yaml").read_text())
    for section, values in changes.items():
        document[section] = {**document[section], **values} if isinstance(values, dict) else values
    base, source = document["base"], document["data"]["source"]
    if "package" in base:
        base["package"]["sha256"] = commits[base["package"]["package"]]
    else:
        base["revision"] = commits[base["repo_id"]]
    if source["type"] == "hub":
        source["revision"] = commits[source["repo_id"]]
    elif source["type"] == "pypi":
        source["sha256"] = commits[source["package"]]
    document["data"]["split"] = {"validation": 0.15, "test": 0.15}
    steps = {"eval_steps": 4} if document["train"]["eval_strategy"] == "steps" else {}
    document["train"] |= {"num_train_epochs": 2, "logging_steps": 2, "warmup_steps": 2, **steps}
    document["baselines"]["train"] = {"num_train_epochs": 1}
    document["task"]["max_length"] = 32
    document["task"].pop("stride", None)
    document["task"] |= {"max_target_length": 24} if "max_target_length" in document["task"] else {}
    document["evaluate"]["resamples"] = 100
    document["curve"] = {"enabled": not changes, "shares": [0.3, 0.6, 1.0], "seeds": 1}
    document["compute"] = {"threads": 1, "precision": "fp32"}
    document["runtime"]["progress"] = False
    with (root / "params.yaml").open("w") as file:
        YAML(typ="safe").dump(document, file)
    return document


def repository(root: Path) -> Layout:
    layout = Layout(root)
    for name in ("stages", "localhub"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "model_cards/templates", layout.templates)
    world.write_raw(layout.raw)
    return layout


def run(root: Path, server: launch.Server, *stages: str) -> str:
    env = os.environ | {"HF_ENDPOINT": server.url, "HF_TOKEN": server.token, "HF_HOME": str(root / "home")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *stages], cwd=root, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def used(layout: Layout, repo_id: str, base: str, folder: Path) -> str:
    """What the card's snippet prints, in a process that knows the release's Hub and nothing else."""
    snippet = layout.card.read_text().split("```python\n")[1].split("```")[0]
    with launch.running(layout.hub) as server:
        env = os.environ | {"HF_ENDPOINT": server.url, "HF_TOKEN": server.token, "HF_HOME": str(folder / "h")}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", snippet],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, snippet + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_ends_in_a_release_that_its_card_tells_how_to_use(
    recipe: str, hub: tuple[launch.Server, dict[str, str], Path], tmp_path: Path
) -> None:
    released_and_used(recipe, {}, hub, tmp_path)


def released_and_used(
    recipe: str, changes: dict[str, Any], hub: tuple[launch.Server, dict[str, str], Path], folder: Path
) -> None:
    """All stages, with these changes of the recipe, and the snippet of what was released."""
    server, commits, _ = hub
    root = folder / "repo"
    root.mkdir()
    layout = repository(root)
    if recipe == "pretrain-then-finetune-2":
        commits = commits | {"me/camembert-domain": _pretrained(hub, folder)}
    if recipe == "text-classification":
        changes = {"base": {"repo_id": "google-bert/bert-base-uncased"}}
    document = written(root, recipe, commits, changes)
    run(root, server, *STAGES)
    said = run(root, server, "push")
    assert "reloaded in a clean process" in said
    evaluation = records.read(layout.eval_report, "evaluate")
    assert evaluation["metric"] in evaluation["metrics"]
    assert list(evaluation["baselines"]) == sorted(document["baselines"]["models"])
    assert records.read(layout.receipt, "push")["tag"] == "v0.1.0"
    assert ("](figures/curve.png)" in layout.card.read_text()) == document["curve"]["enabled"]
    answer = used(layout, document["hub"]["repo_id"], document["base"]["repo_id"], folder)
    # Tiny models may find no entity and write no word; all others have to answer.
    silent = {"tags", "text"}
    assert answer.strip() or TASK_TYPES[document["task"]["type"]].label in silent


def _pretrained(hub: tuple[launch.Server, dict[str, str], Path], folder: Path) -> str:
    """The first half of the chain: raw French text, masked language modelling, a release, its commit."""
    server, commits, world_folder = hub
    root = folder / "first"
    root.mkdir()
    layout = repository(root)
    document = written(root, "pretrain-then-finetune-1", commits, {})
    run(root, server, *STAGES)
    run(root, server, "push")
    repo_id = document["hub"]["repo_id"]
    # As a person would who serves one Hub for both: the release, on the Hub that fetch reads.
    return mirror.add(world_folder / "hub", repo_id, layout.trained, "the first half")
