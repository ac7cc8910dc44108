"""Folders, files and history as pages."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from huggingface_hub import HfApi

from localhub.launch import Server
from tests.localhub.releases import commit, rows, tensors


@pytest.fixture(scope="module")
def pages(hub: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url, headers={"Accept": "text/html"}) as client:
        yield client


def test_history_marks_tags_and_turns_pages(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    for number in range(52):
        commit(api, repo_id, {"n.txt": f"{number}\n"}, f"Step {number}\n\nBecause.")
    api.create_tag(repo_id, tag="v/1", revision="main")
    first = pages.get(f"/{repo_id}/commits/main").text
    assert f'<a class="pill tag" href="/{repo_id}/tree/v%2F1">v/1</a>' in first and "Because." in first
    assert (
        "Step 51" in first and "Step 1<" not in first and 'rel="next"' in first and 'rel="prev"' not in first
    )
    second = pages.get(f"/{repo_id}/commits/main?p=1").text
    assert "Step 1<" in second and "initial commit" in second and 'rel="prev"' in second
    assert "No more commits" in pages.get(f"/{repo_id}/commits/main?p=99").text


def test_a_file_has_numbered_lines_that_can_be_linked(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"code.py": "import os\n\nprint('<hi>')\n", "empty.txt": "", "no-end": "one"})
    page = pages.get(f"/{repo_id}/blob/main/code.py").text
    assert (
        '<span id="L3"><a href="#L3">3</a>print(&#39;&lt;hi&gt;&#39;)\n</span>' in page and "3 lines" in page
    )
    assert f'href="/{repo_id}/resolve/main/code.py?download=true"' in page and 'id="L4"' not in page
    assert re.search(r'git <span class="sha">[0-9a-f]{40}<', page)
    assert "An empty file." in pages.get(f"/{repo_id}/blob/main/empty.txt").text
    assert "1 line ·" in pages.get(f"/{repo_id}/blob/main/no-end").text


def test_long_files_have_pages_and_the_longest_an_end(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"vocab.txt": "".join(f"word{number}\n" for number in range(4100))})
    first = pages.get(f"/{repo_id}/blob/main/vocab.txt").text
    assert "Lines 1 to 2,000 of 4,100" in first and 'id="L2001"' not in first and 'rel="prev"' not in first
    last = pages.get(f"/{repo_id}/blob/main/vocab.txt?view=source&p=2").text
    assert '<span id="L4100">' in last and 'rel="next"' not in last
    assert '<span id="L4100">' in pages.get(f"/{repo_id}/blob/main/vocab.txt?p=99999").text
    commit(api, repo_id, {"big.log": "0123456789\n" * 200_000, "wide.txt": "w" * 50_000})
    big = pages.get(f"/{repo_id}/blob/main/big.log").text
    assert "Only the first megabyte is read" in big
    assert "of at least 90,909" in big and "· at least 90,909 lines" in big
    assert "(50,000 characters)" in pages.get(f"/{repo_id}/blob/main/wide.txt").text


def test_markdown_is_rendered_and_its_source_a_link_away(
    api: HfApi, pages: httpx.Client, repo_id: str
) -> None:
    text = "---\nlicense: mit\n---\n# Notes\n\n[up](../a.txt) [here](b.txt) ![p](p.png) [out](../../x)\n"
    commit(api, repo_id, {"docs/NOTES.md": text, "docs/README.md": text, "a.txt": "a"})
    shown = pages.get(f"/{repo_id}/blob/main/docs/NOTES.md").text
    assert '<h1 id="notes">Notes</h1>' in shown and "<pre>license: mit" in shown
    for page in (shown, pages.get(f"/{repo_id}/tree/main/docs").text):
        assert f'href="/{repo_id}/blob/main/a.txt"' in page, "relative to the folder of the file"
        assert f'href="/{repo_id}/blob/main/docs/b.txt"' in page
        assert f'src="/{repo_id}/resolve/main/docs/p.png"' in page
    source = pages.get(f"/{repo_id}/blob/main/docs/NOTES.md?view=source").text
    assert "# Notes" in source and "<h1 id=" not in source
    assert 'class="card' not in pages.get(f"/{repo_id}/tree/main").text, "the root's README is the card"


def test_tables_are_tables(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    many = "id;text;label\n" + "".join(f'{number};"a; ""b""\n<b>";x\n' for number in range(300))
    lines = [{"a": 1, "b": {"c": [1]}}, {"a": "two", "d": None}]
    large = "id,text\n" + "".join(f"{number},{'t' * 90}\n" for number in range(20_000))
    files = {
        "rows.csv": many,
        "rows.tsv": "x\ty\n1\t2, 3\n",
        "rows.jsonl": "".join(json.dumps(line) + "\n" for line in lines),
        "one.csv": "just text\nof one column\n",
        "bad.jsonl": "{}\nnot json\n",
        "odd.csv": 'a,"b\n' + "1,2\n" * 50_000,
        "large.csv": large,
        ".gitattributes": "large.csv filter=lfs diff=lfs merge=lfs -text\n",
    }
    commit(api, repo_id, {".gitattributes": files.pop(".gitattributes")})
    commit(api, repo_id, dict(files))
    found = rows(pages.get(f"/{repo_id}/blob/main/rows.csv").text)
    assert found[0] == ["Row", "id", "text", "label"] and len(found) == 201
    assert found[1] == ["1", "0", 'a; "b" <b>', "x"]
    assert "Only the first 200 rows are shown." in pages.get(f"/{repo_id}/blob/main/rows.csv").text
    assert 'id="L1"' in pages.get(f"/{repo_id}/blob/main/rows.csv?view=source").text
    assert rows(pages.get(f"/{repo_id}/blob/main/rows.tsv").text)[1] == ["1", "1", "2, 3"]
    found = rows(pages.get(f"/{repo_id}/blob/main/rows.jsonl").text)
    assert found == [["Row", "a", "b", "d"], ["1", "1", '{"c": [1]}', ""], ["2", "two", "", "null"]]
    for path in ("one.csv", "bad.jsonl", "odd.csv"):
        assert 'id="L1"' in pages.get(f"/{repo_id}/blob/main/{path}").text, "shown as it is"
    page = pages.get(f"/{repo_id}/blob/main/large.csv").text
    assert (
        ">LFS<" in page
        and rows(page)[200][:2] == ["200", "199"]
        and "Only the first megabyte is read" in page
    )


def test_json_in_one_line_is_spread_out(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"a.json": '{"a":{"b":[1,"\u00e9"]}}', "b.json": '{\n  "a": 1\n}\n', "c.json": "{"})
    page = pages.get(f"/{repo_id}/blob/main/a.json").text
    assert "&#34;b&#34;: [\n" in page and "Source" in page and "é" in page
    assert "{&#34;a&#34;:{" in pages.get(f"/{repo_id}/blob/main/a.json?view=source").text
    for path in ("b.json", "c.json"):
        assert "Readable" not in pages.get(f"/{repo_id}/blob/main/{path}").text


def test_weights_are_listed_and_pickles_named(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    broken = (1 << 62).to_bytes(8, "little") + b"{}"
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**400], "data_offsets": [0, 0]}}).encode()
    huge = len(header).to_bytes(8, "little") + header
    files = {"m.safetensors": tensors("F16", "embed<x>", "head"), "x.safetensors": broken, "old.bin": b"\0\1"}
    commit(api, repo_id, {**files, "huge.safetensors": huge})
    page = pages.get(f"/{repo_id}/blob/main/m.safetensors").text
    assert rows(page)[1:] == [["embed<x>", "F16", "30 × 20", "600"], ["head", "F16", "30 × 20", "600"]]
    assert "1,200 parameters in 2 tensors: 1,200 F16." in page
    assert re.search(r'SHA-256 <span class="sha">[0-9a-f]{64}<', page)
    for path in ("x.safetensors", "huge.safetensors"):
        assert "Bytes, not text." in pages.get(f"/{repo_id}/blob/main/{path}").text
    assert pages.get(f"/{repo_id}").status_code == 200
    assert "may be a pickle" in pages.get(f"/{repo_id}/blob/main/old.bin").text


def test_revisions_keep_the_path(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {"a dir/b?.txt": "1\n"})
    api.create_tag(repo_id, tag="v1")
    api.create_branch(repo_id, branch="side/way")
    page = pages.get(f"/{repo_id}/blob/main/a%20dir/b%3F.txt").text
    assert f'href="/{repo_id}/blob/side%2Fway/a%20dir/b%3F.txt"' in page
    assert f'href="/{repo_id}/blob/v1/a%20dir/b%3F.txt"' in page
    moved = pages.get(f"/{repo_id}/blob/v1/a%20dir")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/{repo_id}/tree/v1/a%20dir")


def test_a_folder_of_5000_files_has_quick_pages(api: HfApi, pages: httpx.Client, repo_id: str) -> None:
    commit(api, repo_id, {f"many/{number:04}.txt": f"{number}\n" for number in range(5000)}, "All")
    commit(api, repo_id, {"many/z/deep.txt": "deep", "many/0001.txt": "new"}, "Two")
    took = []
    for _ in range(3):
        start = time.perf_counter()
        page = pages.get(f"/{repo_id}/tree/main/many").text
        took.append(time.perf_counter() - start)
    found = rows(page)
    assert found[1][0] == "z/" and found[3][:3] == ["0001.txt", "3 B", "Two"] and found[4][2] == "All"
    assert len(found) == 301 and "1 to 300 of 5,001" in page and 'href="?p=1"' in page
    assert rows(pages.get(f"/{repo_id}/tree/main/many?p=16").text)[-1][0] == "4999.txt"
    assert "4,801 to 5,001" in pages.get(f"/{repo_id}/tree/main/many?p=999").text
    assert min(took) < 2, "seconds, on a busy machine"
