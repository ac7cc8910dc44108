"""Commits and pull requests as pages: what differs is shown, first what it means, and bounded."""

from __future__ import annotations

import html as entities
import json
import re
import struct
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import httpx
import pygit2
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from pygit2.enums import FileMode

from localhub.launch import Server
from localhub.pages import hunks
from tests.localhub.releases import Files, commit, publish, rows, tensors


@pytest.fixture(scope="module")
def pages(hub: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url, headers={"Accept": "text/html"}) as client:
        yield client


@pytest.fixture(scope="module")
def releases(hub: Server) -> str:
    """A model with the releases v1.0 and v2.0."""
    return publish(hub, "changes/model")


def test_a_commit_says_what_it_means_before_what_it_writes(pages: httpx.Client, releases: str) -> None:
    page = pages.get(f"/{releases}/commit/v2.0").text
    places = [
        page.index(f'<span class="path">{name}<') for name in ("README.md", "config.json", "params.yaml")
    ]
    assert places == sorted(places) and places[-1] < page.index('<span class="path">assets/vocab.txt<')
    found = rows(page)
    assert ["license", "mit", "apache-2.0"] in found
    assert ["model-index[m].results[0].metrics[Macro F1].value", "0.8", "0.9"] in found
    assert ["transformers_version", "5.1.0", "5.2.0"] in found
    assert page.index("model-index[m]") < page.index("trained on <mark>")
    assert (
        "-It was trained on <mark>100</mark> rows." in page
        and "+It was trained on <mark>200</mark> rows." in page
    )
    assert ["parameters", "1,200 F32 in 2 tensors", "1,800 F16 in 3 tensors"] in found
    assert "Tensors: 1 added, 2 of another dtype." in page
    assert ["size", "100 bytes (100 B)", "–"] in found  # a binary file that went
    assert "vocab.txt →</span>" in page and "The content is the same." in page
    assert re.search(r"8 files|7 files", page) and 'href="#f-' in page
    line = page.index("-It was trained")
    assert page[:line].rindex('data-n="   22      "') > page[:line].rindex("<span"), "numbered as in the file"


def test_unified_and_split_are_one_link_apart(pages: httpx.Client, releases: str) -> None:
    unified = pages.get(f"/{releases}/commit/v2.0").text
    assert '<pre class="diff"' in unified and 'href="?view=split"' in unified
    split = pages.get(f"/{releases}/commit/v2.0?view=split").text
    assert '<table class="split">' in split and '<pre class="diff"' not in split and 'href="?"' in split
    assert ["It was trained on 100 rows.", "It was trained on 200 rows."] in rows(split)
    alone = pages.get(f"/{releases}/commit/v2.0?path=config.json").text
    assert "hidden_size" in alone and "params.yaml" not in alone and "all files" in alone
    assert "does not differ" in pages.get(f"/{releases}/commit/v2.0?path=nothing").text


def test_what_eyes_do_not_see_is_said(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"ends.txt": "one\ntwo\n", "form.json": '{"a": [1, 2]}', "last.txt": "x\n"})
    sha = commit(api, repo_id, {"ends.txt": "one\r\ntwo\r\n", "form.json": '{"a":[1,2]}', "last.txt": "x"})
    page = pages.get(f"/{repo_id}/commit/{sha}").text
    assert "+one<mark>␍</mark>" in page and "No newline at the end of the file" in page
    assert "No key differs, only the form of the text." in page


def test_large_differences_are_bounded_and_say_so(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    many: Files = {f"many/{number:03}.txt": f"{number}\n" for number in range(230)}
    long = "".join(f"line {number}\n" for number in range(3000))
    sha = commit(api, repo_id, {**many, "a-long.txt": long, "b-one-line.txt": "word " * 100_000})
    answer = pages.get(f"/{repo_id}/commit/{sha}")
    assert len(answer.content) < 300_000 and "232 files" in answer.text
    assert "32 more files differ and are not shown." in answer.text
    assert "2,881 more lines" in answer.text and 'href="?path=a-long.txt"' in answer.text
    assert "… (500,000 characters)" in answer.text
    alone = pages.get(f"/{repo_id}/commit/{sha}?path=a-long.txt").text
    assert "+line 2999" in alone and "more lines" not in alone
    assert "+229" in pages.get(f"/{repo_id}/commit/{sha}?path=many/229.txt").text, "also one past the bound"


def test_what_only_git_can_write_is_shown_too(
    api: HfApi, pages: httpx.Client, repo_id: str, data: Path
) -> None:
    commit(api, repo_id, {"run.sh": "#!/bin/sh\n", "folder/a.txt": "a\n"})
    git = pygit2.Repository(str(data / "repos" / "models" / repo_id / "git"))
    tip = git.branches["main"].peel(pygit2.Commit)
    tree = git.TreeBuilder(tip.tree)
    tree.insert("run.sh", tip.tree["run.sh"].id, FileMode.BLOB_EXECUTABLE)
    tree.insert("link", git.create_blob(b"folder/a.txt"), FileMode.LINK)
    tree.insert("sub", tip.id, FileMode.COMMIT)
    who = pygit2.Signature("Eve & Adam", "eve@example.org", 0, 0)
    git.create_commit("refs/heads/main", who, who, "", tree.write(), [tip.id])
    page = pages.get(f"/{repo_id}/commit/main").text
    assert "Mode 100644 became 100755." in page and "+folder/a.txt" in page and "A submodule" in page
    assert "Eve &amp; Adam" in page and "(no message)" in pages.get(f"/{repo_id}/commits/main").text
    for path in ("tree/main", "blob/main/link", "compare/main..main"):
        assert pages.get(f"/{repo_id}/{path}").status_code == 200, path


def test_large_files_are_not_taken_for_renamed_ones(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"a.safetensors": tensors("F32", "a")})
    sha = commit(api, repo_id, {"a.safetensors": None, "b.safetensors": tensors("F32", "b")})
    page = pages.get(f"/{repo_id}/commit/{sha}").text
    assert page.count("status added") == page.count("status deleted") == 2 and "status renamed" not in page
    sha = commit(api, repo_id, {"b.safetensors": None, "c.safetensors": tensors("F32", "b")})
    assert "status renamed" in pages.get(f"/{repo_id}/commit/{sha}").text
    sha = commit(api, repo_id, {"c.safetensors": tensors("F32", "b")[:-1] + b"\1"})
    assert "The same tensors by name, dtype and shape" in pages.get(f"/{repo_id}/commit/{sha}").text


