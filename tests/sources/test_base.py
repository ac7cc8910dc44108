"""Which files make a base model, and which bases are refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.sources.architectures import architectures
from stages.sources.base import check, is_allowed

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "bpe.codes",
        "dict.txt",
        "spiece.model",
        "source.spm",
        "target.spm",
        "chat_template.jinja",
        "special_tokens_map.json",
        "added_tokens.json",
        "sentencepiece.bpe.model",
        "README.md",
        "LICENSE",
        "LICENSE.txt",
    ],
)
def test_taken(name: str) -> None:
    assert is_allowed(name)


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin",
        "modeling_custom.py",
        "training_args.bin",
        "onnx/model.safetensors",
        ".gitattributes",
        "tf_model.h5",
        "config.json.py",
        "optimizer.pt",
        "consolidated.safetensors",
        "adapter_model.safetensors",
        "../config.json",
        "sub/LICENSE",
        "config.json\n",
        "vocab.bin",
        "vocab.pt",
        "vocab.txt.gz",
        "vocab.tgt",
        "tokenizer-fast.json",
        "word2vec.model",
        "model-1-of-2.safetensors",
    ],
)
def test_not_taken(name: str) -> None:
    assert not is_allowed(name)


def refused(folder: Path, files: dict[str, Any], present: list[str] | None = None) -> str:
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    with pytest.raises(PipelineError) as error:
        check(folder, present or list(files), "org/model")
    return str(error.value)


def test_pickled_weights(tmp_path: Path) -> None:
    line = refused(tmp_path, {"config.json": {}}, ["config.json", "pytorch_model.bin", "onnx/x.bin"])
    assert "org/model carries only pickled weights: pytorch_model.bin; choose" in line


def test_no_weights_and_no_config(tmp_path: Path) -> None:
    assert "carries no weights" in refused(tmp_path, {"config.json": {}})
    (tmp_path / "config.json").unlink()
    assert "has no config.json" in refused(tmp_path, {"model.safetensors": ""})


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_remote_code(tmp_path: Path, file: str) -> None:
    files = {"config.json": {}, "model.safetensors": "", file: {"auto_map": {"AutoModel": "modeling.Model"}}}
    assert f"needs remote code (`auto_map` in its {file})" in refused(tmp_path, files)


def test_a_config_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(PipelineError, match=r"its config\.json is not JSON"):
        check(tmp_path, [], "org/model")


BERT = {"config.json": {"model_type": "bert"}, "model.safetensors": ""}


def test_no_tokenizer(tmp_path: Path) -> None:
    line = refused(tmp_path, {**BERT, "tokenizer_config.json": {}, "merges.txt": "", "added_tokens.json": {}})
    assert line.startswith("base.repo_id: org/model has no tokenizer: none of tokenizer.json, vocab.txt,")
    assert len(line.splitlines()) == 1


def test_half_a_tokenizer(tmp_path: Path) -> None:
    assert "vocab.json without merges.txt" in refused(tmp_path, {**BERT, "vocab.json": {}})
    (tmp_path / "merges.txt").touch()
    check(tmp_path, [], "org/model")


@pytest.mark.parametrize(
    "files",
    [
        {**BERT, "vocab.txt": ""},
        {**BERT, "source.spm": "", "vocab.json": {}},
        {**BERT, "tokenizer_config.json": {"tokenizer_class": "ByT5Tokenizer"}},
        {**BERT, "config.json": {"model_type": "canine"}},
    ],
)
def test_a_vocabulary_or_a_tokenizer_that_needs_none(tmp_path: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    check(tmp_path, [], "org/model")


@pytest.mark.parametrize("kind", ["no-such-model", "Bert"])
def test_an_architecture_that_transformers_does_not_know(tmp_path: Path, kind: str) -> None:
    line = refused(tmp_path, {**BERT, "config.json": {"model_type": kind}, "vocab.txt": ""})
    assert line.startswith(f"base.repo_id: org/model is of the architecture '{kind}', which transformers ")
    assert line.endswith("does not know: choose another base, or upgrade transformers")


@pytest.mark.parametrize("config", [{}, {"model_type": None}, {"model_type": ["bert"]}, []])
def test_no_architecture(tmp_path: Path, config: Any) -> None:
    assert "names no architecture (`model_type`" in refused(tmp_path, {**BERT, "config.json": config})


def test_the_architectures_are_those_of_transformers() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    assert architectures() == set(CONFIG_MAPPING_NAMES)


def test_asking_for_the_architectures_is_light() -> None:
    code = (
        "import sys, time\nfrom stages.sources.architectures import architectures\n"
        "assert 'bert' in architectures()\n"
        "print({'torch', 'transformers', 'numpy'} & set(sys.modules) or 'light', time.process_time())"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    kind, seconds = out.stdout.split()
    assert kind == "light" and float(seconds) < 1
