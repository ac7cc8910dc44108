"""The page of a card: the facts beside it, and a snippet that fits what the repository is."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub import mirror
from localhub.cards.vocabulary import LICENSES, TASKS
from localhub.launch import Server
from localhub.pages import licenses, snippets
from localhub.pages.languages import NAMES, name
from localhub.pages.wording import interval

Show = Callable[..., str]
CONTENT = {"config.json": '{"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"}'}


@pytest.fixture
def show(api: HfApi, hub: Server) -> Show:
    """Publish a card with some files, and tags in order, and give its page."""

    def shown(card: str, *files: str, kind: str = "model", tags: tuple[str, ...] = ()) -> str:
        repo_id = f"shown/r{uuid4().hex[:8]}"
        api.create_repo(repo_id, repo_type=kind)
        content = {"README.md": card, **{path: CONTENT.get(path, "{}") for path in files}}
        operations = [CommitOperationAdd(path, text.encode()) for path, text in content.items()]
        api.create_commit(repo_id, operations, commit_message="x", repo_type=kind)
        for tag in tags:
            api.create_tag(repo_id, tag=tag, repo_type=kind)
        prefix = "" if kind == "model" else f"/{kind}s"
        return httpx.get(f"{hub.url}{prefix}/{repo_id}").text.replace(repo_id, "NS/NAME")

    return shown


def front(**fields: object) -> str:
    return "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items()) + "---\n"


def snippet(page: str) -> str:
    """The Python of the page's box, which must at least be Python."""
    panel = page[page.index("<aside") : page.index("</aside>")]
    code = html.unescape(panel.split("<pre")[2].split(">", 1)[1].split("</pre>")[0])
    ast.parse(code)
    return re.sub(r",?\n\)", ")", re.sub(r",\n +", ", ", re.sub(r"\(\n +", "(", code)))


def test_evaluation_results_with_intervals(show: Show) -> None:
    metrics = [
        {
            "type": "f1",
            "name": "Macro F1",
            "value": 0.935633,
            "args": {"confidence_interval": [0.916951, 0.952968], "confidence_level": 0.95},
        },
        {"type": "accuracy", "value": 0.9},
        {"type": "odd", "value": 1, "args": {"confidence_interval": ["<b>", None]}},
        {"type": "odder", "value": 2, "args": [1]},
    ]
    result = {
        "task": {"type": "text-classification"},
        "dataset": {"name": "Tweets", "type": "a/b", "split": "test"},
        "metrics": metrics,
    }
    page = show(front(**{"model-index": [{"name": "m", "results": [result]}]}))
    table = page[page.index('<table class="scores"') : page.index("</table>")]
    assert "<caption>Tweets, test</caption>" in table and '<th scope="col">95% interval</th>' in table
    assert '<th scope="row">Macro F1</th><td>0.9356</td><td class="quiet">0.917–0.953</td>' in table
    assert (
        '<th scope="row">accuracy</th><td>0.9</td><td class="quiet"></td>' in table and "&lt;b" not in table
    )
    assert interval((12.3456, 45.678)) == "12.35–45.68" and interval((0.0001, 0.0002)) == "0.0001–0.0002"


def test_facts_have_names_and_links(show: Show, api: HfApi) -> None:
    api.create_repo("shown/base", exist_ok=True)
    api.create_repo("shown/rows", repo_type="dataset", exist_ok=True)
    page = show(
        front(
            license="apache-2.0",
            language=["en", "pt", "xyz"],
            base_model="shown/base",
            base_model_relation="quantized",
            datasets=["shown/rows", "not/here"],
            tags=["a&b"],
        )
    )
    panel = page[page.index("<aside") : page.index("</aside>")]
    assert 'href="https://spdx.org/licenses/Apache-2.0.html"' in panel
    assert ">English</a>" in panel and ">Portuguese</a>" in panel and ">xyz</a>" in panel
    assert "<dt>Quantized from</dt>" in panel and 'href="/shown/base"' in panel
    assert 'href="/datasets/shown/rows"' in panel and '<span class="value">not/here</span>' in panel
    assert 'href="/models?other=a%26b"' in panel
    base = httpx.get(f"{api.endpoint}/shown/base").text
    link = base.split("Models here built on it</dt><dd>")[1].split('href="')[1].split('"')[0]
    assert "NAME" not in link and page.count("NS/NAME") > 3
    assert (
        "quantized" not in link and httpx.get(f"{api.endpoint}{html.unescape(link)}").text.count("<li>") >= 1
    )


