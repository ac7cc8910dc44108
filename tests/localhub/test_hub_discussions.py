"""Discussions and pull requests: who may do what, what they become, many at once, and older data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import DiscussionComment, HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from localhub import launch
from localhub.launch import Server
from tests.localhub.conftest import serve
from tests.localhub.talking import proposed, refused

HOSTILE = "**second** <script>alert(1)</script>"


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


@pytest.fixture
def nobody(team: str) -> HfApi:
    return HfApi(endpoint=team, token=False)


@pytest.fixture
def adas(ada: HfApi) -> str:
    """A fresh public repository of ada's."""
    name = f"ada/m{uuid4().hex[:8]}"
    ada.create_repo(name)
    return name


def first_comment(api: HfApi, repo: str, num: int) -> DiscussionComment:
    events = api.get_discussion_details(repo, num).events
    return next(event for event in events if isinstance(event, DiscussionComment))


def hide(api: HfApi, repo: str, num: int, comment: str) -> DiscussionComment:
    with pytest.warns(UserWarning, match="irreversible"):
        return api.hide_discussion_comment(repo, num, comment)


def test_who_may_do_what(ada: HfApi, bob: HfApi, nobody: HfApi, adas: str) -> None:
    num = bob.create_discussion(adas, "A question", description="Why?").num
    assert refused(lambda: nobody.create_discussion(adas, "A question"))[0] == 401
    assert refused(lambda: nobody.comment_discussion(adas, num, "Hm."))[0] == 401
    hers = ada.comment_discussion(adas, num, "Because.").id
    mine = first_comment(bob, adas, num).id
    assert refused(lambda: bob.edit_discussion_comment(adas, num, hers, "x"))[0] == 403
    assert refused(lambda: hide(bob, adas, num, hers))[0] == 403
    assert refused(lambda: ada.edit_discussion_comment(adas, num, mine, "x"))[0] == 403
    hide(ada, adas, num, mine)  # who may write here may moderate
    ada.rename_discussion(adas, num, "A question about licences")
    bob.change_discussion_status(adas, num, "closed", comment="Thanks")
    second = ada.create_discussion(adas, "Another").num
    assert refused(lambda: bob.rename_discussion(adas, second, "Mine"))[0] == 403
    assert refused(lambda: bob.change_discussion_status(adas, second, "closed"))[0] == 403
    told = nobody.get_discussion_details(adas, num)
    assert (told.title, told.status, told.author) == ("A question about licences", "closed", "bob")
    kinds = [(event.type, event.author) for event in told.events]
    assert kinds == [
        ("comment", "bob"),
        ("comment", "ada"),
        ("title-change", "ada"),
        ("comment", "bob"),
        ("status-change", "bob"),
    ]


def test_comments_are_edited_and_hidden(ada: HfApi, adas: str) -> None:
    num = ada.create_discussion(adas, "Edits", description="first").num
    comment = first_comment(ada, adas, num)
    edited = ada.edit_discussion_comment(adas, num, comment.id.upper(), HOSTILE)
    again = ada.edit_discussion_comment(adas, num, comment.id, "third")
    assert edited.id == again.id == comment.id and edited.edited and not comment.edited
    assert "<strong>second</strong>" in edited.rendered and "<script" not in edited.rendered
    assert again.number_of_edits == 2 and again.last_edited_by == "ada"
    assert [version["raw"] for version in again.edit_history] == [
        "first",
        HOSTILE,
    ]
    assert first_comment(ada, adas, num) == again
    assert refused(lambda: ada.edit_discussion_comment(adas, num, comment.id, " "))[0] == 400
    assert refused(lambda: ada.edit_discussion_comment(adas, num, "0" * 24, "x"))[0] == 404
    hidden = hide(ada, adas, num, comment.id)
    assert hidden.hidden and hidden.edited and hidden.edit_history == []
    answer = httpx.get(f"{ada.endpoint}/api/models/{adas}/discussions/{num}").text
    assert "third" not in answer and "second" not in answer, "what was hidden cannot be had again"
    assert refused(lambda: ada.edit_discussion_comment(adas, num, comment.id, "x"))[0] == 400
    assert hide(ada, adas, num, comment.id) == hidden


