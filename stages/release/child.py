"""Reload a staged release in a clean process: what a stranger's machine would get, before anyone sees it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.release import receipt
from stages.release.edition import Edition
from stages.release.endpoint import PROXIES, Target
from stages.release.wording import TASKS

Base = dict[str, Any] | None
Reloading = Callable[[Target, Edition, Layout, Base, str], str]

# Besides these the process gets the Hub's address, the token and an empty HF_HOME; nothing personal.
_INHERITED = (
    "PATH",
    "LD_LIBRARY_PATH",
    "LANG",
    "TMPDIR",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "HF_HUB_DISABLE_XET",
    "NO_PROXY",
    "no_proxy",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)


def reload(target: Target, edition: Edition, layout: Layout, base: Base, commit: str) -> str:
    """Download `commit`, load it, predict the test rows, compare; returns what was found, for the reader.

    `base` says where an adapter's base model is: {"repo_id", "revision"} on the same Hub, or {"folder"}.
    Raises PipelineError when anything differs.
    """
    asked = {
        "repo_id": edition.repo_id,
        "revision": commit,
        "files": receipt.digests(edition.content),
        "base": base,
        "snippet_base": [edition.train["base"]["repo_id"], edition.train["base"]["revision"]],
        "method": edition.train["method"],
        "task": edition.evaluation["task"],
        "settings": edition.train["task"],
        "labels": edition.evaluation["outputs"],
        "pipeline": TASKS[edition.evaluation["task"]].pipeline,
        "test": str(layout.split("test").resolve()),
        "test_sha256": edition.evaluation["test"]["sha256"],
        "predictions": str(layout.predictions.resolve()),
        "snippet": {"code": edition.snippet["snippet"], "printed": edition.snippet["printed"]},
        "tag": edition.tag,
        "threads": edition.train["threads"],
    }
    with tempfile.TemporaryDirectory(prefix="parution-reload-") as home:
        done = subprocess.run(
            [os.path.abspath(sys.executable), "-m", "stages.release.reload"],  # relative by a relative PATH
            input=json.dumps(asked),
            env=_environment(target, home),
            # A folder named like the repository would otherwise be taken for it.
            cwd=home,
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        said = done.stderr.strip().replace(target.token or "\0", "***")
        raise PipelineError(f"the staged release does not reload: {_why(done.returncode, said)}")
    return done.stdout.strip().splitlines()[-1]


def _why(status: int, said: str) -> str:
    """The process's own error; what nobody foresaw is shown whole, and told apart by its status."""
    last = said.splitlines()[-1] if said else "it said nothing"
    if status == 1 and last.startswith("error: "):
        return last.removeprefix("error: ")
    if said:
        print(said, file=sys.stderr, flush=True)
    return f"it ended with status {status}: {last}"


def _environment(target: Target, home: str) -> dict[str, str]:
    code = Path(__file__).resolve().parents[2]
    inherited = _INHERITED if target.loopback else (*_INHERITED, *PROXIES)
    return {name: os.environ[name] for name in inherited if name in os.environ} | {
        "HOME": home,
        "HF_HOME": f"{home}/hf",
        "HF_ENDPOINT": target.url,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(code),
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        **({"HF_TOKEN": target.token} if target.token else {}),
    }