def test_where_a_licence_can_be_read(show: Show) -> None:
    own = front(license="other", license_name="house-rules", license_link="LICENSE")
    assert '/NS/NAME/blob/main/LICENSE" rel="noopener noreferrer">house-rules</a>' in show(own, "LICENSE")
    assert '<span class="value">house-rules</span>' in show(own), "a link to no file"
    far = front(license="other", license_name="x", license_link="https://example.org/l")
    assert 'href="https://example.org/l"' in show(far)
    assert '<span class="value">llama3</span>' in show(front(license="llama3"))
    known = {licence for licence in LICENSES if licenses.spdx(licence)}
    assert len(known) > 50 and licenses.spdx("mit") == "https://spdx.org/licenses/MIT.html"
    assert licenses.shown({"license": "mit", "license_link": "javascript:x"}, set(), "/a/b")[0][1].startswith(
        "https"
    )


def test_what_the_tables_hold_is_in_the_vocabulary() -> None:
    found = find_spec("transformers")
    assert found is not None and found.origin
    source = ast.parse((Path(found.origin).parent / "pipelines/__init__.py").read_text())
    tables = [it for it in ast.walk(source) if isinstance(it, ast.Assign) and isinstance(it.value, ast.Dict)]
    table = next(it for it in tables if ast.unparse(it.targets[0]) == "SUPPORTED_TASKS")
    supported = {ast.literal_eval(key) for key in table.value.keys if key}  # type: ignore[attr-defined]
    assert (licenses.IN_CAPITALS | set(licenses.SPELLED)) <= set(LICENSES)
    assert set(TASKS) & snippets.PIPELINES == snippets.PIPELINES
    assert snippets.PIPELINES - {"text-to-speech"} == set(TASKS) & supported


def test_names_of_languages() -> None:
    assert len(NAMES) > 180 and name("fr") == "French" and name("zh-Hant") == "Chinese (Hant)"


CASES = [
    ({"pipeline_tag": "fill-mask"}, ("config.json",), 'pipeline("fill-mask", model="NS/NAME"'),
    ({"pipeline_tag": "translation"}, ("config.json",), "AutoModelForSeq2SeqLM.from_pretrained(repo"),
    ({"library_name": "setfit"}, ("config.json",), 'SetFitModel.from_pretrained("NS/NAME"'),
    ({"library_name": "sentence-transformers"}, ("config.json",), 'SentenceTransformer("NS/NAME"'),
    ({}, ("config.json", "modules.json"), 'SentenceTransformer("NS/NAME"'),
    (
        {"library_name": "sentence-transformers", "tags": ["x", "cross-encoder"]},
        ("config.json",),
        'CrossEncoder("NS/NAME"',
    ),
    ({"library_name": "peft"}, ("adapter_config.json",), 'PeftModel.from_pretrained(base, "NS/NAME"'),
    ({"library_name": "timm"}, ("config.json",), 'snapshot_download("NS/NAME"'),
    ({}, ("weights.bin",), 'snapshot_download("NS/NAME"'),
]


@pytest.mark.parametrize("case", CASES)
def test_the_snippet_of_a_model_is_what_it_takes_and_pinned(
    show: Show, case: tuple[dict[str, object], tuple[str, ...], str]
) -> None:
    fields, files, expected = case
    free = snippet(show(front(license="mit", **fields), *files))
    assert expected in free and "revision" not in free
    page = show(front(license="mit", **fields), *files, tags=("v0.9", "v0.10", "v0.1"))
    assert expected in snippet(page) and 'revision="v0.10"' in snippet(page)
    assert "Pinned to the newest release, v0.10." in page


def test_the_snippet_of_a_data_set(show: Show) -> None:
    rows = show(front(license="mit"), "data/train.jsonl.gz", kind="dataset", tags=("one",))
    assert snippet(rows).endswith('rows = load_dataset("NS/NAME", revision="one")')
    configs = [{"config_name": 'a"b', "data_files": "a.csv"}, {"config_name": "c", "data_files": "c.csv"}]
    assert 'load_dataset("NS/NAME", "a\\"b")' in snippet(
        show(front(configs=configs), "a.csv", kind="dataset")
    )
    other = snippet(show(front(license="mit"), "model.onnx", kind="dataset"))
    assert other.endswith('snapshot_download("NS/NAME", repo_type="dataset")')


def test_a_release_behind_main_is_said_to_be(show: Show, api: HfApi, hub: Server) -> None:
    repo_id = f"shown/r{uuid4().hex[:8]}"
    api.create_repo(repo_id)
    api.create_tag(repo_id, tag='odd"tag')
    api.create_commit(repo_id, [CommitOperationAdd("a.txt", b"x")], commit_message="later")
    page = httpx.get(f"{hub.url}/{repo_id}").text
    assert "main has changed since" in page and 'revision="odd\\"tag"' in snippet(page)


def test_how_to_point_at_this_hub_is_one_line(show: Show, hub: Server) -> None:
    panel = show(front(license="mit"))
    assert f'<pre class="use">export HF_ENDPOINT={hub.url}</pre>' in panel


