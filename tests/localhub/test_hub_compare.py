"""Two releases side by side: numbers with what may be said of them, settings, versions, files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import HfApi

from localhub.launch import Server
from localhub.pages import keypaths, numbers
from localhub.pages.wording import amount, size
from tests.localhub.releases import commit, publish, rows


@pytest.fixture(scope="module")
def pages(hub: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url, headers={"Accept": "text/html"}) as client:
        yield client


@pytest.fixture(scope="module")
def releases(hub: Server) -> str:
    """A model with the releases v1.0 and v2.0."""
    return publish(hub, "compared/model")


def section(page: str, title: str) -> str:
    """The part of a comparison under a heading."""
    start = page.index(f"<h2>{title}</h2>")
    return page[start : page.find('<section class="part">', start)]


def test_numbers_of_two_releases_stand_side_by_side(pages: httpx.Client, releases: str) -> None:
    page = pages.get(f"/{releases}/compare/v1.0..v2.0").text
    found = {row[0]: row[1:] for row in rows(section(page, "Numbers")) if len(row) == 4}
    f1 = ["0.8000 0.7800 to 0.8200", "0.9000 0.8800 to 0.9200", "+0.1000 intervals do not overlap"]
    assert found["Macro F1"] == f1
    assert found["Accuracy"][2:] == ["0 the same"]
    assert found["Loss"] == ["1.2500", "–", "only in the older"]
    assert found["Cross entropy"] == ["–", "1.2500", "only in the newer"]
    assert "Tweets, test" in page and "better" not in section(page, "Numbers").replace(
        "which way is better", ""
    )
    swapped = pages.get(f"/{releases}/compare/v2.0..v1.0").text
    assert "−0.1000" in section(swapped, "Numbers") and "v2.0 does not lead to v1.0" in swapped


def test_what_else_differs_between_two_releases(pages: httpx.Client, releases: str) -> None:
    page = pages.get(f"/{releases}/compare/v1.0..v2.0").text
    assert rows(section(page, "Parameters and sizes"))[1:3] == [
        ["Parameters", "1,200 (1.2K) · F32", "1,800 (1.8K) · F16"],
        ["Weights", "4.96 kB in 1 file", "3.83 kB in 1 file"],
    ]
    assert rows(section(page, "Card metadata"))[1:] == [
        ["license", "mit", "apache-2.0"],
        ["tags", '["a"]', '["a", "b"]'],
    ]
    assert rows(section(page, "Library versions"))[1:] == [
        ["transformers", "5.1.0", "5.2.0"],
        ["torch", "2.1.0", "2.2.0"],
    ]
    keyed = rows(section(page, "Settings and records"))
    assert ["train.learning_rate", "0.0001", "5e-05"] in keyed and ["extra", "–", "null"] in keyed
    assert ["environment.torch", "2.1.0", "2.2.0"] in keyed and not any("epochs" in row[0] for row in keyed)
    files = rows(section(page, "Files"))
    assert ["model.safetensors", "changed", "4.96 kB", "3.83 kB"] in files
    assert ["gone.bin", "deleted", "100 B", ""] in files
    assert ["assets/vocab.txt was vocab.txt", "renamed", "340 B", "340 B"] in files
    assert "1 commit ahead" in page and "Line by line" in page and 'class="diff"' not in page
    assert 'class="diff"' in pages.get(f"/{releases}/compare/v1.0..v2.0?view=unified").text


def test_which_two_are_compared(pages: httpx.Client, releases: str, api: HfApi, repo_id: str) -> None:
    answer = pages.get(f"/{releases}/compare")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{releases}/compare/v1.0..v2.0")
    answer = pages.get(f"/{releases}/compare?from=v2.0&to=main")
    assert answer.headers["location"] == f"/{releases}/compare/v2.0..main"
    assert "v2.0 and main are the same commit" in pages.get(answer.headers["location"]).text
    for where in (f"/{releases}", f"/{releases}/commits/main", f"/{releases}/tree/main"):
        assert f'href="/{releases}/compare"' in pages.get(where).text
    assert "No releases (tags) yet" in pages.get(f"/{repo_id}/compare").text
    for number, tag in enumerate(("stable/v9", "stable/v10"), 1):
        commit(api, repo_id, {"a.txt": f"{number}\n"})
        api.create_tag(repo_id, tag=tag)
    chosen = pages.get(f"/{repo_id}/compare", follow_redirects=True)
    assert chosen.url.raw_path.decode().endswith("/compare/stable%2Fv9..stable%2Fv10")
    assert "stable/v9 → stable/v10" in chosen.text
    assert pages.get(f"/{repo_id}/compare/stable/v9..main").status_code == 200
    for missing in ("v9..main", "main..v9", "main", "main...main"):
        assert pages.get(f"/{repo_id}/compare/{missing}").status_code == 404, missing


def test_data_sets_are_compared_too(api: HfApi, pages: httpx.Client) -> None:
    name = f"compared/rows{uuid4().hex[:8]}"
    api.create_repo(name, repo_type="dataset")
    for tag, licence in (("2024", "mit"), ("2025", "cc0-1.0")):
        files = {"README.md": f"---\nlicense: {licence}\n---\n# R", f"{tag}.csv": "a,b\n1,2\n" * len(licence)}
        commit(api, name, dict(files), repo_type="dataset")
        api.create_tag(name, tag=tag, repo_type="dataset")
    page = pages.get(f"/datasets/{name}/compare", follow_redirects=True)
    assert page.url.path == f"/datasets/{name}/compare/2024..2025" and "<h2>Numbers</h2>" not in page.text
    assert ["license", "mit", "cc0-1.0"] in rows(page.text)
    assert f'href="/datasets/{name}/blob/2025/2025.csv"' in page.text
    assert ["2025.csv", "added", "", "56 B"] in rows(page.text)


def test_sizes_are_not_rounded_out_of_their_unit() -> None:
    assert [size(count) for count in (999, 999_499, 999_999, 10**9 - 1)] == [
        "999 B",
        "999 kB",
        "1 MB",
        "1 GB",
    ]
    assert [amount(count) for count in (999, 999_936, 22_713_986)] == ["999", "1M", "22.7M"]


def test_key_paths() -> None:
    def differ(old: object, new: object) -> list[tuple[str, str | None, str | None]]:
        return [(it.path, it.old, it.new) for it in keypaths.changed(old, new) or ()]

    assert differ({"a": 1, "b": {"c": True}}, {"a": 1.0, "b": {"c": 1}}) == [
        ("a", "1", "1.0"),
        ("b.c", "true", "1"),
    ]
    assert differ({"a": "1"}, {"a": 1}) == [("a", '"1"', "1")], "a string and a number are told apart"
    assert differ({"a": {}}, {"a": {"x.y": "z"}}) == [("a", "{}", None), ('a["x.y"]', None, "z")]
    one, two = {"name": "f1", "value": 1}, {"name": "acc", "value": 2}
    assert differ({"m": [one]}, {"m": [two, one]}) == [
        ("m[acc].name", None, "acc"),
        ("m[acc].value", None, "2"),
    ]
    assert differ({"m": [one, one]}, {"m": [one, one | {"value": 3}]}) == [("m[1].value", "1", "3")]
    assert differ({"a": [1, 2]}, {"a": [1, 3]}) == [("a", "[1, 2]", "[1, 3]")]
    assert keypaths.changed({str(number): number for number in range(30_000)}, {}) is None
    deep: object = 1
    for _ in range(200):
        deep = {"k": deep}
    assert len(differ(deep, {})) == 1, "no deeper than is sane"
    assert keypaths.read("a.yaml", "a: &x [1]\nb: *x\n") == {"a": [1], "b": [1]}
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True)
    )
    for path, text in (("a.yaml", bomb), ("a.yaml", "a: [" * 900), ("a.json", "[" * 90_000), ("a.txt", "{}")):
        assert keypaths.read(path, text) is None


def card(value: object, *, ends: object = None, level: float = 0.95, **dataset: object) -> dict[str, object]:
    args = {} if ends is None else {"confidence_interval": ends, "confidence_level": level}
    result = {
        "task": {"type": "t"},
        "dataset": {"type": "d"} | dataset,
        "metrics": [{"type": "f1", "value": value, "args": args}],
    }
    return {"model-index": [{"results": [result]}]}


@pytest.mark.parametrize(
    ("old", "new", "words", "difference"),
    [
        (card(0.8, ends=[0.7, 0.9]), card(0.85, ends=[0.75, 0.95]), "intervals overlap", "+0.0500"),
        (card(0.8, ends=[0.7, 0.9]), card(0.7, ends=[0.6, 0.69]), "intervals do not overlap", "−0.1000"),
        (card(0.8, ends=[0.7, 0.9]), card(0.85), "no interval to judge by", "+0.0500"),
        (
            card(1.0, ends=[0, 1]),
            card(2.0, ends=[2, 3], level=0.9),
            "intervals of different levels",
            "+1.0000",
        ),
        (
            card(0.8, ends=[0.7, 0.75], revision="a"),
            card(0.9, ends=[0.8, 0.95], revision="b"),
            "other test rows; intervals do not overlap",
            "+0.1000",
        ),
        (card("n/a"), card("n/a"), "the same", ""),
        (card(True), card(None), "differs", ""),
        (card(1234.5), card(1300.25), "no interval to judge by", "+65.75"),
        (card(10**400), card(1), "differs", ""),
        (card(0.8, ends=[0.9, 0.7]), card(0.9, ends=["a", None]), "no interval to judge by", "+0.1000"),
    ],
)
def test_words_do_not_say_more_than_the_intervals(
    old: dict[str, object], new: dict[str, object], words: str, difference: str
) -> None:
    (pair,) = numbers.pairs(old, new)
    assert (pair.words, pair.difference) == (words, difference)


@pytest.mark.parametrize("index", [None, 3, "x", [3], [{"results": 4}], [{"results": [{"metrics": [None]}]}]])
def test_a_malformed_model_index_has_no_numbers(index: object) -> None:
    assert numbers.pairs({"model-index": index}, {}) == []


def test_a_comparison_is_quick(pages: httpx.Client, releases: str) -> None:
    """A tenth of a second; the bound allows for a busy machine."""
    took = []
    for _ in range(3):
        start = time.perf_counter()
        assert pages.get(f"/{releases}/compare/v1.0..v2.0").status_code == 200
        took.append(time.perf_counter() - start)
    assert min(took) < 1
