"""The lists as pages: search, filters with their counts, order and pages, all in the address; collections."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub.launch import Server, running
from localhub.pages.lists import PAGE

TASKS = ("text-classification", "fill-mask", "translation")
LANGUAGES = ("en", "[fr, en]")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Hub with 35 models of two namespaces, a data set, and a private model."""
    with running(tmp_path_factory.mktemp("shelf")) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        for number in range(35):
            card = (
                f"---\nlicense: mit\nlanguage: {LANGUAGES[number % 2]}\npipeline_tag: {TASKS[number % 3]}\n"
                f"library_name: {'peft' if number % 5 == 0 else 'transformers'}\ntags: [t{number}]\n---\n# x"
            )
            _put(api, f"{'left' if number < 30 else 'right'}/m{number:02}", card)
        rows = "---\ntask_categories: [text-classification]\npretty_name: Tweets\n---\n"
        _put(api, "left/rows", rows, "dataset")
        _put(api, "left/secret", "---\npipeline_tag: fill-mask\n---\n", private=True)
        yield server


def _put(api: HfApi, name: str, card: str, kind: str = "model", private: bool = False) -> None:
    api.create_repo(name, repo_type=kind, private=private, exist_ok=True)
    operations = [CommitOperationAdd("README.md", card.encode())]
    api.create_commit(name, operations, commit_message="x", repo_type=kind)


@pytest.fixture(scope="module")
def browser(shelf: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shelf.url, headers={"Accept": "text/html"}) as client:
        yield client


def found(html: str) -> list[str]:
    """The ids of a list, in order."""
    return re.findall(r'<a class="name" href="/((?!collections/)[^"]+)"', html)


def choices(html: str) -> dict[str, tuple[int, str]]:
    """{value: (count, address)} of the filters."""
    aside = html[html.index("<aside") :]
    rows = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+) <span class="quiet">(\d+)</span>', aside)
    return {value: (int(count), href.replace("&amp;", "&")) for href, value, count in rows}


def test_pages_of_a_long_list_hold_every_row_once(browser: httpx.Client) -> None:
    first = browser.get("/models?sort=alphabetical").text
    assert found(first) == [f"left/m{number:02}" for number in range(30)] and len(found(first)) == PAGE
    later = re.search(r'rel="next" href="([^"]+)"', first)
    assert later and "sort=alphabetical" in later[1]
    second = browser.get(later[1].replace("&amp;", "&")).text
    assert found(second) == [f"right/m{number}" for number in range(30, 35)] and 'rel="next"' not in second
    assert 'rel="prev" href="/models?sort=alphabetical"' in second and "2 of 2" in second
    assert found(browser.get("/models?sort=alphabetical&p=99").text) == found(second), "the last page"
    assert set(found(browser.get("/models").text)) <= set(found(first) + found(second))


def test_newest_first(browser: httpx.Client) -> None:
    times = re.findall(r'<time datetime="([^"]+)"', browser.get("/models").text)
    assert len(times) == PAGE and times == sorted(times, reverse=True)


def test_each_filter_leads_to_as_many_as_it_counts(browser: httpx.Client) -> None:
    start = browser.get("/models").text
    assert choices(start)["fill-mask"][0] == 12 and choices(start)["English"][0] == 35
    assert choices(start)["French"][0] == 17 and choices(start)["mit"][0] == 35
    for value, (count, href) in choices(start).items():
        narrowed = browser.get(href).text
        assert f'<p class="quiet">{count}' in narrowed, value
        inner = [item for item in choices(narrowed).items() if item[1][0] < count]
        for more, (fewer, further) in inner[:2]:
            assert f'<p class="quiet">{fewer}' in browser.get(further).text, (value, more)


def test_filters_search_and_order_go_together_and_can_be_undone(browser: httpx.Client) -> None:
    html = browser.get("/models?search=left&pipeline_tag=fill-mask&library=peft&sort=alphabetical").text
    assert found(html) == ["left/m10", "left/m25"]
    asked = "/models?search=left&sort=alphabetical"
    assert choices(html)["fill-mask"][1] == f"{asked}&library=peft", "on: it undoes"
    assert choices(html)["translation"] == (2, f"{asked}&pipeline_tag=translation&library=peft")
    undo = re.findall(r'<a class="pill" href="([^"]+)"', html)
    assert len(undo) == 3 and len(found(browser.get(undo[0].replace("&amp;", "&")).text)) == 2
    assert '<input type="hidden" name="pipeline_tag" value="fill-mask">' in html, "a new search keeps filters"
    assert 'name="sort" value="alphabetical"' in html and 'value="left"' in html
    assert html.count('aria-current="true"') == 4, "the kind, the order and two filters"


def test_the_addresses_of_the_hub_work(browser: httpx.Client) -> None:
    assert len(found(browser.get("/models?license=license:mit&other=t7").text)) == 1
    assert found(browser.get("/models?author=Right&sort=alphabetical").text)[0] == "right/m30"
    tweets = browser.get("/datasets?task_categories=task_categories:text-classification").text
    assert found(tweets) == ["datasets/left/rows"]
    assert "Nothing matches" in browser.get("/models?other=no-such-tag").text


def test_a_search_says_what_it_finds_among_other_kinds(browser: httpx.Client) -> None:
    html = browser.get("/models?search=tweets").text
    assert not found(html) and '<a href="/datasets?search=tweets">1 in data sets</a>' in html
    assert found(browser.get("/datasets?search=tweets").text) == ["datasets/left/rows"]


