"""The rules of a Hub that is shared with people; localhub plays it, reached as if it were not loopback."""

import socket
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from localhub import launch
from stages.core import records
from stages.core.errors import PipelineError
from stages.plan import preview
from stages.release.answers import Unreachable
from stages.release.endpoint import Target
from tests.release import shelf
from tests.release.conftest import Desk, open_desk


def with_token(desk: Desk, token: str | None) -> Desk:
    return replace(desk, target=replace(desk.target, token=token), lines=[])


def somewhere_else(desk: Desk) -> Desk:
    """The same desk, facing a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    return replace(desk, target=Target(desk.target.name, url, None, loopback=False), lines=[])


def test_it_is_only_planned_until_publish_is_true(shared: Desk) -> None:
    desk = shared.shared(publish=False)
    assert desk.deliver() is None
    assert "NOT PUBLISHED: set hub.publish: true in params.yaml" in desk.said()
    assert not desk.api.repo_exists(desk.hub.repo_id)
    assert not desk.layout.receipt.exists()


def test_a_new_repository_is_private_unless_told_otherwise(shared: Desk) -> None:
    desk = shared.shared(private=True)
    desk.deliver()
    assert desk.api.model_info(desk.hub.repo_id).private
    assert f"created {desk.hub.repo_id} (private)" in desk.said()


def test_ones_own_hub_is_public_to_oneself(desk: Desk) -> None:
    desk.deliver()
    assert not desk.api.model_info(desk.hub.repo_id).private


def test_a_released_version_is_never_changed(shared: Desk) -> None:
    first = shared.deliver()
    shared.write(more="B")
    with pytest.raises(PipelineError, match=r"never changed: set hub\.version: 0\.1\.1$"):
        shared.deliver()
    assert shared.tags() == {"v0.1.0": first} == {"v0.1.0": shared.main()}
    shared.write("0.1.1", "B")
    second = shared.deliver()
    assert shared.tags() == {"v0.1.0": first, "v0.1.1": second}


def test_a_b_a_ends_released_and_leaves_main_at_the_later_release(shared: Desk) -> None:
    first = shared.deliver()
    shared.write("0.1.1", "B")
    second = shared.deliver()
    shared.write("0.1.0")
    preview(shared.target, shared.edition(), shared.hub, shared.layout, shared.lines.append)
    assert "already released; main holds a later release, v0.1.1, and stays as it is" in shared.said()
    assert "would be refused" not in shared.said()
    assert shared.deliver() == first
    assert "main holds a later release, v0.1.1, and stays as it is" in shared.said()
    assert shared.main() == second
    assert shelf.receipt(shared.layout)["commit"] == first
    shared.write("0.1.2", "C")
    shared.deliver()
    assert shared.main() == shared.tags()["v0.1.2"]


def test_equal_content_needs_no_token(shared: Desk) -> None:
    commit = shared.deliver()
    shared.layout.receipt.unlink()
    desk = with_token(shared, None)
    assert desk.deliver() == commit
    assert "already released" in desk.said()
    assert shelf.receipt(desk.layout)["commit"] == commit


def test_other_content_without_a_token_is_not_published(shared: Desk) -> None:
    before = shared.deliver()
    receipt = shared.layout.receipt.read_bytes()
    shared.write("0.1.1", "B")
    desk = with_token(shared, None)
    assert desk.deliver() is None
    assert "NOT PUBLISHED: there is no token: set HF_TOKEN or run `hf auth login`" in desk.said()
    assert shared.main() == before
    assert shared.layout.receipt.read_bytes() == receipt


def test_a_private_release_cannot_be_seen_without_a_token(shared: Desk) -> None:
    desk = shared.shared(private=True)
    desk.deliver()
    stranger = with_token(desk, None)
    assert stranger.deliver() is None
    assert "says it is released; if so, it cannot be seen from here" in stranger.said()


@pytest.mark.parametrize("released", [False, True])
def test_a_wrong_token_is_one_line_without_the_token(shared: Desk, released: bool) -> None:
    if released:
        shared.deliver()
    desk = with_token(shared, "hf_wrongwrongwrongwrongwrongwrongwrong")
    with pytest.raises(PipelineError, match="does not take the token") as caught:
        desk.deliver()
    assert "\n" not in str(caught.value)
    assert "wrongwrong" not in str(caught.value) + desk.said()


def test_a_hub_out_of_reach_is_a_warning_when_the_receipt_holds_this_content(shared: Desk) -> None:
    shared.deliver()
    desk = somewhere_else(shared)
    assert desk.deliver() is None
    assert desk.said().startswith(f"warning: {desk.target.url} cannot be reached")
    assert "is released as v0.1.0" in desk.said()


def test_a_hub_out_of_reach_is_an_error_otherwise(shared: Desk) -> None:
    shared.deliver()
    shared.write(more="B")
    with pytest.raises(Unreachable, match="cannot be reached"):
        somewhere_else(shared).deliver()


class Page(BaseHTTPRequestHandler):
    """A web server that is no Hub."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        pass