def test_titles_have_bounds(ada: HfApi, adas: str) -> None:
    assert ada.create_discussion(adas, " Two\n lines\x00\x1b ").title == "Two lines"
    for title in ("ab", "t" * 201, "   "):
        assert refused(lambda: ada.create_discussion(adas, title))[0] == 400  # noqa: B023  # called at once
        assert refused(lambda: ada.rename_discussion(adas, 1, title))[0] == 400  # noqa: B023
    assert refused(lambda: ada.comment_discussion(adas, 1, "c" * 65_537))[0] == 413
    assert refused(lambda: ada.comment_discussion(adas, 99, "Anyone?"))[0] == 404


def test_private_ones_are_as_good_as_missing(ada: HfApi, bob: HfApi, adas: str) -> None:
    num = ada.create_discussion(adas, "Inside").num
    ada.update_repo_settings(adas, private=True)
    for call in (
        lambda: bob.get_discussion_details(adas, num),
        lambda: list(bob.get_repo_discussions(adas)),
        lambda: bob.comment_discussion(adas, num, "Hello"),
        lambda: bob.create_discussion(adas, "Hello"),
        lambda: bob.merge_pull_request(adas, num),
    ):
        with pytest.raises(RepositoryNotFoundError):
            call()


def test_lists(ada: HfApi, bob: HfApi, adas: str) -> None:
    for number in range(55):
        (bob if number % 5 == 0 else ada).create_discussion(adas, f"Number {number}")
    for num in (2, 3):
        ada.change_discussion_status(adas, num, "closed")
    request = proposed(bob, adas, "a", "a")
    ada.merge_pull_request(adas, request)
    draft = ada.create_pull_request(adas, "Draft").num

    def nums(**asked: str) -> list[int]:
        return [found.num for found in ada.get_repo_discussions(adas, **asked)]  # type: ignore[arg-type]

    assert nums() == list(range(57, 0, -1)), "newest first, over two pages"
    assert nums(discussion_type="pull_request") == [draft, request]
    assert nums(discussion_status="closed") == [request, 3, 2]
    assert nums(discussion_status="open", discussion_type="pull_request") == [draft]
    assert nums(author="BOB", discussion_type="discussion") == list(range(51, 0, -5))
    assert len(nums(discussion_status="open")) == 54 and nums(author="nobody") == []
    url = f"{ada.endpoint}/api/models/{adas}/discussions"
    page = httpx.get(url, params={"p": 1, "status": "open"}).json()
    assert (page["count"], page["start"], page["numClosedDiscussions"]) == (54, 50, 3)
    assert len(page["discussions"]) == 4 and page["discussions"][-1]["numComments"] == 1
    assert page["discussions"][-1]["author"]["fullname"] == "Bob"
    for wrong in ({"status": "merged"}, {"type": "question"}):
        assert httpx.get(url, params=wrong).status_code == 400
    assert httpx.get(url, params={"p": 10**8}).json()["discussions"] == []


def test_many_at_once(ada: HfApi, bob: HfApi, adas: str) -> None:
    """Nothing that was answered is lost, and no number is given twice."""

    def say(number: int) -> int:
        api = (ada, bob)[number % 2]
        match number % 3:
            case 0:
                return api.create_discussion(adas, f"Number {number}").num
            case 1:
                return proposed(api, adas, f"{number}.txt", "x")
        api.comment_discussion(adas, 1, f"Comment {number}")
        return 0

    ada.create_discussion(adas, "The first", description="0")
    with ThreadPoolExecutor(8) as pool:
        given = [num for num in pool.map(say, range(30)) if num]
    assert sorted(given) == list(range(2, 22))
    assert sorted(found.num for found in ada.get_repo_discussions(adas)) == list(range(1, 22))
    assert len(ada.get_discussion_details(adas, 1).events) == 11


def test_a_comment_touches_its_own_discussion_only(api: HfApi, data: Path, repo_id: str) -> None:
    for number in range(3):
        api.create_discussion(repo_id, f"Number {number}")
    folder = data / "repos" / "models" / repo_id / "discussions"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    api.comment_discussion(repo_id, 2, "Hello")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"2.jsonl"} and len(after) == 3
    assert after["2.jsonl"].startswith(before["2.jsonl"]), "one line more"