def test_the_card_of_a_gated_model_stands_before_the_gate(api: HfApi, hub: Server) -> None:
    repo_id = f"shown/r{uuid4().hex[:8]}"
    api.create_repo(repo_id)
    api.create_commit(
        repo_id,
        [CommitOperationAdd("README.md", b"---\nlicense: mit\n---\n# Behind the gate")],
        commit_message="x",
    )
    api.update_repo_settings(repo_id, gated="auto")
    page = httpx.get(f"{hub.url}/{repo_id}")
    assert page.status_code == 200 and "Behind the gate</h1>" in page.text and ">gated</span>" in page.text
    assert ">gated</span>" in httpx.get(f"{hub.url}/models?search={repo_id}").text


def test_odd_metadata_spoils_neither_its_page_nor_the_list(hub: Server, data: Path, tmp_path: Path) -> None:
    """The client would not send such cards; a mirrored one may say anything."""
    odd = {
        "language": [{"a": 1}, None, "\ud800"],
        "tags": ["\udfff", 3, ["x"]],
        "license": ["mit", "\ud800"],
        "base_model": ["a/b/c", "../..", "\ud800/x"],
        "datasets": {"x": 1},
        "model-index": [{"results": [{"dataset": 1, "metrics": [{"value": [1], "args": {"x": [1]}}, 2]}]}, 3],
        "configs": [1, {"config_name": 2}],
    }
    (tmp_path / "README.md").write_text(f"---\n{json.dumps(odd)}\n---\n# Odd")
    (tmp_path / "config.json").write_text('{"architectures": ["\\ud800", 3], "model_type": "\\ud800"}')
    mirror.add(data, "shown/odd", tmp_path, "odd")
    for address in ("/shown/odd", "/models?search=shown/odd", "/models", "/", "/api/models?search=odd"):
        answer = httpx.get(hub.url + address)
        assert answer.status_code == 200, (address, answer.text)
    assert '<span class="pill">mirror</span>' in httpx.get(f"{hub.url}/models?search=shown/odd").text


@pytest.mark.parametrize(
    "case",
    [
        ({"task_type": "SEQ_CLS"}, "AutoModelForSequenceClassification", "num_labels=2"),
        ({"task_type": "TOKEN_CLS", "base_model_name_or_path": "x/y"}, "AutoModelForTokenClassification", ""),
        ({"task_type": "CAUSAL_LM"}, "AutoModelForCausalLM", ""),
        ({"task_type": ["x"]}, "AutoModel", ""),
    ],
)
def test_the_snippet_of_an_adapter_names_nothing_that_it_does_not_make(
    api: HfApi, hub: Server, case: tuple[dict[str, object], str, str]
) -> None:
    config, head, more = case
    repo_id = f"shown/a{uuid4().hex[:8]}"
    api.create_repo(repo_id)
    card = front(license="mit", library_name="peft", base_model="google/b")
    content = {"README.md": card, "adapter_config.json": json.dumps(config)}
    operations = [CommitOperationAdd(path, text.encode()) for path, text in content.items()]
    api.create_commit(repo_id, operations, commit_message="x")
    code = snippet(httpx.get(f"{hub.url}/{repo_id}").text)
    assert f"import {head}\n" in code and f'base = {head}.from_pretrained("google/b"' in code
    assert more in code
    names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)} | {head, "PeftModel"}
    assert {node.id for node in names} <= made


def test_values_that_are_not_shown_are_counted(show: Show) -> None:
    page = show(front(license="mit", tags=[f"tag{number}" for number in range(40)]))
    assert ">tag23</a>" in page and ">tag24</a>" not in page and "16 more" in page
    assert "more</span></dd>" not in show(front(license="mit", tags=["one"]))


def test_a_card_of_metadata_only_is_there(show: Show) -> None:
    page = show(front(license="mit"))
    assert '<a href="/NS/NAME/blob/main/README.md">README.md</a> holds no text' in page
    assert "no card" not in page


def test_titles_of_spaces_and_data_sets_are_shown(api: HfApi, hub: Server) -> None:
    space, rows = (f"titled{uuid4().hex[:8]}/{kind}" for kind in ("space", "rows"))
    wheat = "---\ntitle: Wheat <i>\nemoji: 🌾\nshort_description: Counts grains\nsdk: static\n---\n"
    for repo_id, kind, card in (
        (space, "space", wheat),
        (rows, "dataset", front(pretty_name="Rows of wheat")),
    ):
        api.create_repo(repo_id, repo_type=kind, space_sdk="static" if kind == "space" else None)
        api.upload_file(
            path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=repo_id, repo_type=kind
        )
    line = '<p class="titled"><b>🌾 Wheat &lt;i&gt;</b> · Counts grains</p>'
    for page in (f"/spaces/{space}", f"/spaces?author={space.split('/')[0]}", "/spaces?search=grains"):
        assert line in httpx.get(hub.url + page).text
    for page in (f"/datasets/{rows}", f"/datasets?author={rows.split('/')[0]}"):
        assert '<p class="titled"><b>Rows of wheat</b></p>' in httpx.get(hub.url + page).text
