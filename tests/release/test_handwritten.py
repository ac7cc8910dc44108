"""What people write on the card on the Hub, through releases: with the real client, on a Hub of each kind."""

import hashlib
import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationCopy

from localhub import launch
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.plan import preview
from stages.release import blocks, fields, receipt
from stages.release.answers import Unreachable
from stages.release.contents import collect
from stages.release.edition import Edition
from stages.release.endpoint import Target
from stages.release.handwritten import settle
from stages.release.remote import look
from stages.release.traced import join
from tests.release import shelf
from tests.release.conftest import Desk, open_desk

WORDS = "### Thanks\n\nTo the 20 people who rated.\n"


def write(desk: Desk, version: str = "0.1.0", score: str = "0.90") -> str:
    """A card with blocks; what it was generated as."""
    desk.write(version)
    known = blocks.read(desk.layout.card.read_text(), "the card")
    body = desk.layout.card.read_text().split("---\n", 2)[2].strip()
    whole = join([body, "\n\n", blocks.section("results"), f"## Results\n\nIt scores {score}."])
    marked = blocks.marked(whole, fields.digests(known.front))
    desk.layout.card.write_text(f"---\n{known.front}---\n\n{marked}\n")
    shelf.sign(desk.layout)
    return desk.layout.card.read_text()


def with_words(text: str, words: str = WORDS) -> str:
    """By hand: below the introduction."""
    return text.replace("<!-- parution:begin results", f"{words}\n<!-- parution:begin results")


def published(desk: Desk, revision: str = "main") -> str:
    return hashlib.sha256(desk.text("README.md", revision).encode()).hexdigest()


def as_sent(_target: Target, edition: Edition, _layout: Layout, _base: object, _commit: str) -> str:
    """Stands where the reload is not what is tested, but for the digests that it would ask for."""
    card = edition.content["README.md"]
    data = card.source.read_bytes() if card.data is None else card.data
    assert receipt.digests(edition.content)["README.md"] == hashlib.sha256(data).hexdigest()
    return "as it was sent"


@pytest.mark.parametrize("whose", ["desk", "shared"])
def test_words_stay_and_blocks_are_new(whose: str, request: pytest.FixtureRequest) -> None:
    desk: Desk = request.getfixturevalue(whose)
    write(desk)
    desk.deliver()
    desk.put("README.md", with_words(desk.text("README.md")))
    ours = write(desk, "0.2.0", "0.95")
    commit = desk.deliver(as_sent)
    assert "README.md: 2 hand-written lines on the Hub are kept" in desk.lines
    assert desk.text("README.md") == desk.text("README.md", "v0.2.0") == with_words(ours)
    assert desk.main() == commit
    held = shelf.receipt(desk.layout)
    assert held["files"]["README.md"] == published(desk)
    assert held["generated_card"] == hashlib.sha256(ours.encode()).hexdigest()
    written = desk.layout.receipt.read_bytes()
    assert desk.deliver() == commit == desk.main()
    assert "already released" in desk.said()
    assert desk.layout.receipt.read_bytes() == written
    desk.layout.receipt.unlink()
    assert desk.deliver() == commit
    assert desk.layout.receipt.read_bytes() == written


@pytest.mark.parametrize("whose", ["desk", "shared"])
@pytest.mark.parametrize(
    "by_hand",
    [
        with_words,
        lambda text: with_words(text, "\n\n" + WORDS + "\n\n"),
        lambda text: text.replace("license: mit\n", "license: mit\nnew_version: a/b-2\n"),
        lambda text: text.replace("\n", "\r\n").rstrip(),
    ],
)
def test_words_that_came_after_the_release_make_no_new_one(
    whose: str, by_hand: object, request: pytest.FixtureRequest
) -> None:
    desk: Desk = request.getfixturevalue(whose)
    write(desk)
    commit = desk.deliver()
    written = desk.layout.receipt.read_bytes()
    assert callable(by_hand)
    theirs = desk.put("README.md", by_hand(desk.text("README.md")))
    assert desk.deliver() == commit
    assert "already released" in desk.said()
    assert (desk.main(), desk.tags()) == (theirs, {"v0.1.0": commit})
    assert desk.layout.receipt.read_bytes() == written


