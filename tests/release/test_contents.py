"""What may leave the house. Every refusal names the file, and never repeats a secret."""

import json
import os
import shutil
from pathlib import Path

import pytest

from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.release.contents import Content, collect, is_of_a_release
from stages.release.screening import screen
from tests.release import shelf

HF = "hf_" + "aB3" * 11
AWS = "AKIA" + "ABCDEFGHIJ234567"
PEM = "-----BEGIN RSA PRIVATE KEY-----"
GITHUB = "ghp_" + "a1" * 20


@pytest.fixture
def layout(made: Path, tmp_path: Path) -> Layout:
    shutil.copytree(made, tmp_path / "work")
    return Layout(tmp_path / "work")


def refused(layout: Layout, method: str = "full") -> str:
    with pytest.raises(PipelineError) as caught:
        collect(layout, method)
    return str(caught.value)


def test_the_release_is_exactly_this(layout: Layout) -> None:
    content: Content = collect(layout, "full")
    assert list(content) == [
        "README.md",
        "card.json",
        "config.json",
        "figures/breakdown.png",
        "figures/loss.png",
        "figures/results.png",
        "model.safetensors",
        "reports/data.json",
        "reports/eval.json",
        "reports/predictions.jsonl",
        "reports/train.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert all(is_of_a_release(path) for path in content)


def test_the_learning_curve_goes_along_when_the_card_shows_it(layout: Layout) -> None:
    layout.curve_plot.write_bytes(shelf.PNG)
    layout.curve_report.write_text('{"enabled": true}')
    assert not {"figures/curve.png", "reports/curve.json"} & collect(layout, "full").keys()
    shelf.card(layout)
    content = collect(layout, "full")
    assert {"figures/curve.png", "reports/curve.json"} <= content.keys()
    assert all(is_of_a_release(path) for path in content)


def test_blob_is_what_git_calls_the_content(layout: Layout) -> None:
    file = collect(layout, "full")["README.md"]
    assert file.blob() == shelf.git(layout.root, "hash-object", str(file.source.resolve()))


@pytest.mark.parametrize("name", ["training_args.bin", "optimizer.pt", "rng_state.pth", "scheduler.pkl"])
def test_pickles_are_refused_by_name(layout: Layout, name: str) -> None:
    (layout.trained / name).write_bytes(b"\x80\x02x")
    assert refused(layout) == (
        f"{layout.trained / name} is a pickle or may be one, and may hold tokens and local paths:"
        " it is never published"
    )


@pytest.mark.parametrize(
    "name", ["trainer_state.json", "notes.txt", ".env", "checkpoint-7/config.json", "LICENSE"]
)
def test_unknown_files_are_refused(layout: Layout, name: str) -> None:
    file = layout.trained / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}")
    assert refused(layout).startswith(f"{file} is not a file that a release holds")


def test_a_full_model_holds_no_adapter_files(layout: Layout) -> None:
    (layout.trained / "adapter_config.json").write_text("{}")
    assert "adapter_config.json is not a file" in refused(layout)


@pytest.mark.parametrize("name", ["sentencepiece.model", "merges.txt"])
@pytest.mark.parametrize("start", [b"\x80\x04\x95", b"PK\x03\x04"])
def test_pickles_are_refused_under_any_name(layout: Layout, name: str, start: bytes) -> None:
    (layout.trained / name).write_bytes(start + b"payload")
    assert f"{name}: is a pickle or an archive, whatever its name says" in refused(layout)


@pytest.mark.parametrize(
    "data", [b"", b"short", b"\x80\x02}q\x00.", b"\xff" * 40, b"\x05" + bytes(7) + b"12345"]
)
def test_weights_are_safetensors(layout: Layout, data: bytes) -> None:
    (layout.trained / "model.safetensors").write_bytes(data)
    assert refused(layout).endswith("model.safetensors: is not a safetensors file, whatever its name says")


def test_a_figure_is_a_png(layout: Layout) -> None:
    layout.loss_plot.write_text("<svg onload=alert(1)>")
    assert refused(layout).endswith("loss.png: is not a PNG, whatever its name says")


def test_text_is_utf_8(layout: Layout) -> None:
    layout.card.write_bytes(b"fine\ncaf\xe9\n")
    assert refused(layout).endswith("README.md: is not UTF-8 (line 2)")


@pytest.mark.parametrize("link", ["models/trained/config.json", "models/trained", "model_cards/README.md"])
def test_links_are_refused(layout: Layout, link: str) -> None:
    path = layout.root / link
    path.rename(layout.root / "elsewhere")
    path.symlink_to(layout.root / "elsewhere")
    assert refused(layout).startswith(f"{path} is a symbolic link")


