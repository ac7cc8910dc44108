"""The card: golden files, honesty, what is left out, what is refused.

After a wanted change of the card, `python -m tests.test_card` writes tests/golden/card_*.md anew: read the
diff.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from stages.card import card
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.schema import Params
from stages.release.agreement import agree, baselines_agree, curve_agrees, snippet_agrees
from stages.release.card import render
from stages.release.snippet import code, examples
from tests import card_records
from tests.card_records import Record

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "model_cards/templates"
GOLDEN = ROOT / "tests/golden"
RECORDS: dict[str, Callable[[], dict[str, Record]]] = {"full": card_records.full, "lora": card_records.lora}


def rendered(records: dict[str, Record], params: Params | None = None) -> str:
    params = params or card_records.params()
    return render(TEMPLATES, params.card, params.hub, records, card_records.PROSE)


def parts(text: str) -> tuple[dict[str, Any], str]:
    """The front matter, as its strictest reader takes it, and the body."""
    _, front, body = text.split("---\n", 2)
    return YAML(typ="safe", pure=True).load(front), body


@pytest.mark.parametrize("kind", RECORDS)
def test_card_is_the_golden_one(kind: str) -> None:
    assert rendered(RECORDS[kind]()) == (GOLDEN / f"card_{kind}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", RECORDS)
def test_the_hubs_own_parser_reads_the_front_matter_and_gives_it_back(kind: str) -> None:
    from huggingface_hub import ModelCard

    text = rendered(RECORDS[kind]())
    parsed = ModelCard(text)
    front, _ = parts(text)
    assert parsed.data.to_dict() == front
    assert parsed.data.base_model_relation == {"full": "finetune", "lora": "adapter"}[kind]
    assert parsed.data.library_name == {"full": "transformers", "lora": "peft"}[kind]
    found = {(r.metric_type, (r.metric_args or {}).get("average")): r for r in parsed.data.eval_results}
    assert set(found) == {("accuracy", None), ("f1", "macro"), ("f1", "micro"), ("f1", "weighted")}
    assert found["f1", "macro"].metric_value == 0.942
    leading = parsed.data.eval_results[0].metric_args  # the main metric's
    assert leading["average"] == "macro" and leading["confidence_level"] == 0.95
    scored = RECORDS[kind]()["eval"]["metrics"]["f1_macro"]
    assert leading["confidence_interval"] == [scored["low"], scored["high"]]


def test_only_data_sets_of_the_hub_are_named_as_such() -> None:
    assert "datasets" not in parts(rendered(card_records.full()))[0]
    front, _ = parts(rendered(card_records.lora()))
    assert front["datasets"] == ["demo/tweets"]
    data_set = front["model-index"][0]["results"][0]["dataset"]
    assert (data_set["type"], data_set["split"], data_set["revision"]) == (
        "demo/tweets",
        "held_out",
        "ab" * 20,
    )


def test_data_that_was_not_pinned_is_said_to_be() -> None:
    assert "(not pinned)" not in rendered(card_records.lora())
    records = card_records.lora()
    del records["data"]["source"]["revision"]
    text = rendered(records)
    assert f"commit `{'ab' * 20}` (not pinned)" in text
    assert parts(text)[0]["model-index"][0]["results"][0]["dataset"]["revision"] == "ab" * 20


def test_words_that_yaml_1_1_reads_otherwise_are_quoted() -> None:
    import yaml

    words = ["no", "yes", "on", "1e5", "12:30", "0.10", "null", "~", "=", "2026-01-01", "0x1f", "- a", "#x"]
    text = rendered(card_records.full(), card_records.params(languages=["no"], tags=words))
    front = yaml.safe_load(text.split("---\n", 2)[1])
    assert (front["language"], front["tags"]) == (["no"], words)


def test_unknown_facts_are_left_out_with_their_headings() -> None:
    records = card_records.full()
    records["data"]["normalisation"] = []
    records["data"]["rows"]["rejected"] = {}
    for split in records["data"]["splits"].values():
        del split["characters"]
    records["eval"]["baselines"] = {}
    params = card_records.params(
        summary=None, license=None, languages=[], tags=[], repository=None, data={"name": "Own tweets"}
    )
    del records["data"]["checks"]
    text = render(TEMPLATES, params.card, params.hub, records, {})
    front, body = parts(re.sub("<!-- parution:.* -->\n+", "", text))
    assert not {"license", "language", "tags", "datasets"} & front.keys()
    assert "the data, Own tweets: licence not known" in body
    for absent in (
        "hutto2014vader",
        "## Intended use",
        "looked for",
        "baseline",
        "None",
        "null",
        "nan",
        "ore information",
        "left out",
        "git clone",
    ):
        assert absent not in body, absent
    assert "\n\n\n" not in body


@pytest.mark.parametrize("kind", RECORDS)
def test_paragraphs_are_one_blank_line_apart(kind: str) -> None:
    text = rendered(RECORDS[kind]())
    assert "\n\n\n" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("better", "| **better** |"),
        ("worse", "| **worse** |"),
        ("same", "| as good |"),
        ("inconclusive", "| not told apart |"),
    ],
)
def test_the_card_says_what_the_comparison_found(verdict: str, words: str) -> None:
    records = card_records.full()
    records["eval"]["baselines"]["linear"]["comparison"]["verdict"] = verdict
    text = rendered(records)
    row = next(line for line in text.splitlines() if line.startswith("| **Linear model**:"))
    assert words in row
    summary = text.split("## Results")[0]
    assert ("do not show it to be better than the linear" in summary) == (verdict in ("same", "inconclusive"))
    assert ("It does worse than the linear" in summary) == (verdict == "worse")


def test_snippets_ask_for_the_release_and_for_the_base_revision_only_when_it_is_pinned() -> None:
    full, lora = snippet(card_records.full()), snippet(card_records.lora())
    assert 'model="demo/tweet-sentiment-minilm",\n    revision="v0.1.0",' in full
    assert '"demo/tweet-sentiment-minilm", "v0.1.0"' in lora
    assert f'revision="{"cd" * 20}",' in lora
    unpinned = card_records.lora()
    unpinned["train"]["base"]["revision"] = None
    assert 'revision="cd' not in snippet(unpinned)
    for text in (full, lora, snippet(unpinned)):
        compile(text, "snippet", "exec")


def snippet(records: dict[str, Record]) -> str:
    params = card_records.params()
    asked = examples(params.card, records["data"], records["train"])
    return code(TEMPLATES, params.hub, records["train"], asked)


def test_reproduction_names_the_repository_and_where_its_commit_is_found() -> None:
    section = rendered(card_records.full()).split("## Reproduction")[1]
    assert "```bash\ngit clone https://git.example.org/demo/tweet-sentiment\n```\n" in section
    assert "(`Code commit: …`, in the pull request “Release v0.1.0”)" in section
    unnamed = rendered(card_records.full(), card_records.params(repository=None)).split("## Reproduction")[1]
    assert "`Code commit: …`" in unnamed and "git.example.org" not in unnamed


@pytest.mark.parametrize(
    "url",
    [
        "git@example.org:a/b",
        "javascript:alert(1)",
        "https://x.example/<b>",
        "https://user:secret@x.example/a",
        "https://secret@x.example",
        "x",
    ],
)
def test_only_web_addresses_are_repositories(url: str) -> None:
    with pytest.raises(ValidationError, match="repository"):
        card_records.params(repository=url)
    assert card_records.params(repository="https://x.example/@demo/tweets").card.repository


DISAGREEING: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "other weights": (lambda r: r["eval"]["model"].update(sha256="0" * 64), "another model"),
    "other test rows": (lambda r: r["eval"]["test"].update(sha256="0" * 64), "other test rows"),
    "baselines on other rows": (lambda r: r["baselines"]["test"].update(sha256="0" * 64), "other test rows"),
    "trained on another split": (lambda r: r["train"]["data"].update(train="0" * 64), "another train split"),
    "a curve on other rows": (lambda r: r["curve"]["data"].update(train="0" * 64), "another training"),
    "a curve of another training": (lambda r: r["curve"]["hyperparameters"].clear(), "another training"),
    "a snippet of another model": (
        lambda r: r["snippet"]["model"].update(sha256="0" * 64),
        "another model",
    ),
    "baseline not described": (lambda r: r["baselines"]["models"].pop("majority"), "majority"),
}


def together(records: dict[str, Record]) -> None:
    agree(records["data"], records["train"], records["eval"])
    baselines_agree(records["data"], records["baselines"], records["eval"])
    curve_agrees(records["data"], records["train"], records["curve"])
    snippet_agrees(records["train"], records["snippet"])


@pytest.mark.parametrize("case", DISAGREEING)
def test_records_that_do_not_belong_together_are_refused(case: str) -> None:
    records = card_records.lora()
    together(records)
    change, words = DISAGREEING[case]
    change(records)
    with pytest.raises(PipelineError, match=f"{words}.*dvc repro"):
        together(records)


@pytest.fixture
def repository(tmp_path: Path) -> Layout:
    """A folder with parameters, templates and records, as the stages before the card leave it."""
    layout = Layout(tmp_path)
    shutil.copytree(TEMPLATES, layout.templates)
    layout.data_report.parent.mkdir()
    records = card_records.full()
    for name, record in records.items():
        layout.report(name).write_text(json.dumps(record))
    card_records.figures(layout.results_plot.parent)
    layout.prose.mkdir()
    for name, text in card_records.PROSE.items():
        (layout.prose / f"{name}.md").write_text(text + "\n")
    layout.params.write_text(json.dumps(card_records.PARAMS))  # JSON is YAML
    return layout


def test_the_stage_writes_the_card_and_the_same_bytes_again(repository: Layout) -> None:
    card(card_records.params(), repository)
    first = repository.card.read_bytes()
    card(card_records.params(), repository)
    assert repository.card.read_bytes() == first == (GOLDEN / "card_full.md").read_bytes()


def test_the_learning_curve_is_drawn_when_there_is_one(repository: Layout) -> None:
    from PIL import Image

    for records, wide in ((card_records.full(), False), (card_records.lora(), True)):
        for path, name in ((repository.train_report, "train"), (repository.curve_report, "curve")):
            path.write_text(json.dumps(records[name]))
        card(card_records.params(), repository)
        assert ("figures/curve.png" in repository.card.read_text()) == wide
        with Image.open(repository.curve_plot) as image:
            assert (image.size == (1, 1)) != wide


def test_a_curve_that_tells_nothing_is_said_to() -> None:
    records = card_records.lora()
    records["curve"]["law"]["informative"] = False
    text = rendered(records)
    assert "they do not tell what more rows would bring" in text
    assert "power law" not in text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% if %}", r"card\.en\.md:1: "),
        ("\n{{ no_such_fact }}", r"card\.en\.md:2: .*no_such_fact"),
        ("{{ ''.__class__.__mro__ }}", r"card\.en\.md:1: .*unsafe"),
        ("{{ train.lora }}", r"card\.en\.md:1: .*not known"),
        ("\n\n{{ card.title | count }}", r"card\.en\.md:3: "),
        (None, "missing"),
    ],
)
def test_a_template_that_does_not_work_is_one_line_and_writes_nothing(
    repository: Layout, template: str | None, words: str
) -> None:
    file = repository.templates / "card.en.md"
    file.unlink() if template is None else file.write_text(template)
    with pytest.raises(PipelineError, match=words) as caught:
        card(card_records.params(), repository)
    assert "\n" not in str(caught.value)
    assert not repository.card.exists()


def test_the_stage_is_light(repository: Layout) -> None:
    """Under a second of CPU, and none of the libraries that cost seconds to import."""
    heavy = (
        "{'torch', 'numpy', 'transformers', 'datasets', 'huggingface_hub', 'matplotlib', 'scipy', 'sklearn'}"
    )
    code = (
        "import runpy, sys; runpy.run_module('stages.card', run_name='__main__');"
        f"loaded = {heavy} & sys.modules.keys(); sys.exit(f'loaded: {{loaded}}' if loaded else 0)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository.root, env=env, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (0, "")
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 1.0


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for kind, make in RECORDS.items():
        (GOLDEN / f"card_{kind}.md").write_text(rendered(make()), encoding="utf-8")