HOSTILE = "<script>alert(1)</script>\"' onload=x {{7*191}} &amp; \u202egnp"


class Harmless(HTMLParser):
    """Fails on any element or attribute that could do something."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "svg", "iframe", "style", "base", "object", "embed"}, tag
        for name, value in attrs:
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("href", "src", "action"):
                assert (value or "").startswith(("/", "#", "?")), (tag, value)


def test_hostile_names_keys_and_values_do_nothing(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    path = 'a/<img src=x onerror="alert(1)">&?#%41{{7*191}}.json'
    card = (
        "---\nlicense: mit\nmodel-index:\n- name: {0}\n  results:\n  - task: {{type: t}}\n"
        "    dataset: {{name: {0}, type: d}}\n    metrics: [{{type: {0}, name: {0}, value: {0}}}]\n"
        "---\n# x {1}\n"
    )
    first = {path: json.dumps({HOSTILE: HOSTILE}), "README.md": card.format("m", "<b>")}
    commit(api, repo_id, {**first, "<b>.csv": f"a,{HOSTILE}\n1,2\n", "t.txt": "x"}, HOSTILE)
    api.create_tag(repo_id, tag="a<b>")
    quoted = json.dumps(HOSTILE)
    second = {path: json.dumps({HOSTILE: 1, "{{7*191}}": "</td>"}), "README.md": card.format(quoted, HOSTILE)}
    commit(api, repo_id, {**second, "t.txt": HOSTILE}, HOSTILE + "\n\n" + HOSTILE)
    api.create_tag(repo_id, tag="b\u2067")
    api.create_discussion(repo_id, title=HOSTILE, description=HOSTILE + "\n[x](javascript:alert(1))")
    tree = pages.get(f"/{repo_id}/tree/main/a").text
    blob = re.search(r'href="([^"]*/blob/main/a/[^"]*)"', tree)
    assert blob
    addresses = ["commit/main", "commit/main?view=split", "commits/main", "discussions", "discussions/1"]
    addresses += ["compare", "compare?from=main&to=<b>", "tree/main/a", "blob/main/%3Cb%3E.csv"]
    addresses += ["compare/a%3Cb%3E..main?view=split", "blob/main/%3Cb%3E.csv?view=source", "blob/main/t.txt"]
    for address in (entities.unescape(blob[1]), *(f"/{repo_id}/{one}" for one in addresses)):
        answer = pages.get(address, follow_redirects=True)
        assert answer.status_code == (404 if "to=" in address else 200), address
        Harmless().feed(answer.text)
        assert "1337" not in re.sub(r"[0-9a-f]{7,}", "", answer.text) and "\u202e" not in answer.text


def test_what_is_private_or_gated_stays_so(team: str) -> None:
    ada, bob = (HfApi(endpoint=team, token=f"token-of-{name}") for name in ("ada", "bob"))
    name = f"ada/m{uuid4().hex[:8]}"
    ada.create_repo(name)
    commit(ada, name, {"README.md": "---\nlicense: mit\n---\n# Card", "config.json": '{"a": "withheld"}'})
    commit(ada, name, {"config.json": '{"a": "withheld too"}', "d/README.md": "withheld"}, create_pr=True)
    ada.update_repo_settings(name, gated="manual")
    paths = ["commit/main", "compare/main..refs/pr/1", "blob/main/config.json"]
    seen = [
        "tree/main",
        "commits/main",
        "discussions/1",
        "blob/main/README.md",
        "tree/refs%2Fpr%2F1/d",
        "compare",
    ]
    for token, closed in ((bob.token, 403), (None, 401)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for path in paths:
            answer = httpx.get(f"{team}/{name}/{path}", headers=headers)
            assert answer.status_code == closed and "withheld" not in answer.text, path
        for path in seen:
            answer = httpx.get(f"{team}/{name}/{path}", headers=headers)
            assert answer.status_code == 200 and "withheld" not in answer.text, path
            assert ("this repository is gated" in answer.text) == path.startswith("discussions")
    ada.update_repo_settings(name, gated=False, private=True)
    for path in (*paths, *seen):
        assert httpx.get(f"{team}/{name}/{path}").status_code == 401, path


def test_discussions_can_be_told_apart(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    talk = api.create_discussion(repo_id, title="A question", description="*Why*?")
    api.create_pull_request(repo_id, title="Still a draft")
    api.change_discussion_status(repo_id, talk.num, "closed")
    merged = api.create_commit(
        repo_id, [CommitOperationAdd("a.txt", b"1\n")], commit_message="Merged one", create_pr=True
    )
    assert merged.pr_num
    api.merge_pull_request(repo_id, merged.pr_num)

    def titles(query: str) -> list[str]:
        page = pages.get(f"/{repo_id}/discussions{query}").text
        return re.findall(r'/discussions/\d+">([^<]*)</a></span>', page)

    assert titles("") == ["Merged one", "Still a draft", "A question"]
    assert titles("?status=open") == ["Still a draft"] and titles("?status=merged") == ["Merged one"]
    assert titles("?status=closed") == ["A question"] and titles("?type=discussion") == ["A question"]
    assert titles("?type=pull_request&status=closed") == [] and len(titles("?status=x&type=y&p=zz")) == 3
    for number in range(50):
        api.create_discussion(repo_id, title=f"More {number:02}")
    assert titles("?type=discussion")[-1] == "More 00" and titles("?type=discussion&p=1") == ["A question"]


def test_the_story_of_a_pull_request(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"a.txt": "one\n", "b.txt": "one\n"})
    opened = api.create_pull_request(repo_id, title="Better text", description="See [a](a.txt).\n\n- *list*")
    assert "A draft: it must be opened" in pages.get(f"/{repo_id}/discussions/{opened.num}").text
    api.change_discussion_status(repo_id, opened.num, "open")
    commit(api, repo_id, {"a.txt": "two\n"}, "Two", revision=f"refs/pr/{opened.num}")
    api.rename_discussion(repo_id, opened.num, "Best text")
    commit(api, repo_id, {"b.txt": "changed on main\n"})
    page = pages.get(f"/{repo_id}/discussions/{opened.num}").text
    assert f'<a href="/{repo_id}/blob/main/a.txt"' in page and "<em>list</em>" in page
    assert "renamed it from “Better text” to “Best text”" in page and "</a> Two" in page
    assert "+<mark>" in page or "+two" in page
    assert "changed on main" not in page, "what main did meanwhile is not the pull request's doing"
    commit(api, repo_id, {"a.txt": "three\n"}, "Conflict")
    assert "Conflicts with main in a.txt" in pages.get(f"/{repo_id}/discussions/{opened.num}").text
    commit(api, repo_id, {"a.txt": "one\n"})
    api.merge_pull_request(repo_id, opened.num)
    page = pages.get(f"/{repo_id}/discussions/{opened.num}").text
    assert "merged as" in page and "+two" in page and "Conflicts" not in page


def test_lines_side_by_side() -> None:
    old, new = b"a\nb\nc\ne\n", b"a\nd\ne\nf\n"
    found = hunks.compared(old, new, 100)
    beside = [
        tuple(side and "".join(text for text, _ in side.pieces) for side in row)
        for row in hunks.side_by_side(found.lines)[1:]
    ]
    assert beside == [("a", "a"), ("b", "d"), ("c", None), ("e", "e"), (None, "f")]
    assert (found.added, found.removed, found.left) == (2, 2, 0)
    few = hunks.compared(b"x\n" * 90, b"y\n" * 90, 10, skipped=(10, 20))
    first = few.lines[1]
    assert (first.mark, first.old, first.new) == ("-", 11, None)
    assert (len(few.lines), few.left) == (10, 171)


def test_headers_of_weights_are_read_within_a_budget(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    entry = '{"a": {"dtype": "F32", "shape": [%d], "data_offsets": [0, 4]}}'
    headers = [(entry % number).encode().ljust(20_000_000) for number in (111, 222, 333)]
    files: Files = {
        f"{at}.safetensors": struct.pack("<Q", len(header)) + header for at, header in enumerate(headers)
    }
    page = pages.get(f"/{repo_id}/commit/{commit(api, repo_id, files)}").text
    shown = [number for number in (111, 222, 333) if f"{number} F32 in 1 tensor" in page]
    assert shown == [111, 222] and "2.safetensors" in page