def test_the_plan_tells_what_is_kept(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    write(desk)
    desk.deliver()
    edited = with_words(desk.text("README.md")).replace("license: mit\n", "license: mit\nnew_version: a/b\n")
    theirs = desk.put("README.md", edited)

    def planned() -> list[str]:
        desk.lines.clear()
        capsys.readouterr()
        preview(desk.target, desk.edition(), desk.hub, desk.layout, desk.lines.append)
        return [line for line in capsys.readouterr().out.splitlines() if "README.md" in line]

    said = "README.md: 2 hand-written lines and new_version of its front matter on the Hub are kept"
    assert planned()[0].split()[0] == "same"
    assert said in desk.lines and "already released: push has nothing to write" in desk.lines
    write(desk, score="0.95")
    assert planned()[0].split()[0] == "changed"
    assert said in desk.lines
    desk.put("README.md", desk.text("README.md").replace("It scores 0.90", "It scores 1.00"))
    planned()
    assert f"would be refused: README.md on main of {desk.hub.repo_id}:" in desk.said()
    assert "  +It scores 1.00." in desk.said()
    assert desk.main() != theirs


@pytest.mark.parametrize("whose", ["desk", "shared"])
def test_an_edit_inside_of_a_block_stops_the_release(whose: str, request: pytest.FixtureRequest) -> None:
    desk: Desk = request.getfixturevalue(whose)
    write(desk)
    desk.deliver()
    edited = desk.put("README.md", desk.text("README.md").replace("It scores 0.90", "It scores 0.99"))
    before = (edited, desk.tags(), desk.layout.receipt.read_bytes())
    ours = write(desk, "0.2.0", "0.95")
    with pytest.raises(PipelineError, match="block results was edited by hand") as caught:
        desk.deliver()
    assert str(caught.value).splitlines()[-2:] == ["  -It scores 0.90.", "  +It scores 0.99."]
    assert (desk.main(), desk.tags(), desk.layout.receipt.read_bytes()) == before
    assert desk.open_requests() == []
    desk.put("README.md", desk.text("README.md").replace("It scores 0.99", "It scores 0.90"))
    desk.deliver()
    assert desk.text("README.md") == ours


def test_markers_that_were_broken_stop_the_release_in_one_line(desk: Desk) -> None:
    write(desk)
    desk.deliver()
    broken = desk.put("README.md", desk.text("README.md").replace("<!-- parution:end results", "<!-- gone"))
    write(desk, "0.2.0", "0.95")
    with pytest.raises(PipelineError, match=r":\d+: block results begins and does not end") as caught:
        desk.deliver()
    assert "\n" not in str(caught.value)
    assert desk.main() == broken


def test_a_card_that_is_no_text_stops_the_release(desk: Desk) -> None:
    write(desk)
    desk.deliver()
    raw = "---\nlicense: mit\n---\né".encode("latin-1")
    desk.api.upload_file(path_or_fileobj=raw, path_in_repo="raw", repo_id=desk.hub.repo_id)
    copy = CommitOperationCopy("raw", "README.md")  # the client would not take it as a card
    desk.api.create_commit(desk.hub.repo_id, [copy], commit_message="by hand")
    write(desk, "0.2.0", "0.95")
    with pytest.raises(PipelineError, match=r"^README\.md on main of .* is not UTF-8"):
        desk.deliver()


def test_a_card_that_was_there_before_us_is_not_overwritten_on_ones_own_hub_either(desk: Desk) -> None:
    desk.api.create_repo(desk.hub.repo_id)
    theirs = desk.put("README.md", "---\nlicense: mit\n---\n# Ours, by hand\n")
    write(desk)
    with pytest.raises(PipelineError, match="was not written by this pipeline, and has no blocks"):
        desk.deliver()
    assert (desk.main(), desk.files()) == (theirs, {"README.md"})
    desk.put("README.md", "---\nlicense: mit\nthumbnail: https://x.example/a.png\n---\n")
    desk.deliver()
    assert "thumbnail: https://x.example/a.png\n---\n" in desk.text("README.md")


def test_a_card_of_an_older_pipeline_is_replaced(shared: Desk) -> None:
    shared.deliver()  # the card of the shelf has no blocks
    shared.layout.receipt.unlink()
    ours = write(shared, "0.2.0", "0.95")
    shared.deliver()
    assert shared.text("README.md") == ours


def test_what_the_hubs_own_client_adds_stays(desk: Desk) -> None:
    from huggingface_hub import EvalResult, ModelCard

    write(desk)
    desk.deliver()
    card = ModelCard(desk.text("README.md"))
    card.data.tags = ["by-hand"]
    card.data.model_name = "theirs"
    common = {"task_type": "text-classification", "dataset_type": "sst2", "dataset_name": "SST-2"}
    card.data.eval_results = [EvalResult(metric_type="accuracy", metric_value=0.8, **common)]
    desk.put("README.md", str(card), create_pr=True)
    newest = max(request.num for request in desk.api.get_repo_discussions(desk.hub.repo_id))
    desk.api.merge_pull_request(desk.hub.repo_id, newest)
    write(desk, "0.2.0", "0.95")
    commit = desk.deliver()
    found = ModelCard(desk.text("README.md")).data
    assert (found.tags, [r.metric_value for r in found.eval_results]) == (["by-hand"], [0.8])
    assert desk.deliver() == commit


def test_a_b_a_with_words_leaves_main_at_the_later_release(shared: Desk) -> None:
    write(shared)
    first = shared.deliver()
    write(shared, "0.2.0", "0.95")
    shared.deliver()
    words = shared.put("README.md", with_words(shared.text("README.md")))
    write(shared)
    assert shared.deliver() == first
    assert "main holds a later release, v0.2.0, and stays as it is" in shared.said()
    assert shared.main() == words
    held = shelf.receipt(shared.layout)
    assert (held["commit"], held["files"]["README.md"]) == (first, published(shared, "v0.1.0"))


def test_a_release_with_words_is_known_by_its_receipt(shared: Desk) -> None:
    write(shared)
    shared.deliver()
    shared.put("README.md", with_words(shared.text("README.md")))
    write(shared, "0.2.0", "0.95")
    shared.deliver()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    away = replace(shared, target=Target(shared.target.name, url, None, loopback=False), lines=[])
    assert away.deliver() is None
    assert "says that this content is released as v0.2.0" in away.said()


def test_words_on_a_release_of_a_colleague(
    shared: Desk, made: Path, server: launch.Server, tmp_path: Path
) -> None:
    write(shared)
    shared.deliver()
    colleague = open_desk(made, tmp_path / "colleague", server, shared.hub.repo_id)
    shelf.commit_all(colleague.layout.root)
    colleague = colleague.shared()
    write(colleague, "0.2.0", "0.95")
    colleague.deliver()
    shared.put("README.md", with_words(shared.text("README.md")))
    write(shared, "0.1.1", "0.91")
    with pytest.raises(PipelineError, match=r"main holds v0\.2\.0, which is newer"):
        shared.deliver()
    ours = write(shared, "0.2.1", "0.91")
    shared.deliver()
    assert shared.text("README.md") == with_words(ours)


def test_the_sidecar_tells_which_card_was_generated(desk: Desk) -> None:
    write(desk)
    desk.deliver()
    desk.put("README.md", with_words(desk.text("README.md")))
    write(desk, "0.2.0", "0.95")
    desk.deliver()
    said = json.loads(desk.text("card.json"))["card"]["sha256"]
    assert said == collect(desk.layout, "full")["README.md"].sha256 != published(desk)


def test_a_hub_that_goes_away_between_two_questions_is_no_empty_card(desk: Desk) -> None:
    write(desk)
    desk.deliver()
    desk.put("README.md", with_words(desk.text("README.md")))
    remote = look(desk.target, desk.hub.repo_id)
    write(desk, "0.2.0", "0.95")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = replace(desk.target, url=f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(Unreachable, match="cannot be reached"):
        settle(away, desk.edition(), remote, None)
    other = replace(remote, files=remote.files | {"README.md": remote.files["config.json"]})
    with pytest.raises(PipelineError, match="does not download as it is listed"):
        settle(desk.target, desk.edition(), other, None)
