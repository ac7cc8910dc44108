"""What an evaluation asks, and what the saved model answers: rows in, predictions out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.core.records import Record
from stages.core.task_section import Task as Settings
from stages.core.tasks import Kind
from stages.evidence.calibration import temperature_of
from stages.evidence.inputs import baseline_predictions
from stages.evidence.published import Predictions, Said, published, rounded, salted
from stages.evidence.slices import lengths
from stages.evidence.stress import stressed
from stages.tasks import inference
from stages.tasks.rows import Rows, read_rows
from stages.tasks.table import TASKS

_EXCERPT = 500  # characters of a mistaken text


@dataclass(frozen=True)
class Asked:
    """The held-out rows and all that is known of them before the model answers."""

    kind: Kind
    labels: list[str]
    test: Rows
    sha256: str
    ids: list[str]  # as published
    slices: dict[str, list[str]]
    baselines: dict[str, Said]


@dataclass(frozen=True)
class Answered:
    """What the model says of them. `temperature` is what its probabilities would need; None without such."""

    outputs: list[str]
    test: Said
    stressed: dict[str, Said]
    temperature: float | None


def ask(layout: Layout, kind: Kind, manifest: Record) -> Asked:
    """Read the test rows, and what the baselines predicted of them."""
    file = layout.split("test")
    test, labels = read_rows(file), manifest["labels"]
    files = sorted(layout.baselines.glob("*.jsonl"))
    return Asked(
        kind=kind,
        labels=labels,
        test=test,
        sha256=sha256(file),
        ids=salted(test.ids, file.read_bytes()),
        slices={"length": lengths(_whole(test))} | _columns(layout, test.ids),
        baselines={file.stem: baseline_predictions(file, test.ids, labels) for file in files},
    )


def _whole(rows: Rows) -> list[Any]:
    """The texts of the rows; of pairs, both as one."""
    return (
        [one + other for one, other in zip(rows.texts, rows.pairs, strict=True)] if rows.pairs else rows.texts
    )


def _columns(layout: Layout, ids: Sequence[str]) -> dict[str, list[str]]:
    """The columns of data.slices, a value a test row."""
    import pyarrow.parquet as pq

    if not layout.slices.exists():
        raise PipelineError(f"{layout.slices} is missing: run `dvc repro prepare` first")
    table: dict[str, list[str]] = pq.read_table(layout.slices).to_pydict()
    if table.pop("id") != list(ids) and table:
        raise PipelineError(f"{layout.slices} is not about the test rows: run `dvc repro prepare`")
    return table


def answer(layout: Layout, train: Record, asked: Asked, robustness: bool, seed: int) -> Answered:
    """Load the saved model and have it predict: the test rows and, with `robustness`, changed ones.

    Where there are probabilities, the temperature that suits the validation rows best is found too.
    """
    settings = Settings.model_validate(train["task"])
    task = TASKS[settings.type]
    model, tokenizer = inference.load(layout.trained, layout.base, task, settings)
    outputs = inference.outputs(model) if task.head else []
    if task.head:
        same_labels(outputs, asked.labels or [inference.NUMBER])

    def said(rows: Rows) -> Said:
        return inference.predictions(model, tokenizer, rows, task, settings)

    changed = stressed(asked.test, asked.kind, seed) if robustness else {}
    temperature = None
    if asked.kind in ("class", "classes"):
        held = read_rows(layout.split("validation"))
        shares = [row["probabilities"] for row in said(held)]
        temperature = round(temperature_of(asked.kind, shares, held.labels, asked.labels), 6)
    test = said(asked.test)
    return Answered(outputs, test, {name: said(rows) for name, rows in changed.items()}, temperature)


def same_labels(model: Sequence[str], prepared: Sequence[str]) -> None:
    """Raise PipelineError when the model's outputs are not the prepared labels, in that order."""
    if list(model) != list(prepared):
        raise PipelineError(
            f"the saved model's labels {list(model)} are not the prepared ones {list(prepared)}:"
            " run `dvc repro train`"
        )


def together(asked: Asked, answered: Answered, previous: Said | None) -> Predictions:
    """All predictions as they are published."""
    true = asked.test.labels

    def of(said: Said) -> Said:
        return published(asked.kind, said, true)

    return Predictions(
        ids=asked.ids,
        references=[None] * len(true) if asked.kind == "text" else true,
        model=published(asked.kind, answered.test, true, whole=True),
        baselines={name: of(said) for name, said in asked.baselines.items()},
        slices=asked.slices,
        stressed={name: of(said) for name, said in answered.stressed.items()},
        previous=previous and [{k: v for k, v in row.items() if k != "probabilities"} for row in previous],
    )


def write(layout: Layout, asked: Asked, answered: Answered, found: Record) -> None:
    """What stays with the author: predictions with the rows' own ids, the worst mistakes with their texts.

    models/predictions.jsonl: `id`, `published_id`, `label`, and what is predicted. models/mistakes.jsonl: the
    mistakes of the record (`id` is the published one), with `own_id`, `text` and, of pairs, `pair`.
    """
    test = asked.test
    lines = zip(test.ids, asked.ids, test.labels, answered.test, strict=True)
    records.write_lines(
        layout.predictions,
        ({"id": own, "published_id": id_, "label": true, **rounded(said)} for own, id_, true, said in lines),
    )
    place = {id_: number for number, id_ in enumerate(asked.ids)}
    records.write_lines(
        layout.mistakes,
        (mistake | _shown(test, place[mistake["id"]]) for mistake in found.get("mistakes", [])),
    )


def _shown(test: Rows, place: int) -> dict[str, Any]:
    text = test.texts[place]
    shown = {
        "own_id": test.ids[place],
        "text": (text if isinstance(text, str) else " ".join(text))[:_EXCERPT],
    }
    return shown | ({"pair": test.pairs[place][:_EXCERPT]} if test.pairs else {})
