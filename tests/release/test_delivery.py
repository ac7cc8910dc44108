"""What ends up on the Hub: released or untouched, whatever was there before."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from localhub import launch
from stages.core.errors import PipelineError
from stages.release.answers import Moved
from stages.release.base import beside, keep
from stages.release.endpoint import Target
from tests.release import shelf
from tests.release.conftest import Desk, open_desk


def test_a_first_release(desk: Desk) -> None:
    commit = desk.deliver()
    assert desk.tags() == {"v0.1.0": commit} == {"v0.1.0": desk.main()}
    assert desk.files() == set(desk.edition().content)
    held = shelf.receipt(desk.layout)
    assert held["commit"] == commit
    assert held["files"].keys() == desk.edition().content.keys()
    assert (held["repo_id"], held["tag"]) == (desk.hub.repo_id, "v0.1.0")
    assert desk.open_requests() == []
    assert desk.target.token and desk.target.token not in desk.said()
    assert desk.api.list_repo_commits(desk.hub.repo_id)[0].title.startswith("Release v0.1.0")


def test_equal_content_makes_no_commit_and_writes_no_byte(desk: Desk) -> None:
    commit = desk.deliver()
    before = desk.layout.receipt.stat()
    assert desk.deliver() == commit == desk.main()
    assert "already released" in desk.said()
    after = desk.layout.receipt.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("text", [None, "{", '{"files": 3}', "[]", '{"files": {}}'])
def test_a_receipt_that_is_lost_or_broken_is_written_again(desk: Desk, text: str | None) -> None:
    commit = desk.deliver()
    if text is None:
        desk.layout.receipt.unlink()
    else:
        desk.layout.receipt.write_text(text)
    assert desk.deliver() == commit == desk.main()
    assert shelf.receipt(desk.layout)["commit"] == commit


def test_an_old_receipt_and_an_empty_hub(desk: Desk) -> None:
    desk.deliver()
    desk.api.delete_repo(desk.hub.repo_id)
    commit = desk.deliver()
    assert desk.tags() == {"v0.1.0": commit}
    assert shelf.receipt(desk.layout)["commit"] == commit


def test_a_wiped_hub_and_its_receipt(desk: Desk) -> None:
    def embedded() -> str:
        with launch.running(desk.layout.hub) as server:
            desk.target = Target("embedded", server.url, server.token, loopback=True)
            commit = desk.deliver()
            assert desk.tags() == {"v0.1.0": commit}
            assert desk.api.model_info("tests/tiny-bert").sha
        return str(commit)

    first = embedded()
    files = shelf.receipt(desk.layout)["files"]
    shutil.rmtree(desk.layout.hub)
    assert embedded() == shelf.receipt(desk.layout)["commit"]
    assert shelf.receipt(desk.layout)["files"] == files
    shutil.rmtree(desk.layout.hub / "repos/models/tests/tiny-bert")
    assert embedded() == shelf.receipt(desk.layout)["commit"]
    assert "already released" in desk.said()
    assert first


def test_a_base_without_a_namespace_is_taken_from_its_folder(desk: Desk) -> None:
    target = replace(desk.target, name="embedded")
    train = {"method": "lora", "base": {"repo_id": "gpt2", "revision": None}}
    assert beside(target, desk.layout, train) == {"folder": str(desk.layout.base.resolve())}
    keep(target, desk.layout, train)
    assert not desk.layout.hub.exists()


def test_a_b_a_on_ones_own_hub_moves_the_tag_each_time_and_says_so(desk: Desk) -> None:
    commits = []
    for more in ("A", "B", "A"):
        desk.write(more=more)
        commits.append(desk.deliver())
        assert (
            desk.text("README.md", "v0.1.0").endswith(more) == desk.text("README.md").endswith(more) is True
        )
        assert shelf.receipt(desk.layout)["commit"] == commits[-1] == desk.main()
    assert "v0.1.0 held other content" in desk.said()
    assert len(set(commits)) == 3


def test_files_of_an_earlier_release_go_and_those_of_others_stay(desk: Desk) -> None:
    (desk.layout.card.parent / "figures/extra.png").write_bytes(shelf.PNG)
    desk.write()
    desk.deliver()
    assert "figures/extra.png" in desk.files()
    desk.put("LICENSE", "MIT")
    desk.put("adapter_model.safetensors", "of a LoRA release whose receipt is lost")
    (desk.layout.card.parent / "figures/extra.png").unlink()
    desk.write()
    desk.deliver()
    assert desk.files() == {*desk.edition().content, "LICENSE"}
    assert desk.deliver() == desk.tags()["v0.1.0"]
    assert "already released" in desk.said()


def test_the_plan_tells_whose_file_stays(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.deliver()
    desk.put("LICENSE", "MIT")
    desk.write(more="B")
    capsys.readouterr()
    desk.deliver()
    rows = {line.split()[-1]: line for line in capsys.readouterr().out.splitlines()}
    assert "not ours, kept" in rows["LICENSE"]
    assert "changed" in rows["README.md"]
    assert "same" in rows["model.safetensors"]


def test_someone_commits_between_plan_and_upload(desk: Desk) -> None:
    desk.deliver()
    desk.write(more="B")
    theirs: list[str] = []

    def meanwhile(line: str) -> None:
        if line.startswith("uploading"):
            theirs.append(desk.put("LICENSE", "MIT"))

    with pytest.raises(Moved, match="changed by someone else meanwhile"):
        desk.deliver(tell=meanwhile)
    assert desk.main() == theirs[0]
    assert not any(line.startswith("staged") for line in desk.lines)
    assert desk.open_requests() == []


def test_someone_commits_between_staging_and_merge(desk: Desk) -> None:
    desk.deliver()
    tag = desk.tags()
    desk.write(more="B")
    theirs: list[str] = []

    def meanwhile(*_: object) -> str:
        theirs.append(desk.put("LICENSE", "MIT"))
        return "reloaded"

    with pytest.raises(Moved, match=r"^main of .* was changed by someone else meanwhile"):
        desk.deliver(reload=meanwhile)
    assert (desk.main(), desk.tags()) == (theirs[0], tag)
    assert desk.open_requests() == []
    desk.deliver()  # their file is not ours to judge; ours goes beside it
    assert "LICENSE" in desk.files()


def test_someone_commits_to_our_pull_request(desk: Desk) -> None:
    desk.deliver()
    before = desk.main()
    desk.write(more="B")

    def meanwhile(*_: object) -> str:
        desk.put("config.json", "{}", revision="refs/pr/2")
        return "reloaded"

    with pytest.raises(Moved, match="pull request 2 of"):
        desk.deliver(reload=meanwhile)
    assert desk.main() == before


def test_someone_commits_right_after_the_merge(desk: Desk) -> None:
    def meanwhile(line: str) -> None:
        if line == "merged into main":
            desk.put("config.json", "{}")

    with pytest.raises(PipelineError, match=r"v0\.1\.0 is not set"):
        desk.deliver(tell=meanwhile)
    assert desk.tags() == {}
    desk.deliver()
    assert desk.tags() == {"v0.1.0": desk.main()}


def test_a_file_that_changes_after_it_was_hashed_is_not_released(desk: Desk) -> None:
    desk.deliver()
    before = desk.main(), desk.tags()
    desk.write(more="B")
    edition = desk.edition()
    desk.layout.card.write_text(desk.layout.card.read_text() + "C")
    with pytest.raises(PipelineError, match=r"README\.md: the staged commit"):
        desk.deliver(edition=edition)
    assert (desk.main(), desk.tags()) == before
    assert desk.open_requests() == []


def test_what_does_not_reload_is_not_released(desk: Desk) -> None:
    def broken(*_: object) -> str:
        raise PipelineError("the staged release does not reload: no")

    with pytest.raises(PipelineError, match="does not reload: no"):
        desk.deliver(reload=broken)
    assert (desk.files(), desk.tags(), desk.open_requests()) == (set(), {}, [])
    assert not desk.layout.receipt.exists()


def test_ctrl_c_leaves_no_pull_request(desk: Desk) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.deliver(reload=interrupted)
    assert (desk.files(), desk.tags(), desk.open_requests()) == (set(), {}, [])


def test_a_refused_card_is_one_line(desk: Desk) -> None:
    text = desk.layout.card.read_text()
    desk.layout.card.write_text(text.replace("license: mit", "license: no-such-license"))
    shelf.sign(desk.layout)
    with pytest.raises(PipelineError, match="the card is refused by") as caught:
        desk.deliver()
    assert "\n" not in str(caught.value)
    assert desk.open_requests() == []


def test_what_the_hub_remarks_on_a_card_is_passed_on(desk: Desk) -> None:
    desk.layout.card.write_text(desk.layout.card.read_text().split("---")[2])
    shelf.sign(desk.layout)
    desk.deliver()
    assert "warning: Warnings while validating metadata in README.md: - empty or missing" in desk.said()


KILLED = """
import os, signal, sys
from pathlib import Path
from stages.core.layout import Layout
from stages.core.schema import Hub
from stages.push import deliver
from stages.release.edition import gather
from stages.release.base import beside, keep
from stages.release.endpoint import Target

