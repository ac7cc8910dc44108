"""Save a trained model so that equal weights give equal files, and no file names this machine."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peft import PeftModel

from stages.core import records
from stages.core.schema import Base
from stages.core.task_section import Task as Settings
from stages.tasks.inference import head_settings
from stages.tasks.table import Task
from stages.tasks.tokenizers import save_tokenizer


def save(
    model: Any,
    folder: Path,
    base_folder: Path,
    base: Base,
    task: Task,
    settings: Settings,
    thresholds: Sequence[float] | None = None,
) -> None:
    """Write weights (safetensors), configuration and tokenizer into `folder`.

    A LoRA folder holds no config.json (with one, `from_pretrained` would take it for a full model), so the
    names of its labels stand in labels.json. `thresholds` of labels that are said to hold independently go
    where the labels' names go.
    """
    if thresholds:
        model.config.label_thresholds = list(thresholds)
    model.save_pretrained(folder)
    if isinstance(model, PeftModel):
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's template, which names local paths
        _canonical_adapter(folder / "adapter_config.json", base)
        if task.head:
            own = {"label_thresholds": list(thresholds)} if thresholds else {}
            records.write(folder / "labels.json", _head(task, settings) | own)
    save_tokenizer(base_folder, folder, settings)


def _canonical_adapter(path: Path, base: Base) -> None:
    """Sort what PEFT keeps in sets, and name the base by its id and revision, not by a local path."""
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("target_modules", "modules_to_save"):
        if isinstance(config[key], list):
            config[key] = sorted(set(config[key]))
    records.write(path, config | {"base_model_name_or_path": base.repo_id, "revision": base.revision})


def _head(task: Task, settings: Settings) -> dict[str, Any]:
    """What a configuration would say; how many labels there are follows from their names."""
    head = head_settings(task, settings.labels or [])
    del head["num_labels"]
    return head | {"id2label": {str(number): name for number, name in head["id2label"].items()}}
