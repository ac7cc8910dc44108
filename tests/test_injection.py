"""Labels, columns, texts and file names of any kind do no harm: on the pages, in what DVC shows, in any file.

A repository of hostile names goes through every stage and is released; beside it lies its twin, which differs
by tame names alone. Whatever shows the two may differ in text, and in nothing else. (The card itself:
tests/test_card_text.py, by the same payloads.)
"""

import html
import json
import math
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub import launch
from stages.card import card
from stages.core.layout import Layout
from stages.core.records import read_lines
from stages.core.schema import Card, Hub, Params
from stages.push import deliver
from stages.release.card import render
from stages.release.contents import collect
from stages.release.edition import gather
from stages.release.endpoint import Target
from stages.release.sidecar import describe, dumped
from tests import tiny, whole
from tests.release.conftest import not_reloaded
from tests.test_card_text import PAYLOADS

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
CANARY = "canarybird"  # in every text of the data


def _is_a_name(text: str) -> bool:
    """Whether a label may be called so: prepare refuses line ends and control characters."""
    return text == text.strip() and not {unicodedata.category(c) for c in text} & {"Cc", "Zl", "Zp"}


NAMES = list(
    dict.fromkeys(unicodedata.normalize("NFC", p) for p in PAYLOADS.values() if _is_a_name(p) and len(p) < 99)
)
COLUMN = '<img src=x onerror="alert(1)">=1+1'
FILE = '=HYPERLINK("x") <script>alert(1)<_script> [a](javascript:x) {{ 7 * 7 }} \u202efdp.csv'
# On the Hub by somebody else's hand.
FOLDER = '"><script>alert(1)<'
PATHS = [f"{FOLDER}/script>.md", "[a](javascript:alert(1)).txt", "=1+1 \u202egnp.csv", "' onload='x.json"]
TAME = {name: f"tame {number}" for number, name in enumerate([*NAMES, COLUMN, FILE, FOLDER])}
TAME |= {PATHS[0]: f"{TAME[FOLDER]}/a.md", PATHS[1]: "b.txt", PATHS[2]: "c.csv", PATHS[3]: "d.json"}


def tamed(node: Any) -> Any:
    """The same with tame names, wherever a hostile one stands alone."""
    if isinstance(node, dict):
        return {tamed(key): tamed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [tamed(value) for value in node]
    return TAME.get(node, node) if isinstance(node, str) else node


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Layout]:
    """Every stage, on rows in which every name is hostile, and every text."""
    root = tmp_path_factory.mktemp("hostile") / "work"
    root.mkdir()
    texts = [text for text, _ in tiny.sentences(12 * len(NAMES))]
    rows = [
        [f"{text} {CANARY} {NAMES[(3 * place) % len(NAMES)]}", NAMES[place % len(NAMES)], NAMES[place % 5]]
        for place, text in enumerate(texts)
    ]
    said = {"title": NAMES[0], "summary": NAMES[1], "tags": NAMES[:3], "examples": NAMES}
    return whole.run(
        root,
        ["text", "label", COLUMN],
        rows,
        FILE,
        task={"labels": None},
        data={"slices": [COLUMN], "checks": {"near_leaks": "off"}},
        train={"num_train_epochs": 1},
        card={**said, "data": {"name": NAMES[2], "description": NAMES[3]}, "show_examples": True},
    )


@dataclass(frozen=True)
class Shown:
    """A Hub that shows the release and its twin."""

    browser: httpx.Client
    hostile: str
    tame: str
    files: list[str]

    def page(self, repo_id: str, path: str) -> str:
        answer = self.browser.get(f"/{repo_id}{path}")
        assert answer.status_code == 200, (path, answer.text)
        return answer.text


