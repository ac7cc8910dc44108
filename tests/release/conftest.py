"""One edition, and one server for each module's tests; every test has its own copy and repository."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest
from huggingface_hub import HfApi

from localhub import launch
from stages.core.layout import Layout
from stages.core.schema import Hub
from stages.push import deliver
from stages.release.edition import Edition, gather
from stages.release.endpoint import Target
from tests.release import shelf


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition, full method; copy it before changing anything."""
    root = tmp_path_factory.mktemp("made") / "work"
    root.mkdir()
    shelf.make(root)
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.Server]:
    with launch.running(tmp_path_factory.mktemp("hub") / ".hub") as live:
        yield live


def not_reloaded(*_: object) -> str:
    """Stands where the reload is not what is tested."""
    return "not reloaded"


@dataclass
class Desk:
    """One checkout that publishes to one repository; `lines` is what it was told."""

    layout: Layout
    target: Target
    hub: Hub
    lines: list[str] = field(default_factory=list)

    @property
    def api(self) -> HfApi:
        return HfApi(endpoint=self.target.url, token=self.target.token or False)

    def edition(self) -> Edition:
        return gather(self.layout, self.hub)

    def write(self, version: str = "0.1.0", more: str = "") -> None:
        """Another card, so other content; `more` is what tells two contents of one version apart."""
        self.hub = self.hub.model_copy(update={"version": version})
        shelf.card(self.layout, version, self.hub.repo_id, more)

    def deliver(
        self,
        reload: Callable[..., str] = not_reloaded,
        tell: Callable[[str], None] | None = None,
        edition: Edition | None = None,
    ) -> str | None:
        def both(line: str) -> None:
            self.lines.append(line)
            if tell:
                tell(line)

        self.lines.clear()
        return deliver(self.target, edition or self.edition(), self.hub, self.layout, both, reload)

    def said(self) -> str:
        return "\n".join(self.lines)

    def main(self) -> str:
        return str(self.api.model_info(self.hub.repo_id).sha)

    def tags(self) -> dict[str, str]:
        return {t.name: t.target_commit for t in self.api.list_repo_refs(self.hub.repo_id).tags}

    def files(self) -> set[str]:
        return set(self.api.list_repo_files(self.hub.repo_id)) - {".gitattributes"}

    def text(self, path: str, revision: str = "main") -> str:
        with tempfile.TemporaryDirectory() as cache:
            file = self.api.hf_hub_download(self.hub.repo_id, path, revision=revision, cache_dir=cache)
            return Path(file).read_text()

    def put(self, path: str, text: str, **options: object) -> str:
        """A commit by somebody at a keyboard."""
        done = self.api.upload_file(
            path_or_fileobj=text.encode(), path_in_repo=path, repo_id=self.hub.repo_id, **options
        )
        return str(done.oid)

    def open_requests(self) -> list[str]:
        found = self.api.get_repo_discussions(self.hub.repo_id, discussion_status="open")
        return [request.title for request in found]

    def shared(self, **hub: object) -> "Desk":
        """The same repository under the rules of a Hub that is shared with people."""
        url = self.target.url
        return replace(
            self,
            target=Target(url, url, self.target.token, loopback=False),
            hub=self.hub.model_copy(update={"publish": True, "private": False, **hub}),
            lines=[],
        )


@pytest.fixture
def desk(made: Path, server: launch.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A loopback Hub, a repository that does not exist yet."""
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    return open_desk(made, tmp_path / "desk", server, f"tests/m{uuid4().hex[:10]}")


def open_desk(made: Path, root: Path, server: launch.Server, repo_id: str) -> Desk:
    shutil.copytree(made, root)
    target = Target(server.url, server.url, server.token, loopback=True)
    found = Desk(Layout(root), target, Hub(repo_id=repo_id, version="0.1.0", endpoint=server.url))
    found.write()
    return found


@pytest.fixture
def shared(desk: Desk) -> Desk:
    """A Hub that is not one's own, everything committed."""
    shelf.commit_all(desk.layout.root)
    return desk.shared()
