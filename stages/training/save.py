"""Save a trained model so that equal weights give equal files, and no file names this machine."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peft import PeftModel

from stages.core import records
from stages.core.model_files import TOKENIZER
from stages.core.schema import Base
from stages.tasks.table import Task


def save(model: Any, folder: Path, base_folder: Path, base: Base, task: Task, labels: Sequence[str]) -> None:
    """Write weights (safetensors), configuration and tokenizer into `folder`.

    A LoRA folder holds no config.json (with one, `from_pretrained` would take it for a full model), so the
    names of its labels stand in labels.json.
    """
    model.save_pretrained(folder)
    if isinstance(model, PeftModel):
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's template, which names local paths
        _canonical_adapter(folder / "adapter_config.json", base)
        records.write(folder / "labels.json", _labels(task, labels))
    copy_tokenizer(base_folder, folder)


def copy_tokenizer(base_folder: Path, folder: Path) -> None:
    """Give the fine-tuned model its base's tokenizer, byte for byte.

    Saving one that was used would bake the padding of its last call into tokenizer.json.
    """
    for name in TOKENIZER:
        if (base_folder / name).is_file():
            shutil.copyfile(base_folder / name, folder / name)


def _canonical_adapter(path: Path, base: Base) -> None:
    """Sort what PEFT keeps in sets, and name the base by its id and revision, not by a local path."""
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("target_modules", "modules_to_save"):
        if isinstance(config[key], list):
            config[key] = sorted(set(config[key]))
    records.write(path, config | {"base_model_name_or_path": base.repo_id, "revision": base.revision})


def _labels(task: Task, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": task.problem_type,
    }