def test_a_link_to_a_secret_is_not_followed(layout: Layout) -> None:
    (layout.trained / "vocab.txt").symlink_to("/etc/passwd")
    assert "vocab.txt is a symbolic link" in refused(layout)


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        (HF, "a Hugging Face token"),
        (AWS, "an AWS access key"),
        (PEM, "a private key"),
        (GITHUB, "a GitHub token"),
        ("https://me:hunter2@example.org/x", "a password in a URL"),
    ],
)
@pytest.mark.parametrize(
    "path", ["model_cards/README.md", "reports/train.json", "models/trained/tokenizer.json", "params.yaml"]
)
def test_secrets_are_refused_with_their_line(layout: Layout, path: str, secret: str, what: str) -> None:
    file = layout.root / path
    before = file.read_text()
    file.write_text(before + f'\n"{secret}"\n')
    said = refused(layout)
    assert f"{path}:{before.count(chr(10)) + 2}: holds {what}: remove it" in said
    assert secret not in said


def test_a_secret_in_the_metadata_of_weights(layout: Layout) -> None:
    header = json.dumps({"__metadata__": {"by": HF}}).encode()
    (layout.trained / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert "model.safetensors:1: holds a Hugging Face token" in refused(layout)


def test_the_token_in_use_is_found_whatever_it_looks_like(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "plain-words-token")
    layout.card.write_text("plain-words-token")
    assert "holds the token of HF_TOKEN" in refused(layout)
    assert "plain-words" not in refused(layout)


@pytest.mark.parametrize(
    "text",
    [
        "{root}/models/base",
        "{home}/models",
        "/home/someone/run",
        "see /tmp/x",
        "C:\\\\Users\\\\me",
    ],
)
def test_local_paths_are_refused(layout: Layout, text: str) -> None:
    text = text.format(root=layout.root.resolve(), home=os.path.expanduser("~"))
    config = layout.trained / "config.json"
    config.write_text(config.read_text().replace("{", f'{{\n  "_name_or_path": "{text}",', 1))
    assert f"{config}:2: holds a" in refused(layout)
    assert "names this machine" in refused(layout)


@pytest.mark.parametrize("root", ["/data", "/data/models"])
def test_a_url_may_hold_the_path_of_this_folder(tmp_path: Path, root: str) -> None:
    """A checkout at /datasets does not make every data set's address a local path."""
    card = tmp_path / "README.md"
    card.write_text(f"<https://example.org{root}/x>, ./sub{root}/x, example.org:80{root}/x\n")
    assert not list(screen(card, "README.md", Path(root)))
    for text in (f"file://{root}/x", f'"{root}/x"', f"read {root}/x"):
        card.write_text(text)
        assert list(screen(card, "README.md", Path(root)))


def test_this_folder_is_found_in_a_vocabulary_too(layout: Layout) -> None:
    file = layout.trained / "tokenizer.json"
    file.write_text(json.dumps({"vocab": {str(layout.root.resolve()): 1}}))
    assert "tokenizer.json:1: holds a path of this machine" in refused(layout)


def test_what_only_looks_like_a_path_passes(layout: Layout) -> None:
    (layout.trained / "vocab.txt").write_text("/home/\n/root\n/tmp/foo\nhf_hub\nsk-learn\n")
    layout.card.write_text(
        "https://example.org/home/page and/or /tmp, 1/2, ./home/x, <https://x.org:80/tmp/a>"
    )
    collect(layout, "full")


def test_models_that_need_code_are_refused(layout: Layout) -> None:
    config = layout.trained / "config.json"
    config.write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
    assert "asks its readers to run code" in refused(layout)


def test_what_is_missing_is_named_with_its_stage(layout: Layout) -> None:
    layout.card.unlink()
    layout.eval_report.unlink()
    (layout.trained / "model.safetensors").unlink()
    assert refused(layout).splitlines() == [
        f"{layout.card} is missing: run `dvc repro card` first",
        f"{layout.trained}/model.safetensors is missing: run `dvc repro train` first",
        f"{layout.eval_report} is missing: run `dvc repro evaluate` first",
    ]
    shutil.rmtree(layout.trained)
    assert refused(layout) == f"{layout.trained} is missing: run `dvc repro train` first"


@pytest.mark.parametrize(
    "path",
    ["LICENSE", "notes.md", "data/train.parquet", "figures/a/b.png", "reports/x.json", "training_args.bin"],
)
def test_what_a_release_never_holds(path: str) -> None:
    assert not is_of_a_release(path)
