"""The base model's files: which are taken, and which bases are refused.

Weights are read from safetensors only, since a pickle runs code when it is loaded; and no code of a model's
own is ever run.
"""

import importlib.metadata
import json
import shutil
from pathlib import Path
from typing import Any

from stages.core.errors import PipelineError
from stages.core.model_files import CONFIG, PICKLED, TOKENIZER, VOCABULARY, WEIGHTS, listed
from stages.core.schema import Base
from stages.sources.architectures import architectures
from stages.sources.hub import snapshot
from stages.sources.packages import folder_from_package

ALLOWED = (*CONFIG, *WEIGHTS, *TOKENIZER, "README.md", "LICENSE*")
# These read bytes or characters, and have no vocabulary to be in a file.
_WITHOUT_VOCABULARY = {"ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer", "canine", "perceiver"}


def is_allowed(name: str) -> bool:
    """Whether a file of this name, at the top of a model's folder, is part of the base model."""
    return listed(name, ALLOWED)


def write_base(base: Base, out: Path) -> None:
    """Put the allow-listed files of the base model into the empty folder `out`.

    Raises PipelineError for a base that lacks safetensors or a vocabulary, whose architecture transformers
    does not know, or that needs code of its own.
    """
    if base.from_package:
        present = folder_from_package(base.from_package, is_allowed, out)
    else:
        folder, present = snapshot(base.repo_id, base.revision, ALLOWED)
        for file in sorted(folder.iterdir()):
            if file.is_file() and is_allowed(file.name):
                shutil.copyfile(file, out / file.name)
    check(out, present, base.repo_id)


def check(folder: Path, present: list[str], name: str) -> None:
    """Refuse what `from_pretrained` could not load, or could load only by running foreign code.

    `present` are the names of all files that the base has, also those that were not taken.
    """
    for file in ("config.json", "tokenizer_config.json"):
        if "auto_map" in _object(folder / file, name):
            raise PipelineError(
                f"base.repo_id: {name} needs remote code (`auto_map` in its {file}), which is never run:"
                " choose a base whose architecture transformers has itself"
            )
    if not (folder / "config.json").exists():
        raise PipelineError(f"base.repo_id: {name} has no config.json: it is not a transformers model")
    if not any(folder.glob("*.safetensors")):
        pickled = [file for file in present if file.endswith(PICKLED) and "/" not in file]
        carries = f"carries only pickled weights: {', '.join(pickled)}" if pickled else "carries no weights"
        raise PipelineError(f"base.repo_id: {name} {carries}; choose a base or a revision with safetensors")
    _check_architecture(folder, name)
    _check_tokenizer(folder, name)


def _check_architecture(folder: Path, name: str) -> None:
    kind = _object(folder / "config.json", name).get("model_type")
    if not kind or not isinstance(kind, str):
        raise PipelineError(f"base.repo_id: {name} names no architecture (`model_type` in its config.json)")
    if architectures() and kind not in architectures():
        version = importlib.metadata.version("transformers")
        raise PipelineError(
            f"base.repo_id: {name} is of the architecture {kind!r}, which transformers {version} does not"
            " know: choose another base, or upgrade transformers"
        )


def _check_tokenizer(folder: Path, name: str) -> None:
    """Without a vocabulary transformers would build a tokenizer to which every word is unknown."""
    found = [file for file in VOCABULARY if (folder / file).is_file()]
    kinds = {
        str(_object(folder / "config.json", name).get("model_type")),
        str(_object(folder / "tokenizer_config.json", name).get("tokenizer_class")),
    }
    if not found and not kinds & _WITHOUT_VOCABULARY:
        raise PipelineError(
            f"base.repo_id: {name} has no tokenizer: none of {', '.join(VOCABULARY)};"
            " choose a base that carries its own"
        )
    if found == ["vocab.json"] and not (folder / "merges.txt").is_file():
        raise PipelineError(
            f"base.repo_id: {name} has half a tokenizer, vocab.json without merges.txt:"
            " choose a base that carries both"
        )


def _object(file: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise PipelineError(f"base.repo_id: {name}: its {file.name} is not JSON") from None
    return value if isinstance(value, dict) else {}