def test_half_a_line_is_no_comment(api: HfApi, data: Path, repo_id: str) -> None:
    """What a process killed in the middle of a comment leaves is neither shown nor in the way."""
    num = api.create_discussion(repo_id, "Torn", description="whole").num
    path = data / "repos" / "models" / repo_id / "discussions" / f"{num}.jsonl"
    for torn in (b"{", b'{"events": [{"id": "' + b"x" * 200_000):
        with path.open("ab") as file:
            file.write(torn)
        before = len(api.get_discussion_details(repo_id, num).events)
        api.comment_discussion(repo_id, num, "After it")
        assert len(api.get_discussion_details(repo_id, num).events) == before + 1
    assert path.read_bytes().count(b"\n") == 3


def test_a_full_disk_keeps_nothing_of_a_comment(tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: the line that does not fit leaves no trace."""
    process, url = serve(tmp_path, prefix=("bash", "-c", 'ulimit -f 200; exec "$@"', "bash"))
    try:
        api = HfApi(endpoint=url, token=(tmp_path / "token").read_text())
        api.create_repo("a/b")
        api.create_discussion("a/b", "Talk", description="x" * 60_000)
        path = tmp_path / "repos/models/a/b/discussions/1.jsonl"
        before = path.read_bytes()
        status, message = refused(lambda: api.comment_discussion("a/b", 1, "x" * 60_000))
        assert status == 507 and "No space left" in message
        assert path.read_bytes() == before
        api.comment_discussion("a/b", 1, "A short one fits")
        assert len(api.get_discussion_details("a/b", 1).events) == 2
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def older(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server on data in which all discussions of a repository are in one file, as they once were."""
    data = tmp_path / "data"
    with launch.running(data) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        api.create_repo("old/m")
        proposed(api, "old/m", "a.txt", "a")
        api.create_discussion("old/m", "Second", description="<b>hello</b>")
        folder = data / "repos/models/old/m/discussions"
        kept = []
        for num in (1, 2):
            item, *later = map(json.loads, (folder / f"{num}.jsonl").read_text().splitlines())
            item["events"] += [event for line in later for event in line["events"]]
            kept.append(item)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        kept[1]["events"][0]["data"]["latest"]["html"] = ""
        (folder.parent / "discussions.json").write_text(json.dumps(kept, indent=1))
        yield server, folder


def test_older_data(older: tuple[Server, Path]) -> None:
    server, folder = older
    api = HfApi(endpoint=server.url, token=server.token)
    assert [found.num for found in api.get_repo_discussions("old/m")] == [2, 1]
    assert api.get_discussion_details("old/m", 1).target_branch == "refs/heads/main"
    comment = first_comment(api, "old/m", 2)
    assert comment.rendered.strip() == "<p><b>hello</b></p>"
    assert not folder.exists(), "reading changes nothing"
    api.comment_discussion("old/m", 2, "More")
    assert sorted(path.name for path in folder.iterdir()) == ["1.jsonl", "2.jsonl"]
    assert not folder.with_name("discussions.json").exists()
    assert len(api.get_discussion_details("old/m", 2).events) == 2
    assert api.create_discussion("old/m", "Third").num == 3
    api.merge_pull_request("old/m", 1)
    assert api.file_exists("old/m", "a.txt")


def test_a_half_taken_apart_file_is_no_loss(older: tuple[Server, Path]) -> None:
    """Killed before the folder was in place: the one file counts. Killed after it: the folder does."""
    server, folder = older
    api = HfApi(endpoint=server.url, token=server.token)
    single = folder.with_name("discussions.json")
    (folder.parent / f".discussions.{uuid4().hex}").mkdir()
    text = single.read_text()
    api.comment_discussion("old/m", 1, "More")
    single.write_text(text)
    assert len(api.get_discussion_details("old/m", 1).events) == 2
    api.comment_discussion("old/m", 1, "And more")
    assert [found.num for found in api.get_repo_discussions("old/m")] == [2, 1]
    assert len(api.get_discussion_details("old/m", 1).events) == 3
