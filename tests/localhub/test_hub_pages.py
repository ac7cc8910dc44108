"""The pages: that they answer, that they show what is stored, and that a hostile card does nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from collections.abc import Iterator

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub.launch import Server

CARD = """---
license: mit
language: en
pipeline_tag: text-classification
library_name: transformers
base_model: org/base-model
datasets: [org/rows]
tags: ["<b>tag</b>"]
model-index:
- name: m
  results:
  - task: {type: text-classification}
    dataset: {name: "Rows <script>", type: org/rows}
    metrics: [{type: f1, name: Macro F1, value: 0.93571}]
---
# Title & more

| a | b |
|:--|--:|
| 1 | 2 |

![curve](figures/loss.png) ![far](https://evil.example/t.gif) ![up](../../../secret.png)
[config](config.json) [site](https://example.org) [js](javascript:alert(1)) [anchor](#title-more)

<details><summary>More</summary>

inside

</details>

<script>alert("one")</script>
<img src=x onerror="alert(2)"><svg onload=alert(3)></svg><iframe src="https://evil.example"></iframe>
<a href="data:text/html,x" onclick="alert(4)">x</a> <p style="position:fixed">styled</p>
<form action="/api/repos/delete"><input></form><style>body{display:none}</style><base href="//evil.example">
"""


def tensors(count: int) -> bytes:
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": [count, 10], "data_offsets": [0, count * 40]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(count * 40)


@pytest.fixture(scope="module")
def shown(hub: Server) -> str:
    api = HfApi(endpoint=hub.url, token=hub.token)
    name = "pages/model"
    api.create_repo(name)
    operations = [
        CommitOperationAdd("README.md", CARD.encode()),
        CommitOperationAdd(
            "config.json", b'{"architectures": ["BertForSequenceClassification"], "x": "<script>"}'
        ),
        CommitOperationAdd("figures/loss.png", b"\x89PNG\r\n\x1a\n\x00\x00"),
        CommitOperationAdd("model.safetensors", tensors(1200)),
        CommitOperationAdd("odd <name> & 100%.txt", b"<script>alert(5)</script>\n"),
    ]
    opened = api.create_commit(name, operations, commit_message="Release <1>", create_pr=True)
    api.comment_discussion(name, 1, "<script>alert(6)</script>")
    assert opened.pr_num is not None
    api.merge_pull_request(name, opened.pr_num)
    api.create_tag(name, tag="v1.0", tag_message="first")
    changed = CARD.replace("Title", "New title").replace("0.93571", "0.94")
    api.create_commit(name, [CommitOperationAdd("README.md", changed.encode())], commit_message="Second")
    return name


@pytest.fixture(scope="module")
def browser(hub: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url, headers={"Accept": "text/html"}) as client:
        yield client


def test_every_page_answers_with_a_strict_policy(browser: httpx.Client, shown: str) -> None:
    addresses = [
        "/",
        "/models",
        "/models?search=model&pipeline_tag=text-classification&sort=alphabetical&p=1",
        "/datasets",
        "/pages",
        f"/{shown}",
        f"/{shown}/tree/main",
        f"/{shown}/tree/v1.0",
        f"/{shown}/tree/main/figures",
        f"/{shown}/tree/refs%2Fpr%2F1",
        f"/{shown}/blob/main/config.json",
        f"/{shown}/blob/main/model.safetensors",
        f"/{shown}/blob/main/odd%20%3Cname%3E%20&%20100%25.txt",
        f"/{shown}/blob/main/figures/loss.png",
        f"/{shown}/commits/main",
        f"/{shown}/commit/main",
        f"/{shown}/commit/v1.0",
        f"/{shown}/discussions",
        f"/{shown}/discussions/1",
    ]
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert ("script-src 'sha256-" in policy) == ("<script" in answer.text)
        assert policy.count("script-src") <= 1 and "script-src 'self'" not in policy
        assert "set-cookie" not in answer.headers and answer.headers["x-content-type-options"] == "nosniff"
        assert_harmless(answer.text)


def assert_harmless(html: str) -> None:
    tags = re.findall(r"<\s*([a-zA-Z]+)([^>]*)>", html)
    names = {name.lower() for name, _ in tags}
    assert not names & {"svg", "iframe", "style", "base", "object", "embed"}
    scripts = [attributes for name, attributes in tags if name.lower() == "script"]
    assert all(
        re.fullmatch(r' src="/-/copy\.js\?\w+" integrity="sha256-[\w+/=]+" defer', it) for it in scripts
    )
    assert html.count("</script") == len(scripts) == html.count("defer></script>") < 2
    for name, attributes in tags:
        bad = re.search(r"\son\w+\s*=|style\s*=|javascript:|data:", attributes, re.IGNORECASE)
        assert not bad, (name, attributes)
    assert html.count("<form") == 1, "only the search box"


def test_card_page(browser: httpx.Client, shown: str, hub: Server) -> None:
    html = browser.get(f"/{shown}").text
    card = html[html.index("<article") : html.index("</article>")]
    assert '<h1 id="new-title--more">New title &amp; more</h1>' in card and "license: mit" not in card
    assert '<td align="right">2</td>' in card and "<details><summary>More</summary>" in card
    assert f'src="/{shown}/resolve/main/figures/loss.png"' in card
    assert f'href="/{shown}/blob/main/config.json"' in card and 'href="https://example.org"' in card
    assert "evil.example" not in card and "secret" not in card and "> far " in card
    panel = html[html.index("<aside") : html.index("</aside>")]
    for fact in (
        "12K",
        "F32",
        "text-classification",
        "transformers",
        "mit",
        "Fine-tuned from",
        "English",
        "org/base-model",
        "org/rows",
        "Macro F1",
        "0.94",
        "&lt;b&gt;tag&lt;/b&gt;",
        "Rows &lt;script&gt;",
    ):
        assert fact in panel, fact
    assert f"HF_ENDPOINT={hub.url}" in panel and f"model=&#34;{shown}&#34;" in panel
    assert "/tree/v1.0" in html


def test_other_pages_show_what_is_stored(browser: httpx.Client, shown: str) -> None:
    home = browser.get("/models?search=text-classification pages").text
    assert f'href="/{shown}"' in home and "12K parameters" in home
    assert f'href="/{shown}"' not in browser.get("/models?search=nothing-like-this").text
    files = browser.get(f"/{shown}/tree/main").text
    assert "model.safetensors" in files and "LFS" in files and "48.1 kB" in files
    assert f"/{shown}/resolve/main/model.safetensors?download=true" in files
    link = re.search(rf'href="(/{shown}/blob/main/odd[^"]*)"', files)
    assert link and "&lt;script&gt;alert(5)" in browser.get(link[1].replace("&amp;", "&")).text
    history = browser.get(f"/{shown}/commits/main").text
    assert history.index("Second") < history.index("Release &lt;1&gt; (#1)") < history.index("initial commit")
    commit = browser.get(f"/{shown}/commit/main").text
    assert "-# <mark>Title</mark> &amp; more" in commit and "+# <mark>New title</mark> &amp; more" in commit
    release = browser.get(f"/{shown}/commit/v1.0").text
    assert "12,000 F32 in 1 tensor" in release and release.index("README.md") < release.index("config.json")
    talk = browser.get(f"/{shown}/discussions/1").text
    assert "alert(6)" not in talk and "merged" in talk  # a comment is Markdown, and as safe as a card
    assert browser.get("/-/style.css").headers["content-type"].startswith("text/css")


def test_what_pages_load_is_ours_and_may_be_kept(browser: httpx.Client, shown: str) -> None:
    html = browser.get(f"/{shown}").text
    script = re.search(r'<script src="([^"]+)" integrity="sha256-([^"]+)"', html)
    loaded = [*re.findall(r'<link [^>]*href="([^"]+)"', html), script[1] if script else ""]
    assert len(loaded) == 3 and all(re.fullmatch(r"/-/[a-z.]+\?[0-9a-f]{16}", address) for address in loaded)
    for address in loaded:
        answer = browser.get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert hashlib.sha256(answer.content).hexdigest()[:16] == address.partition("?")[2]
    assert script and base64.b64decode(script[2]) == hashlib.sha256(browser.get(script[1]).content).digest()
    assert f"script-src 'sha256-{script[2]}'" in browser.get(f"/{shown}").headers["content-security-policy"]


def test_stored_html_is_never_a_page_of_ours(api: HfApi, hub: Server, repo_id: str) -> None:
    api.create_commit(repo_id, [CommitOperationAdd("x.html", b"<script>1</script>")], commit_message="x")
    answer = httpx.get(f"{hub.url}/{repo_id}/resolve/main/x.html", headers={"Accept": "text/html"})
    assert (
        answer.headers["content-type"].startswith("text/plain")
        and answer.headers["x-content-type-options"] == "nosniff"
    )
    assert "sandbox" in answer.headers["content-security-policy"]


def test_private_pages_need_the_token(api: HfApi, hub: Server, browser: httpx.Client) -> None:
    api.create_repo("pages/hidden", private=True)
    assert browser.get("/pages/hidden").status_code == 401
    assert "pages/hidden" not in browser.get("/models?search=hidden").text
    assert "pages/hidden" not in browser.get("/pages").text
    assert "Basic" in browser.get("/?sign-in").headers["www-authenticate"]
    assert "Basic" in browser.get("/", auth=("me", "wrong")).headers["www-authenticate"]
    signed = browser.get("/pages/hidden", auth=("me", hub.token))
    assert signed.status_code == 200 and "private" in signed.text
    assert browser.get("/?sign-in", auth=("me", hub.token)).headers["location"] == "/"
    assert "pages/hidden" in browser.get("/pages", auth=("me", hub.token)).text


def test_missing_pages(browser: httpx.Client, shown: str) -> None:
    for address, code in (
        ("/pages/nothing", 401),
        (f"/{shown}/tree/nope", 404),
        (f"/{shown}/blob/main/nope", 404),
        ("/a/b/c/d", 404),
        ("/nobody-of-that-name", 404),
        ("/-/base.html", 404),
        ("/-/..%2Frender.py", 404),
        (f"/{shown}/discussions/99", 404),
        (f"/{shown}/discussions/x", 404),
        (f"/{shown}/commit/nope", 404),
    ):
        answer = browser.get(address)
        assert answer.status_code == code and "<html" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_data_set_pages(api: HfApi, browser: httpx.Client) -> None:
    api.create_repo("pages/rows", repo_type="dataset")
    api.create_commit(
        "pages/rows",
        [CommitOperationAdd("train.csv", b"a,b\n1,2\n")],
        commit_message="rows",
        repo_type="dataset",
    )
    assert "load_dataset(&#34;pages/rows&#34;)" in browser.get("/datasets/pages/rows").text
    assert "train.csv" in browser.get("/datasets/pages/rows/tree/main").text
    assert "/datasets/pages/rows" in browser.get("/datasets").text
