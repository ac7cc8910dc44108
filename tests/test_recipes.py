"""Every recipe, from its data to a release on the embedded Hub, used from there by its card's snippet.

The ids that it names are on a Hub of the tests, as tiny real models of the right architecture and data sets
of the right shape (tests/world.py); its schedule is shortened, all else is as it stands.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

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
# Runs stages in repositories, each time in a fork of a process that has imported the libraries already.
RUNNER = """
import importlib, json, os, sys, traceback
from pathlib import Path
import datasets, peft, torch, transformers
from transformers import Trainer, pipeline

def run(root, stages):
    os.chdir(root)
    from stages.core import params
    from stages.core.layout import Layout
    given = params.load(Path("params.yaml"))
    for name in stages:
        getattr(importlib.import_module(f"stages.{name}"), name)(given, Layout(Path(".")))

for line in sys.stdin:
    root, *stages = json.loads(line)
    child = os.fork()
    if child == 0:
        said = os.open(f"{root}/said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        status = 1
        try:
            run(root, stages)
            status = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
RECIPES = sorted(p.stem for p in (ROOT / "recipes").glob("*.yaml"))
# push runs the card's snippet on the staged release and holds what it prints against the record. For a
# recipe of each way to load it is run once more here, on what is released, under its tag.
USED = {"imdb-distilbert", "ner-camembert", "translation-en-fr", "demo-lora", "generation-gpt2"}


class World(NamedTuple):
    """A Hub and a registry with all that recipes name (commits, or SHA-256, by name); a runner of stages."""

    folder: Path
    commits: dict[str, str]
    environment: dict[str, str]
    runner: subprocess.Popen[str]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    index = folder / "index"
    index.mkdir()
    digests = world.packages(index)
    with world.running(folder) as (server, commits):
        environment = os.environ | registry.environment(index)
        environment |= {
            "HF_ENDPOINT": server.url,
            "HF_TOKEN": server.token,
            "HF_HOME": str(folder / "home"),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-c", RUNNER]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as runner:
            yield World(folder, commits | digests, environment, runner)


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


def run(root: Path, hub: World) -> str:
    """Every stage; what push printed."""
    assert hub.runner.stdin is not None and hub.runner.stdout is not None
    print(json.dumps([str(root), *STAGES]), file=hub.runner.stdin, flush=True)
    assert hub.runner.stdout.readline() == "0\n", (root / "said.txt").read_text()[-4000:]
    push = [sys.executable, "-m", "stages.push"]
    done = subprocess.run(push, cwd=root, env=hub.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def used(layout: Layout, folder: Path) -> str:
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
    recipe: str, hub: World, tmp_path: Path
) -> None:
    released_and_used(recipe, {}, hub, tmp_path)


def released_and_used(recipe: str, changes: dict[str, Any], hub: World, folder: Path) -> None:
    """All stages, with these changes of the recipe, and the snippet of what was released."""
    commits = hub.commits
    root = folder / "repo"
    root.mkdir()
    layout = repository(root)
    if recipe == "pretrain-then-finetune-2":
        commits = commits | {"me/camembert-domain": _pretrained(hub, folder)}
    if recipe == "text-classification":
        changes = {"base": {"repo_id": "google-bert/bert-base-uncased"}}
    document = written(root, recipe, commits, changes)
    said = run(root, hub)
    assert "reloaded in a clean process" in said
    evaluation = records.read(layout.eval_report, "evaluate")
    assert evaluation["metric"] in evaluation["metrics"]
    assert list(evaluation["baselines"]) == sorted(document["baselines"]["models"])
    assert records.read(layout.receipt, "push")["tag"] == "v0.1.0"
    assert ("](figures/curve.png)" in layout.card.read_text()) == document["curve"]["enabled"]
    answer = records.read(layout.snippet_report, "snippet")["printed"]
    if recipe in USED:
        answer = used(layout, folder)
    # Tiny models may find no entity and write no word; all others have to answer.
    silent = {"tags", "text"}
    assert answer.strip() or TASK_TYPES[document["task"]["type"]].label in silent


def _pretrained(hub: World, folder: Path) -> str:
    """The first half of the chain: raw French text, masked language modelling, a release, its commit."""
    root = folder / "first"
    root.mkdir()
    layout = repository(root)
    document = written(root, "pretrain-then-finetune-1", hub.commits, {})
    run(root, hub)
    repo_id = document["hub"]["repo_id"]
    # As a person would who serves one Hub for both: the release, on the Hub that fetch reads.
    return mirror.add(hub.folder / "hub", repo_id, layout.trained, "the first half")