def test_what_is_no_hub_is_said_in_one_line(shared: Desk) -> None:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        desk = replace(shared, target=replace(shared.target, url=url))
        with pytest.raises(PipelineError, match=f"^{url} does not answer as a Hub does"):
            desk.deliver()
        server.shutdown()


def test_an_experiment_is_only_planned(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.deliver()
    receipt = desk.layout.receipt.read_bytes()
    desk.write(more="B")
    monkeypatch.setenv("DVC_EXP_NAME", "dusky-lamb")
    assert desk.deliver() is None
    assert "NOT PUBLISHED: an experiment is not published: `dvc exp apply dusky-lamb`" in desk.said()
    assert (desk.main(), desk.layout.receipt.read_bytes()) == (first, receipt)
    desk.write()
    desk.layout.receipt.unlink()
    assert desk.deliver() == first  # released already; and still no receipt from inside an experiment
    assert not desk.layout.receipt.exists()
    monkeypatch.delenv("DVC_EXP_NAME")
    desk.write(more="B")  # `dvc exp apply`
    desk.deliver()
    assert desk.text("README.md", "v0.1.0").endswith("B")


def test_base_and_data_have_to_be_pinned(shared: Desk) -> None:
    layout = shared.layout
    train = records.read(layout.train_report, "train")
    records.write(layout.train_report, train | {"base": train["base"] | {"revision": "main"}})
    data = records.read(layout.data_report, "prepare")
    source = {"type": "hub", "repo_id": "some/rows", "revision": None}
    records.write(layout.data_report, data | {"source": source})
    shelf.sign(layout)
    with pytest.raises(PipelineError) as caught:
        shared.deliver()
    assert str(caught.value).splitlines() == [
        "base.revision of tests/tiny-bert is not pinned: run `make pin`, commit, and `dvc repro`",
        "data.source.revision of some/rows is not pinned: run `make pin`, commit, and `dvc repro`",
    ]
    assert not shared.api.repo_exists(shared.hub.repo_id)


def test_a_package_is_a_pin(shared: Desk) -> None:
    layout = shared.layout
    train = records.read(layout.train_report, "train")
    package = {"package": "some-model", "version": "1.0", "sha256": "0" * 64}
    base = train["base"] | {"revision": None, "package": package}
    records.write(layout.train_report, train | {"base": base})
    shelf.sign(layout)
    assert shared.deliver()


@pytest.mark.parametrize("path", ["params.yaml", "dvc.yaml", "stages/new.py"])
def test_code_has_to_be_committed(shared: Desk, path: str) -> None:
    file = shared.layout.root / path
    file.parent.mkdir(exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + "\n# changed\n")
    with pytest.raises(PipelineError, match=f"^{path} not committed"):
        shared.deliver()
    shelf.commit_all(shared.layout.root)
    assert shared.deliver()
    assert shelf.receipt(shared.layout)["code_commit"] == shelf.git(shared.layout.root, "rev-parse", "HEAD")


def test_there_has_to_be_a_commit(desk: Desk) -> None:
    shelf.git(desk.layout.root, "init", "--quiet")
    with pytest.raises(PipelineError, match="nothing is committed"):
        desk.shared().deliver()
    assert desk.deliver()  # one's own Hub takes it, and the receipt names no commit
    assert shelf.receipt(desk.layout)["code_commit"] is None


def test_code_commit_is_filled_in_when_the_code_is_committed(desk: Desk) -> None:
    desk.deliver()
    assert shelf.receipt(desk.layout)["code_commit"] is None
    head = shelf.commit_all(desk.layout.root)
    desk.deliver()
    assert shelf.receipt(desk.layout)["code_commit"] == head
    written = desk.layout.receipt.stat().st_mtime_ns
    assert shelf.commit_all(desk.layout.root) != head  # with the receipt
    desk.deliver()
    (desk.layout.root / "dvc.yaml").write_text("stages: {}\n")  # and no commit to name any more
    desk.deliver()
    assert shelf.receipt(desk.layout)["code_commit"] == head
    assert desk.layout.receipt.stat().st_mtime_ns == written


def test_code_commit_stays_that_of_the_release(shared: Desk) -> None:
    shared.deliver()
    receipt = shared.layout.receipt.read_bytes()
    shelf.commit_all(shared.layout.root)
    shared.deliver()
    assert shared.layout.receipt.read_bytes() == receipt
    release = shared.api.list_repo_commits(shared.hub.repo_id, revision="refs/pr/1")[0]
    assert release.message == f"Code commit: {shelf.receipt(shared.layout)['code_commit']}"


def test_an_edit_on_main_is_not_overwritten(shared: Desk) -> None:
    shared.deliver()
    released = shared.layout.card.read_text()
    edited = shared.put("README.md", released + "mended by hand")
    shared.write("0.1.1", "B")
    with pytest.raises(PipelineError, match=r"^README\.md on main of .* is not what was released"):
        shared.deliver()
    assert shared.main() == edited
    shared.put("README.md", released)
    assert shared.deliver()


def test_files_that_were_there_before_us_are_not_overwritten(shared: Desk) -> None:
    shared.api.create_repo(shared.hub.repo_id)
    shared.put("config.json", "{}")
    with pytest.raises(PipelineError, match=r"^config\.json on main"):
        shared.deliver()
    assert shared.files() == {"config.json"}


def test_an_edit_on_ones_own_hub_is_undone(desk: Desk) -> None:
    commit = desk.deliver()
    desk.put("config.json", "{}")
    assert desk.deliver() == commit  # the tag has held this content all along
    assert desk.text("config.json") == (desk.layout.trained / "config.json").read_text()


def test_releases_of_a_colleague(shared: Desk, made: Path, server: launch.Server, tmp_path: Path) -> None:
    """Main may hold an earlier release that our receipt does not know, but not a later one."""
    shared.deliver()
    colleague = open_desk(made, tmp_path / "colleague", server, shared.hub.repo_id)
    shelf.commit_all(colleague.layout.root)
    colleague = colleague.shared()
    colleague.write("0.2.0", "colleague's")
    theirs = colleague.deliver()
    shared.write("0.1.1", "B")
    with pytest.raises(PipelineError, match=r"main holds v0\.2\.0, which is newer .*hub\.version: 0\.2\.1"):
        shared.deliver()
    assert shared.main() == theirs
    shared.write("0.2.1", "B")
    assert shared.deliver() == shared.main()


def test_all_reasons_come_at_once(shared: Desk) -> None:
    shared.deliver()
    shared.put("config.json", "{}")
    shared.write(more="B")
    (shared.layout.root / "params.yaml").write_text("seed: 1\n")
    with pytest.raises(PipelineError) as caught:
        shared.deliver()
    assert len(str(caught.value).splitlines()) == 3
    desk = shared.shared(publish=False)
    desk.deliver()
    assert sum(line.startswith("would be refused: ") for line in desk.lines) == 3
