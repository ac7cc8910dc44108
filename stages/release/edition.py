"""An edition: the files of one version of the model, and the records that vouch for them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import digest
from stages.core.layout import Layout
from stages.core.records import Record
from stages.core.schema import Hub
from stages.release.agreement import agree, card_agrees, snippet_agrees
from stages.release.contents import Content, collect

# What decides how a model comes about. dvc.lock is not among them: DVC writes it during the run.
_CODE = ("constraints.txt", "dvc.yaml", "localhub", "model_cards/templates", "params.yaml", "stages")


@dataclass(frozen=True)
class Edition:
    """What is to be published, under which name and version. `code_commit` is None for uncommitted code."""

    repo_id: str
    version: str
    content: Content
    data: Record
    train: Record
    evaluation: Record
    snippet: Record
    code_commit: str | None

    @property
    def tag(self) -> str:
        """The tag of the release on the Hub."""
        return f"v{self.version}"

    @property
    def title(self) -> str:
        """Of the release's commit and pull request."""
        return f"Release {self.tag}"


def gather(layout: Layout, hub: Hub) -> Edition:
    """Read the records, collect the files, and make sure that they belong together.

    Raises PipelineError naming the stage to run again.
    """
    data = records.read(layout.data_report, "prepare")
    train = records.read(layout.train_report, "train")
    evaluation = records.read(layout.eval_report, "evaluate")
    snippet = records.read(layout.snippet_report, "snippet")
    content = collect(layout, train["method"])
    _is_the_trained_one(layout, content, train)
    agree(data, train, evaluation)
    snippet_agrees(train, snippet)
    sidecar = records.read(layout.card_sources, "card")
    card_agrees(sidecar, {path: file.sha256 for path, file in content.items()}, train["model"]["sha256"])
    _names_this_version(layout.card, hub)
    if train["base"]["repo_id"].lower() == hub.repo_id.lower():
        raise PipelineError(f"hub.repo_id: {hub.repo_id} is the base model's own name: choose another")
    commit = head(layout.root) if not uncommitted(layout.root) else None
    return Edition(hub.repo_id, hub.version, content, data, train, evaluation, snippet, commit)


def _is_the_trained_one(layout: Layout, content: Content, train: Record) -> None:
    model = {path: f.sha256 for path, f in content.items() if f.source.is_relative_to(layout.trained)}
    if digest(model) != train["model"]["sha256"]:
        raise PipelineError(
            f"{layout.trained} is not the model that {layout.train_report} describes: run `dvc repro train`"
        )


def _names_this_version(card: Path, hub: Hub) -> None:
    text = card.read_text(encoding="utf-8")
    for name in (hub.repo_id, f"v{hub.version}"):
        if name not in text:
            raise PipelineError(f"{card} does not name {name}: run `dvc repro card`")


def head(root: Path) -> str | None:
    """The commit that is checked out, or None without one (or without Git)."""
    return _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")


def uncommitted(root: Path) -> list[str]:
    """Files of code, dvc.yaml and params.yaml that differ from HEAD or are unknown to Git, sorted."""
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *_CODE)
    return sorted(line[3:] for line in (changed or "").splitlines())


def _git(root: Path, *arguments: str) -> str | None:
    # `git status` would otherwise write its index, beside a DVC or an editor that may hold it.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\n")
