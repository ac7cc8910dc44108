"""Run the card's snippet as a stranger would: in a clean process that finds a release and nothing else.

The process reads a cache of the Hub that is made here and holds the release under its name and tag (and an
adapter's base under its own), offline. So the very code that the card shows is run, before there is a Hub.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.sections import COMMIT_SHA

# What the process inherits; nothing personal.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "OMP_WAIT_POLICY")
_COMMIT = "0" * 40
# What transformers asks for and a repository need not have: offline it has to be told so.
_LOOKED_FOR = ("adapter_config.json", "config.json", "generation_config.json")

# Runs the code that it reads, and writes what that printed and `answers`, where the code has such.
_RUNNER = """
import contextlib, io, json, sys
code, printed, names = sys.stdin.read(), io.StringIO(), {}
with contextlib.redirect_stdout(printed):
    exec(compile(code, "<the snippet of the card>", "exec"), names)
json.dump({"printed": printed.getvalue(), "answers": names.get("answers")}, sys.stdout)
"""


@dataclass(frozen=True)
class Repository:
    """A folder as a repository of the Hub; `revision` is how the snippet asks for it (None: main)."""

    repo_id: str
    revision: str | None
    folder: Path


def rehearse(code: str, repositories: Sequence[Repository], threads: int) -> Record:
    """What the code prints, and its `answers`. Raises PipelineError for a snippet that does not run."""
    with tempfile.TemporaryDirectory(prefix="parution-snippet-") as home:
        for repository in repositories:
            _cached(Path(home) / "hub", repository)
        done = subprocess.run(
            [os.path.abspath(sys.executable), "-c", _RUNNER],  # which a relative PATH leaves relative
            input=code,
            env=_environment(home, threads),
            cwd=home,
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        print(done.stderr, file=sys.stderr, flush=True)
        raise PipelineError(f"the snippet of the card does not run: {said[-1] if said else done.returncode}")
    found: Record = json.loads(done.stdout)
    return found


def _cached(cache: Path, repository: Repository) -> None:
    """The folder where huggingface_hub keeps what it has downloaded: refs, and snapshots by commit."""
    where = cache / f"models--{repository.repo_id.replace('/', '--')}"
    wanted = repository.revision or "main"
    pinned = COMMIT_SHA.fullmatch(wanted)
    commit = wanted if pinned else _COMMIT
    if not pinned:
        (where / "refs").mkdir(parents=True)
        (where / "refs" / wanted).write_text(commit)
    (where / "snapshots").mkdir(parents=True)
    (where / "snapshots" / commit).symlink_to(repository.folder.resolve(), target_is_directory=True)
    for name in _LOOKED_FOR:
        if not (repository.folder / name).exists():
            (where / ".no_exist" / commit).mkdir(parents=True, exist_ok=True)
            (where / ".no_exist" / commit / name).touch()


def _environment(home: str, threads: int) -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "HOME": home,
        "HF_HOME": home,
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONWARNINGS": "ignore",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
    }
