"""params.yaml: every mistake at once, each with its line, its key and what was probably meant."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.core.errors import PipelineError
from stages.core.params import load
from stages.core.schema import Params

ROOT = Path(__file__).resolve().parents[1]

GOOD = """\
seed: 1
task:
  labels: [no, yes]
data:
  source:
    type: files
    path: rows.csv
base:
  repo_id: org/model
method: full
train:
  learning_rate: 1e-5
card:
  title: A title
  data: {name: rows}
  language: en
hub:
  repo_id: me/mine
  version: 0.1.0
lora: {}
compute: {}
evaluate: {}
baselines: {}
curve: {}
runtime: {}
"""


def read(tmp_path: Path, text: str | bytes) -> Params:
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def errors(tmp_path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(PipelineError) as error:
        read(tmp_path, text)
    return str(error.value).splitlines()


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_the_repositorys_own_files_load() -> None:
    for path in [ROOT / "params.yaml", *sorted((ROOT / "recipes").glob("*.yaml"))]:
        load(path)


def test_yaml_is_1_2_as_dvc_reads_it(tmp_path: Path) -> None:
    params = read(tmp_path, GOOD)
    assert params.train["learning_rate"] == 1e-5
    assert params.task.labels == ["no", "yes"]


@pytest.mark.parametrize("text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n")])
def test_byte_order_mark_and_line_ends(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("seed: 1", "sead: 1", "params.yaml:1: sead: no such key (got 1). Did you mean seed?"),
        ("  labels: [no", "  label: [no", "params.yaml:3: task.label: no such key. Did you mean labels?"),
        (
            "    path:",
            "    pth:",
            "params.yaml:7: data.source.pth: no such key (got 'rows.csv'). Did you mean path?",
        ),
        ("seed: 1", "seed: one", "params.yaml:1: seed: should be a valid integer (got 'one')"),
        ("seed: 1", "seed: true", "params.yaml:1: seed: should be a valid integer (got True)"),
        ("seed: 1", "seed: -1", "params.yaml:1: seed: should be greater than or equal to 0 (got -1)"),
        (
            "version: 0.1.0",
            "version: 1.0",
            "params.yaml:19: hub.version: should be text: put it in quotes (got 1.0)",
        ),
        ("[no, yes]", "[0, 1]", "params.yaml:3: task.labels.0: should be text: put it in quotes (got 0)"),
        ("[no, yes]", "[a, a]", "params.yaml:3: task.labels: should name two or more different labels"),
        ("[no, yes]", "[a, ' b']", "params.yaml:3: task.labels: should hold no empty label"),
        ("method: full", "method: ful", "params.yaml:10: method: should be 'full' or 'lora' (got 'ful')"),
        (
            "type: files",
            "type: file",
            "params.yaml:5: data.source: `type` should be one of files, hub, pypi, not 'file'",
        ),
        ("    type: files\n", "", "params.yaml:5: data.source: `type` is required: one of files, hub, pypi"),
        ("path: rows.csv", "path: ../rows.csv", "params.yaml:7: data.source.path: should be a relative path"),
        ("org/model", "org/../model", "params.yaml:9: base.repo_id: should be a Hub id such as `name/model`"),
        ("org/model", "/etc/passwd", "params.yaml:9: base.repo_id: should be a Hub id"),
        ("me/mine", "../mine", "params.yaml:18: hub.repo_id: should be a Hub id"),
        ("me/mine", "mine", "params.yaml:18: hub.repo_id: should be namespace/name"),
        ("  title: A title\n", "", "params.yaml:13: card.title: is required"),
        ("hub:\n", "hub:\nx:\n", "params.yaml:17: hub: should be a mapping, one `key: value` a line"),
        (
            "learning_rate: 1e-5",
            "learning_rat: 1",
            "params.yaml:12: train.learning_rat: is not a field of TrainingArguments (got 1). Did you mean",
        ),
        (
            "learning_rate: 1e-5",
            "learning_rate: fast",
            "params.yaml:12: train.learning_rate: should be a valid number (got 'fast')",
        ),
        (
            "learning_rate: 1e-5",
            "learning_rate: .nan",
            "params.yaml:12: train.learning_rate: should be a finite number (got nan)",
        ),
        (
            "learning_rate: 1e-5",
            "bf16: true",
            "params.yaml:12: train.bf16: belongs to the pipeline: use `compute.precision` (got True)",
        ),
        (
            "learning_rate: 1e-5",
            "save_steps: 1",
            "params.yaml:12: train.save_steps: belongs to the pipeline: checkpoints are sealed at",
        ),
        (
            "learning_rate: 1e-5",
            "eval_strategy: no",
            "params.yaml:12: train.eval_strategy: should be `epoch` or `steps`",
        ),
        (
            "seed: 1",
            "seed: " + "1" * 5000,
            "params.yaml:1: not a number or a date: Exceeds the limit (4300 digits)",
        ),
        (
            "[no, yes]",
            "[no, " + "1" * 5000 + "]",
            "params.yaml:3: not a number or a date: Exceeds the limit (4300 digits)",
        ),
        (
            "seed: 1",
            "seed: 0x" + "f" * 5000,
            "params.yaml:1: seed: should be less than 4294967296 (got a number of thousands of digits)",
        ),
        (
            "title: A title",
            "title: A title\n  repository: https://me:secret@git.example.org/x",
            "params.yaml:15: card.repository: should be a URL that anyone may see, without `user:token@`"
            " (got 'https://***@git.example.org/x')",
        ),
        ("seed: 1", "seed: 1" + "0" * 4000, "params.yaml:1: seed: should be less than 4294967296 (got 1000"),
        ("A title", "2026-02-30", "params.yaml:14: not a number or a date: day is out of range for month"),
        (
            "path: rows.csv",
            "path: rows.csv\n    header: [id, id, text]",
            "params.yaml:8: data.source.header: should name every column, and each one differently",
        ),
        (
            "path: rows.csv",
            "path: rows.csv\n    header: []",
            "params.yaml:8: data.source.header: should name every column, and each one differently",
        ),
        (
            "version: 0.1.0",
            "version: 0.1.0\n  endpoint: https://huggingface.co/me",
            "params.yaml:20: hub.endpoint: should be `embedded` or a URL such as https://huggingface.co, w",
        ),
        ("seed: 1\n", "seed: 1\nseed: 2\n", "params.yaml:2: not valid YAML: found duplicate key"),
        (
            "  labels",
            "\tlabels",
            "params.yaml:3: not valid YAML: found character '\\t' that cannot start any token",
        ),
        ("A title", "A \a title", "params.yaml:14: not valid YAML: the character U+0007 is not allowed"),
        ("[no, yes]", "[no, yes", "params.yaml:4: not valid YAML:"),
    ],
)
def test_one_mistake(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = errors(tmp_path, changed(old, new))
    assert any(line.startswith(expected) for line in found)
    assert max(map(len, found)) < 400


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://huggingface.co/", "https://huggingface.co"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("embedded", "embedded"),
    ],
)
def test_where_to_publish(tmp_path: Path, given: str, kept: str) -> None:
    text = changed("version: 0.1.0", f"version: 0.1.0\n  endpoint: '{given}'")
    assert read(tmp_path, text).hub.endpoint == kept


@pytest.mark.parametrize(
    "given", ["embedded/", "https://", "https://a@b", "http://[x]", "https://a?b", "ftp://a"]
)
def test_where_not_to_publish(tmp_path: Path, given: str) -> None:
    text = changed("version: 0.1.0", f"version: 0.1.0\n  endpoint: '{given}'")
    assert errors(tmp_path, text)[0].startswith("params.yaml:20: hub.endpoint: should be `embedded` or a URL")


def test_all_mistakes_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("seed", "sead").replace("full", "half").replace("learning_rate", "weight_decai")
    assert [line.split(":")[1] for line in errors(tmp_path, text)] == ["1", "1", "10", "12"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "params.yaml:1: should be a mapping"),
        ("- a\n", "params.yaml:1: should be a mapping"),
        (GOOD.encode() + b"# caf\xe9\n", "params.yaml:26: not UTF-8: save the file as UTF-8"),
        ("[" * 600, "params.yaml: nested too deeply"),
        ("x: 1\n" * 300_000, "params.yaml: 1500000 bytes is too large"),
        (
            "a: &a [x, x]\n"
            + "".join(f"b{n}: &{n} [*{n - 1 if n else 'a'}, *{n - 1 if n else 'a'}]\n" for n in range(40)),
            "params.yaml: more than 100000 values",
        ),
    ],
)
def test_what_is_no_parameter_file(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert errors(tmp_path, text)[0].startswith(expected)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        PipelineError, match=r"params\.yaml is missing: run this from the folder that holds it"
    ):
        load(tmp_path / "params.yaml")


def test_loading_is_light() -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom stages.core.params import load\n"
        "load(Path('params.yaml'))\n"
        "heavy = {'torch', 'transformers', 'numpy', 'datasets', 'huggingface_hub'} & set(sys.modules)\n"
        "print(heavy or 'light', time.process_time())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kind, seconds = out.split()
    assert kind == "light" and float(seconds) < 1