root, url, repo_id, when = sys.argv[1:]
layout, hub = Layout(Path(root)), Hub(repo_id=repo_id, version="0.1.0", endpoint=url)

def tell(line):
    if line.startswith(when):
        os.kill(os.getpid(), signal.SIGKILL)

def reload(*_):
    return "reloaded"

deliver(Target(url, url, os.environ["HF_TOKEN"], True), gather(layout, hub), hub, layout, tell, reload)
"""


@pytest.mark.parametrize("when", ["staged", "merged", "tagged"])
def test_killed_and_run_again_it_finishes(desk: Desk, when: str) -> None:
    """After staging; after the merge, before the tag; after the tag, before the receipt."""
    arguments = [str(desk.layout.root), desk.target.url, desk.hub.repo_id, when]
    environment = os.environ | {"HF_TOKEN": desk.target.token or ""}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not desk.layout.receipt.exists()
    assert desk.files() == (set() if when == "staged" else set(desk.edition().content))
    commit = desk.deliver()
    assert desk.tags() == {"v0.1.0": commit} == {"v0.1.0": desk.main()}
    assert shelf.receipt(desk.layout)["commit"] == commit
    assert desk.open_requests() == []
    if when == "staged":
        assert "which an unfinished push had left" in desk.said()


def test_pull_requests_of_others_stay_open(desk: Desk) -> None:
    desk.deliver()
    desk.put("config.json", "{}", create_pr=True, commit_message="Release notes")
    desk.write(more="B")
    desk.deliver()
    assert desk.open_requests() == ["Release notes"]


def test_two_checkouts_of_equal_content_are_one_release(
    desk: Desk, made: Path, server: launch.Server, tmp_path: Path
) -> None:
    commit = desk.deliver()
    other = open_desk(made, tmp_path / "other", server, desk.hub.repo_id)
    assert other.deliver() == commit
    assert "already released" in other.said()
    assert other.layout.receipt.read_bytes() == desk.layout.receipt.read_bytes()
