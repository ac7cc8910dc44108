"""What an evaluation takes in, checked: the folder that was trained, the rows that were prepared."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import digest, folder_digests, sha256
from stages.core.layout import Layout
from stages.core.records import Record
from stages.core.tasks import Kind


def check(layout: Layout, manifest: Record, train: Record) -> None:
    """Raise PipelineError unless model, base and splits are the ones their records describe."""
    if digest(folder_digests(layout.trained)) != train["model"]["sha256"]:
        raise PipelineError(
            f"{layout.trained} is not the model that {layout.train_report} describes: run `dvc repro train`"
        )
    # A full model does not read its base again.
    if train["method"] == "lora" and digest(folder_digests(layout.base)) != train["base"]["sha256"]:
        raise PipelineError(
            f"{layout.base} is not the base model that the adapter was trained on: run `dvc repro train`"
        )
    if sha256(layout.split("test")) != manifest["splits"]["test"]["sha256"]:
        raise PipelineError(
            f"{layout.split('test')} is not the file that {layout.prepared_manifest} describes:"
            " run `dvc repro prepare`"
        )
    for name, used in sorted(train["data"].items()):
        if used != manifest["splits"][name]["sha256"]:
            raise PipelineError(
                f"the model was trained on another {name} split than {layout.prepared_manifest} describes,"
                " so the test rows may not be new to it: run `dvc repro train`"
            )


def baseline_predictions(file: Path, ids: Sequence[str], labels: Sequence[str]) -> list[Record]:
    """What a baseline predicted for the rows `ids`, in that order (see stages/tasks/predict.py).

    Raises PipelineError when the file is about other rows or other labels.
    """
    lines = list(records.read_lines(file))
    if [line.pop("id") for line in lines] != list(ids):
        raise PipelineError(
            f"{file}: its rows are not the test rows, in their order: run `dvc repro baselines`"
        )
    said = {label for line in lines for label in _labels(line)} if labels else set()
    if unknown := said - set(labels):
        raise PipelineError(f"{file}: unknown label {min(unknown)!r}: run `dvc repro baselines`")
    return lines


def _labels(line: Record) -> list[str]:
    said = line["predicted"]
    return said if isinstance(said, list) else [said]


def history(file: Path) -> list[dict[str, float]]:
    """The steps of reports/history.tsv: a mapping a step, of the columns that have a value there."""
    if not file.exists():
        raise PipelineError(f"{file} is missing: run `dvc repro train` first")
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    columns = head.split("\t")
    rows = (zip(columns, line.split("\t"), strict=True) for line in lines)
    return [{column: float(cell) for column, cell in row if cell != "nan"} for row in rows]


def trivial_loss(kind: Kind, split: Record, unigram: float | None = None) -> float | None:
    """The loss of a model that ignores its input, from what prepare counted of the training rows.

    For a class and for tags the entropy of their shares, for labels that hold independently the mean of each
    one's, for numbers their variance, for raw texts that of the `unigram` baseline if there is one.
    """
    if kind == "number":
        return float(split["number"]["sd"]) ** 2
    if kind in ("class", "tags"):
        return entropy(list(split["labels"].values()))
    if kind == "classes":
        rows = split["rows"]
        return fmean(entropy([count, rows - count]) for count in split["labels"].values())
    return unigram if kind == "none" else None


def entropy(counts: Sequence[float]) -> float:
    """The cross-entropy, in nats, of always predicting the shares that `counts` of each label make up."""
    total = math.fsum(counts)
    return -math.fsum(count / total * math.log(count / total) for count in counts if count)