def test_overviews_of_everything_and_of_a_namespace(browser: httpx.Client) -> None:
    home = browser.get("/").text
    assert len(found(home)) == 9 and '<a href="/models">All 35</a>' in home and "Data sets" in home
    left = browser.get("/LEFT").text
    assert "<h1>left</h1>" in left and '<a href="/models?author=left">All 30</a>' in left
    assert all("/left/" in f"/{name}" for name in found(left))
    assert len(found(browser.get("/right").text)) == 5
    assert browser.get("/nobody").status_code == 404


def test_what_is_private_is_neither_listed_nor_counted(browser: httpx.Client, shelf: Server) -> None:
    mine = {"auth": ("me", shelf.token)}
    for address in ("/models?search=secre", "/models?other=fill-mask&search=left/s", "/models?author=left"):
        assert "left/secret" not in browser.get(address).text
    assert choices(browser.get("/models").text)["fill-mask"][0] == 12
    assert choices(browser.get("/models", **mine).text)["fill-mask"][0] == 13
    assert found(browser.get("/models?search=secret", **mine).text) == ["left/secret"]


def test_collections_show_what_the_caller_may_see(browser: httpx.Client, shelf: Server) -> None:
    api = HfApi(endpoint=shelf.url, token=shelf.token)
    made = api.create_collection("Small <ones>", namespace="left", description="What & why")
    for name, kind in (("left/m03", "model"), ("left/rows", "dataset"), ("left/secret", "model")):
        api.add_collection_item(made.slug, name, kind, note="<b>first</b>" if name == "left/m03" else None)
    api.add_collection_item(made.slug, "1706.03762", "paper")
    hidden = api.create_collection("Hidden", namespace="left", private=True)
    api.add_collection_item(made.slug, hidden.slug, "collection")
    mine = {"auth": ("me", shelf.token)}
    page = browser.get(f"/collections/{made.slug}").text
    assert found(page) == ["left/m03", "datasets/left/rows"] and "arxiv.org/abs/1706.03762" in page
    assert "Small &lt;ones&gt;</h1>" in page and "&lt;b&gt;first" in page and "What &amp; why" in page
    assert '<span class="pill">data set</span>' in page and "secret" not in page and "Hidden" not in page
    assert "left/secret" in found(browser.get(f"/collections/{made.slug}", **mine).text)
    assert browser.get(f"/collections/{hidden.slug}").status_code == 404
    for address in ("/collections", "/left", "/"):
        assert f'href="/collections/{made.slug}"' in browser.get(address).text
        assert hidden.slug not in browser.get(address).text
        assert hidden.slug in browser.get(address, **mine).text
    assert made.slug not in browser.get("/right").text


def test_hostile_filters_are_text(browser: httpx.Client) -> None:
    html = browser.get('/models?search="><script>1&other=<b>&library=' + "x" * 5000).text
    assert "<script" not in html and "<b>" not in html and "x" * 201 not in html
    assert browser.get("/models?p=-1&sort=%00&language=%ff").status_code == 200


def test_an_empty_hub_says_how_to_fill_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("empty")) as server:
        html = httpx.get(server.url, headers={"Accept": "text/html"}).text
        assert f"export HF_ENDPOINT={server.url}" in html and "hf upload NAMESPACE/NAME" in html
        for address in ("/models", "/datasets", "/spaces", "/collections"):
            assert " yet." in httpx.get(server.url + address, headers={"Accept": "text/html"}).text


def test_what_lists_show_is_kept_and_is_never_that_of_another_commit(tmp_path: Path) -> None:
    """Other bytes in the file are not believed unless they say that they are of this commit and this code."""
    with running(tmp_path) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        _put(api, "kept/model", "---\npipeline_tag: fill-mask\nlicense: mit\n---\n")
        assert "fill-mask" in httpx.get(f"{server.url}/models").text
    file = tmp_path / "repos/models/kept/model/row.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"tasks": ["read-from-the-file"]}))
    with running(tmp_path) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        assert "read-from-the-file" in httpx.get(f"{server.url}/models").text
        _put(api, "kept/model", "---\npipeline_tag: translation\nlicense: mit\n---\n")
        assert "translation" in httpx.get(f"{server.url}/models").text
    for damaged in (json.dumps(kept), "{", "[1]", json.dumps(kept | {"made_of": [1], "odd": 2}), ""):
        file.write_text(damaged)
        with running(tmp_path) as server:
            assert "translation" in httpx.get(f"{server.url}/models").text
        assert json.loads(file.read_text())["tasks"] == ["translation"]


def test_lists_while_repositories_come_and_go(shelf: Server, browser: httpx.Client) -> None:
    api = HfApi(endpoint=shelf.url, token=shelf.token)
    stop = Event()

    def churn() -> None:
        while not stop.is_set():
            for number in range(3):
                api.create_repo(f"gone/m{number}")
            for number in range(3):
                api.delete_repo(f"gone/m{number}")

    with ThreadPoolExecutor() as pool:
        coming = pool.submit(churn)
        answers = [browser.get(address).status_code for address in ("/", "/models?search=gone", "/gone") * 20]
        stop.set()
        coming.result()
    assert set(answers) <= {200, 404} and answers[::3] == [200] * 20 == answers[1::3]