@pytest.fixture(scope="module")
def shown(hostile: tuple[Params, Layout], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    params, layout = hostile
    with launch.running(tmp_path_factory.mktemp("hub")) as server:
        target = Target(server.url, server.url, server.token, loopback=True)
        edition = gather(layout, params.hub)
        deliver(target, edition, params.hub, layout, lambda line: None, not_reloaded)
        api = HfApi(endpoint=server.url, token=server.token)
        api.create_repo("tests/tame")
        twin = {path: file.source.read_bytes() for path, file in edition.content.items()} | tame_files(
            hostile
        )
        _commit(api, "tests/tame", twin, "Release v0.1.0", create_pr=True)
        api.merge_pull_request("tests/tame", 1)
        for repo_id, tame in (("tests/tiny", False), ("tests/tame", True)):
            title = "tame 0" if tame else NAMES[0]
            theirs = {TAME[path] if tame else path: b"text" for path in PATHS}
            _commit(api, repo_id, theirs, title)
            _commit(api, repo_id, {"b.md": b"text"}, title, create_pr=True)
            api.comment_discussion(repo_id, 2, title)
        with httpx.Client(base_url=server.url, headers={"Accept": "text/html"}) as browser:
            yield Shown(browser, "tests/tiny", "tests/tame", sorted(twin))


def _commit(api: HfApi, repo_id: str, files: dict[str, bytes], title: str, **more: Any) -> None:
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    api.create_commit(repo_id, operations, commit_message=title, **more)


def tame_files(hostile: tuple[Params, Layout]) -> dict[str, bytes]:
    """The texts of the twin: card, sidecar, records and the model's configuration."""
    params, layout = hostile
    given = Card.model_validate(tamed(params.card.model_dump()))
    names = ("data", "baselines", "train", "eval", "curve", "snippet")
    known = {name: tamed(json.loads(layout.report(name).read_text())[0]) for name in names}
    mistaken = ["tame" for _ in read_lines(layout.mistakes)]
    hub = Hub(repo_id="tests/tame", version="0.1.0")
    text = render(layout.templates, given, hub, known, {}, mistaken)
    sidecar = describe(text, {f"reports/{name}.json": "0" * 64 for name in names}, "0" * 64, "en", {})
    config = tamed(json.loads((layout.trained / "config.json").read_text()))
    found = {f"reports/{name}.json": json.dumps([known[name]], indent=2, sort_keys=True) for name in names}
    del found["reports/curve.json"]
    found |= {
        "README.md": str(text),
        "card.json": dumped(sidecar),
        "config.json": json.dumps(config, indent=2),
    }
    lines = [json.dumps(tamed(line)) + "\n" for line in read_lines(layout.published)]
    return {
        path: made.encode() for path, made in (found | {"reports/predictions.jsonl": "".join(lines)}).items()
    }


class Tags(HTMLParser):
    """The tags of a page with the names of their attributes; links and sources."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "action", "srcset")]


def test_the_card_on_its_page_has_the_tags_of_its_twin(shown: Shown) -> None:
    def article(repo_id: str) -> Tags:
        page = shown.page(repo_id, "")
        return Tags(page[page.index("<article") : page.index("</article>")])

    found, tame = article(shown.hostile), article(shown.tame)
    assert len(found.tags) > 500
    # A code span cannot hold a bar in a table; such a text stands there escaped.
    assert [t for t in found.tags if t[0] != "code"] == [t for t in tame.tags if t[0] != "code"]
    twins = [link.replace("/tests/tiny/", "/tests/tame/") for link in found.links]
    assert [link for link in twins if link[0] != "#"] == [link for link in tame.links if link[0] != "#"]


# Beside the pages of single files; main holds files of others, whose names are hostile too.
PAGES = (
    "/tree/main",
    f"/tree/main/{quote(FOLDER)}",
    "/commits/main",
    "/commit/main",
    "/discussions",
    "/discussions/1",
    "/discussions/2",
)
HARMLESS = ("/", "#", "?", "https://", "http://127.0.0.1:")


def test_no_page_has_tags_or_attributes_that_its_twin_has_not(shown: Shown) -> None:
    files = [f"/blob/main/{quote(path)}" for path in (*shown.files, *PATHS)]
    for path in (*PAGES, *files):
        twin = path
        for name in (*PATHS, FOLDER):
            twin = twin.replace(quote(name), quote(TAME[name]))
        found, tame = Tags(shown.page(shown.hostile, path)), Tags(shown.page(shown.tame, twin))
        assert len(found.tags) > 20
        assert set(found.tags) <= set(tame.tags), path
        assert not [link for link in found.links if not link.startswith(HARMLESS)]


def test_nothing_turns_the_text_of_a_page_around_and_the_names_are_there(shown: Shown) -> None:
    turning = re.compile("[\u202a-\u202e\u2066-\u2069]")
    shown_as = {"/tree/main": "=1+1 ‹U+202E›gnp.csv", "/blob/main/reports/data.json": "safe‹U+202E›gnp.exe"}
    for path in ("", *PAGES, *(f"/blob/main/{quote(path)}" for path in (*shown.files, *PATHS))):
        page = shown.page(shown.hostile, path)
        assert not turning.search(page), path
        assert shown_as.get(path, "") in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.page(shown.hostile, "")


def dvc(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dvc_shows_plots_and_metrics_in_which_no_name_of_the_data_is(
    hostile: tuple[Params, Layout], tmp_path: Path
) -> None:
    """A page of HTML, and Markdown that goes into comments on pull requests: DVC escapes neither."""
    _, layout = hostile
    for name in ("reports", "model_cards", "params.yaml"):
        copy = shutil.copytree if (layout.root / name).is_dir() else shutil.copy
        copy(layout.root / name, tmp_path / name)
    shutil.copy(whole.ROOT / "dvc.yaml", tmp_path)
    dvc(tmp_path, "init", "--quiet", "--no-scm")
    shutil.copy(whole.ROOT / ".dvc/config", tmp_path / ".dvc/config")
    dvc(tmp_path, "plots", "show", "--out", "plots")
    page = (tmp_path / "plots/index.html").read_text(encoding="utf-8")
    metrics = dvc(tmp_path, "metrics", "show", "--md")
    assert "eval_f1_macro" in page and page.count("<img") > 5
    assert "reports/scores.json" in metrics
    for name in (*NAMES, COLUMN, CANARY):
        forms = {name, html.escape(name), json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]}
        if len(name) > 5:  # a shorter one, such as a rule, is in every page
            assert not [form for form in forms if form in page or form in metrics], name
    tags = Tags(page).tags
    assert {tag for tag, _ in tags} <= {"html", "head", "title", "script", "style", "body", "div", "p", "img"}
    assert {name for _, names in tags for name in names} <= {"id", "style", "src", "type"}


def test_the_one_table_that_a_spreadsheet_would_open_holds_numbers(hostile: tuple[Params, Layout]) -> None:
    _, layout = hostile
    tables = [path for kind in ("csv", "tsv") for path in layout.root.rglob(f"*.{kind}")]
    ours = [path for path in tables if not path.is_relative_to(layout.raw)]
    assert ours == [layout.history]
    head, *rows = [line.split("\t") for line in layout.history.read_text().splitlines()]
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in head)
    assert rows and not any(math.isinf(float(cell)) for row in rows for cell in row)


def released(layout: Layout) -> dict[str, bytes]:
    return {path: file.source.read_bytes() for path, file in collect(layout, "full").items()}


def test_no_text_of_the_data_is_released_unless_it_is_asked_for(hostile: tuple[Params, Layout]) -> None:
    """Then it stands on the card, and in the lines of the card that its sidecar holds."""
    params, layout = hostile
    rows = [row["text"] for row in read_lines(layout.mistakes)]
    assert rows and all(CANARY in text for text in rows)
    asked = released(layout)
    assert {path for path, data in asked.items() if CANARY.encode() in data} == {"README.md", "card.json"}
    kept = layout.card.read_bytes(), layout.card_sources.read_bytes()
    card(params.model_copy(update={"card": params.card.model_copy(update={"show_examples": False})}), layout)
    silent = released(layout)
    layout.card.write_bytes(kept[0])
    layout.card_sources.write_bytes(kept[1])
    assert silent.keys() == asked.keys() and len(silent) > 10
    assert not [path for path, data in silent.items() if CANARY.encode() in data]
