"""`python -m stages.card --check`: what was changed after it was made is found, here and in a release."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.card import card, check
from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import digest, folder_digests, sha256
from stages.core.layout import Layout
from stages.core.records import parse
from stages.release.checking import against, released
from tests import card_records
from tests.card_records import Record
from tests.test_card import ROOT, TEMPLATES
from tests.test_card_sources import hostile

MADE = {"full": card_records.full, "lora": card_records.lora, "hostile": hostile}


def written(root: Path, made: dict[str, Record]) -> Layout:
    """A repository after its card stage: these records, of a model that is there."""
    layout = Layout(root)
    shutil.copytree(TEMPLATES, layout.templates)
    layout.trained.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (layout.trained / name).write_text(f"{name}: 1234")
    files = folder_digests(layout.trained)
    made["train"]["model"] = {"files": files, "sha256": digest(files)}
    made["eval"]["model"] = made["snippet"]["model"] = {"sha256": digest(files)}
    for name, record in made.items():
        records.write(layout.report(name), record)
    card_records.figures(layout.results_plot.parent)
    layout.params.write_text(json.dumps(card_records.PARAMS))  # JSON is YAML
    card(card_records.params(), layout)
    return layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return written(tmp_path / "here", card_records.lora())


@pytest.fixture
def release(layout: Layout, tmp_path: Path) -> Path:
    """What a stranger downloads."""
    return as_released(layout, tmp_path / "there")


def as_released(layout: Layout, folder: Path) -> Path:
    shutil.copytree(layout.trained, folder)
    shutil.copytree(layout.data_report.parent, folder / "reports")
    shutil.copytree(layout.results_plot.parent, folder / "figures")
    shutil.copy(layout.card, folder)
    shutil.copy(layout.card_sources, folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def found(layout: Layout) -> str:
    with pytest.raises(PipelineError) as caught:
        check(card_records.params(), layout)
    return str(caught.value)


@pytest.mark.parametrize("kind", MADE)
def test_what_was_not_touched_passes(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = written(tmp_path / "here", MADE[kind]())
    check(card_records.params(), layout)
    assert "values agree with their records" in capsys.readouterr().out
    problems, said = released(as_released(layout, tmp_path / "there"))
    assert problems == []
    assert "values agree with their records" in said


# What is changed on the card, and what is said: the place, the wrong value, its record and the right one.
ON_THE_CARD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a score": ("is **0.942**", "is **0.982**", ("'0.982'", "eval.json#/metrics/f1_macro/value", "'0.942'")),
    "a longer number": ("On 790 held", "On 1790 held", ("'1790'", "eval.json#/metrics/f1_macro/n", "'790'")),
    "a count": ("22,953,604 weights", "2,953,604 weights", ("train.json#/parameters/total",)),
    "a computed share": ("(1%) were", "(12%) were", ("'12%'", "#/parameters/trainable", "'1%'")),
    "a computed difference": ("it by +0.028", "it by +0.029", ("#/points/2/validation", "#/points/1/")),
    "a number in the front matter": ("value: 0.942", "value: 0.95", (":39:", "'0.95'", "f1_macro/value")),
    "an id": ("base_model: demo/base", "base_model: demo/bass", ("'demo/bass'", "train.json#/base/repo_id")),
    "a digest": ("`cccccc", "`cccccd", ("data.json#/splits/test/sha256",)),
    "a digest of the weights' file": ("test_sha256: cc", "test_sha256: cd", ("eval.json#/test/sha256",)),
    "a revision": ("revision `cdcd", "revision `cdce", ("train.json#/base/revision",)),
    "a setting": ("| `0.0001` |", "| `0.001` |", ("#/chosen/learning_rate",)),
    "a setting that is true or false": ("| `false` |", "| `true` |", ("`true`", "`false`")),
    "two numbers of a line": ("| 0.930 | 0.940 |", "| 0.931 | 0.941 |", ("'0.931'", "'0.941'")),
    "words around a number": ("its macro F1 is", "its micro F1 is", ("was written as",)),
    "a number that is nobody's": (
        "## Training\n",
        "## Training\n\nIt scores 0.99.\n",
        ("no record is behind",),
    ),
    "a line taken out": ("| negative | 1,212 | 173 | 346 |\n", "", ("is missing",)),
}


@pytest.mark.parametrize("case", ON_THE_CARD)
def test_a_change_of_the_card_is_found(case: str, layout: Layout, release: Path) -> None:
    old, new, said = ON_THE_CARD[case]
    edit(layout.card, old, new)
    edit(release / "README.md", old, new)
    problems, _ = released(release)
    for told in (found(layout), "\n".join(problems)):
        assert 1 <= len(told.splitlines()) <= 2
        for words in said:
            assert words in told


def test_a_disagreement_names_its_line(layout: Layout) -> None:
    edit(layout.card, "is **0.942**", "is **0.95**")
    line = next(n for n, text in enumerate(layout.card.read_text().split("\n"), 1) if "is **0.95**" in text)
    says = "says '0.95', but reports/eval.json#/metrics/f1_macro/value makes it '0.942'"
    assert found(layout) == f"{layout.card}:{line}: {says}"


def test_people_may_write_around_the_blocks_of_a_release_and_lines_may_move(release: Path) -> None:
    assert "people" not in released(release)[1]
    edit(release / "README.md", "<!-- parution:begin data", "Rated by 20 people.\n\n<!-- parution:begin data")
    edit(release / "README.md", "license: apache-2.0\n", "license: apache-2.0\nnew_version: demo/two-2\n")
    problems, said = released(release)
    assert problems == []
    assert "people have written around them since" in said
    text = (release / "README.md").read_bytes()
    (release / "README.md").write_bytes(text.replace(b"\n", b"\r\n"))
    assert released(release)[0] == []


def test_a_sentence_of_a_block_is_not_to_be_edited(release: Path, layout: Layout) -> None:
    for path in (release / "README.md", layout.card):
        edit(path, "The interval tells what other seeds", "An interval tells what other seeds")
    (problem,) = released(release)[0]
    assert problem.endswith(": block training is not as it was generated")
    assert "was written as" in found(layout)
    edit(release / "README.md", "<!-- parution:end training", "<!-- parution:end")
    with pytest.raises(PipelineError, match="block training begins and does not end"):
        released(release)


def test_lines_cannot_change_places(release: Path) -> None:
    rows = ("| negative | 1,212 | 173 | 346 |\n", "| positive | 1,553 | 222 | 444 |\n")
    edit(release / "README.md", "".join(rows), "".join(reversed(rows)))
    assert released(release)[0]


IN_A_RECORD: dict[str, tuple[str, Callable[[Record], None], str]] = {
    "a score": ("eval", lambda r: r["metrics"]["f1_macro"].update(value=0.99), "metrics/f1_macro/value"),
    "a count": ("data", lambda r: r["rows"].update(read=5000), "#/rows/read"),
    "a name": ("train", lambda r: r["base"].update(repo_id="demo/other"), "#/base/repo_id"),
    "a key that is gone": ("data", lambda r: r["splits"].pop("validation"), "splits/validation"),
    "nothing on the card": ("eval", lambda r: r.update(confusion=[]), "is not the record"),
}


@pytest.mark.parametrize("case", IN_A_RECORD)
def test_a_change_of_a_record_is_found_in_a_release(case: str, release: Path) -> None:
    name, change, said = IN_A_RECORD[case]
    path = release / f"reports/{name}.json"
    record = parse(path.read_bytes())
    change(record)
    records.write(path, record)
    problems, _ = released(release)
    assert [line for line in problems if said in line]
    assert [line for line in problems if f"{name}.json: is not the record that card.json names" in line]


@pytest.mark.parametrize("case", ["a score", "a count", "a name"])
def test_a_change_of_a_record_is_found_at_home(case: str, layout: Layout) -> None:
    name, change, said = IN_A_RECORD[case]
    path = layout.root / f"reports/{name}.json"
    record = parse(path.read_bytes())
    change(record)
    records.write(path, record)
    told = found(layout)
    assert said in told
    assert f"{layout.card_sources}: is not what the records make it" in told


def test_a_forged_card_and_sidecar_are_held_against_the_records(release: Path) -> None:
    for name in ("README.md", "card.json"):
        text = (release / name).read_text()
        (release / name).write_text(text.replace("0.942", "0.992"))
    problems, _ = released(release)
    said = "README.md:39: says '0.992', but reports/eval.json#/metrics/f1_macro/value makes it '0.942'"
    assert said in problems


def test_a_value_without_a_record_and_a_path_that_leads_out_are_refused(release: Path) -> None:
    sidecar = json.loads((release / "card.json").read_text())
    (release / "card.json").write_text(json.dumps(sidecar | {"records": {"../secret.json": "0"}}))
    (release.parent / "secret.json").write_text("{}")
    assert [line for line in released(release)[0] if "leads out of" in line]
    sidecar["values"][20]["of"] = [sidecar["values"][20]["text"]]
    (release / "card.json").write_text(json.dumps(sidecar))
    assert [line for line in released(release)[0] if "names no record" in line]


def test_other_weights_are_found(layout: Layout, release: Path) -> None:
    edit(layout.trained / "model.safetensors", "1234", "1235")
    edit(release / "model.safetensors", "1234", "1235")
    assert "model.safetensors: has the SHA-256" in found(layout)
    assert len(problems := released(release)[0]) == 1
    assert "model.safetensors: has the SHA-256" in problems[0]
    (release / "model.safetensors").unlink()
    assert "model.safetensors: is missing" in released(release)[0][0]
    shutil.rmtree(layout.trained)
    assert f"{layout.trained} is missing" in found(layout)


def test_a_model_that_was_not_the_one_evaluated_is_found(layout: Layout, release: Path) -> None:
    """Weights and reports/train.json of one training, reports/eval.json of another."""
    for folder in (layout.trained, release):
        edit(folder / "model.safetensors", "1234", "1235")
    files = folder_digests(layout.trained)
    for path in (layout.train_report, release / "reports/train.json"):
        train = parse(path.read_bytes())
        records.write(path, train | {"model": {"files": files, "sha256": digest(files)}})
    assert "reports/eval.json scores another model" in found(layout)
    assert "is not the model that" in found(layout)
    assert [line for line in released(release)[0] if "is about another model than card.json" in line]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("card.json", None, "card.json: is missing"),
        ("card.json", "[]", "is not the sidecar of a card"),
        ("card.json", "{", "is not JSON"),
        ("README.md", None, "README.md: is missing"),
        ("reports/baselines.json", None, "baselines.json: is missing"),
        ("reports/eval.json", "nonsense", "eval.json: is not JSON"),
    ],
)
def test_an_incomplete_release_is_one_line(path: str, text: str | None, said: str, release: Path) -> None:
    (release / path).unlink()
    if text is not None:
        (release / path).write_text(text)
    try:
        problems, _ = released(release)
    except PipelineError as error:
        problems = [str(error)]
    assert len(problems) == 1
    assert said in problems[0] and "\n" not in problems[0]


def test_a_label_cannot_hide_a_change(tmp_path: Path) -> None:
    layout = written(tmp_path, hostile())
    edit(
        layout.card, "| 7 | 7 | 7 |", "| 7 | 8 | 7 |"
    ) if "| 7 | 7 | 7 |" in layout.card.read_text() else None
    edit(layout.card, "| 2 | 2 | 2 |", "| 2 | 9 | 2 |")
    assert "says '9', but reports/data.json#/splits/validation/labels/" in found(layout)


def test_a_sidecar_without_lines_of_a_card_is_not_fooled_by_equal_lines() -> None:
    """The lines of the sidecar stand in their order, so a doubled line with a number is one too many."""
    sidecar = {"lines": [{"line": 1, "text": "a 5"}, {"line": 2, "text": "b 6"}], "values": []}
    assert list(against("a 5\nb 6", sidecar, "c")) == []
    assert list(against("a 5\nwords\nb 6\n", sidecar, "c")) == []
    assert len(list(against("a 5\na 5\nb 6", sidecar, "c"))) == 1


def told(arguments: list[str], folder: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "stages.card", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command(layout: Layout, release: Path, tmp_path: Path) -> None:
    status, said, wrong = told(["--check"], layout.root)
    assert (status, len(said.splitlines()), wrong) == (0, 1, "")
    edit(layout.card, "is **0.942**", "is **0.95**")
    status, said, wrong = told(["--check"], layout.root)
    assert (status, said, len(wrong.splitlines())) == (1, "", 1)
    status, said, wrong = told(["--check", str(release)], tmp_path)  # no params.yaml, no templates
    assert (status, len(said.splitlines()), wrong) == (0, 1, "")
    edit(release / "README.md", "is **0.942**", "is **0.95**")
    status, said, wrong = told(["--check", str(release)], tmp_path)
    assert (status, said) == (1, "")
    assert wrong.startswith("error: README.md:") and len(wrong.splitlines()) == 1


def test_a_value_of_a_record_that_is_not_there_is_no_value(release: Path) -> None:
    edit(release / "card.json", '"record": "reports/eval.json"', '"record": "reports/other.json"')
    problems = "\n".join(released(release)[0])
    assert "by reports/other.json, which card.json does not list" in problems


def test_words_of_the_front_matter_are_checked_and_additions_are_not(release: Path) -> None:
    edit(release / "README.md", "tags:\n", "thumbnail: x.png\ntags:\n")
    edit(release / "README.md", "- sentiment-analysis\n", "- sentiment-analysis\n- mine\n")
    assert released(release)[0] == []
    edit(release / "README.md", "        average: macro\n", "        average: micro\n")
    assert released(release)[0] == ["README.md: model-index of its front matter is not what was generated"]


SMUGGLED = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "pytorch_model.bin",
    "modeling.py",
    "labels.json",
)


@pytest.mark.parametrize("name", SMUGGLED)
def test_a_file_that_a_library_would_load_and_no_record_names_is_found(name: str, tmp_path: Path) -> None:
    folder = as_released(written(tmp_path / "here", card_records.full()), tmp_path / "there")
    (folder / "notes.txt").write_text("harmless")
    assert released(folder)[0] == []
    (folder / name).write_text("{}")
    assert released(folder)[0] == [f"{folder / name}: no record names it, and a library may load it"]


def test_a_figure_that_was_changed_is_found_here_and_there(layout: Layout, release: Path) -> None:
    (release / "figures/slices.png").write_bytes(b"another")
    assert "figures/slices.png: has the SHA-256" in released(release)[0][0]
    layout.slices_plot.write_bytes(b"another")
    assert "card.json: is not what the records make it" in found(layout)


def test_predictions_that_the_scores_are_not_of_are_found(layout: Layout, release: Path) -> None:
    evaluation = records.read(layout.eval_report, "evaluate")
    predictions = release / "reports/predictions.jsonl"
    predictions.write_text("{}\n")
    records.write(layout.eval_report, evaluation | {"predictions": {"sha256": sha256(predictions)}})
    card(card_records.params(), layout)
    for name in ("README.md", "card.json"):
        shutil.copy(layout.card.with_name(name), release)
    shutil.copy(layout.eval_report, release / "reports")
    assert released(release)[0] == []
    predictions.write_text("{ }\n")
    assert released(release)[0] == [f"{predictions}: is not what reports/eval.json was worked out from"]
    predictions.unlink()
    assert released(release)[0] == [f"{predictions}: is missing, but reports/eval.json names it"]


def test_an_emptied_list_of_files_vouches_for_nothing(layout: Layout, release: Path) -> None:
    train = records.read(layout.train_report, "train")
    train["model"]["files"] = {}
    records.write(release / "reports/train.json", train)
    assert any("are not those of the model that was evaluated" in problem for problem in released(release)[0])


def test_a_release_in_the_cache_of_the_hubs_client_is_links(release: Path, tmp_path: Path) -> None:
    cached, blobs = tmp_path / "models--demo--a/snapshots/abc", tmp_path / "models--demo--a/blobs"
    blobs.mkdir(parents=True)
    for number, file in enumerate(p for p in release.rglob("*") if p.is_file()):
        shutil.move(file, blobs / str(number))
        link = cached / file.relative_to(release)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blobs / str(number))
    assert released(cached)[0] == []
