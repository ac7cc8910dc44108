"""The figure that shows where a model errs, as PNG bytes: another one for each kind of label."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stages.core.records import Record
from stages.evidence.style import BLUE, GREY, INK, drawable, own_style, png

_MOST_NUMBERS = 20  # classes beyond which the numbers in the cells would not be legible
_MOST_NAMES = 60  # ... and the names at the axes

Breakdown = Callable[[Record, Sequence[Record], Sequence[Any], Sequence[str]], bytes]


def confusion(
    found: Record, predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> bytes:
    """Counts of true class (rows) by predicted class (columns), coloured by the share of the row."""
    return confusion_matrix(found["confusion"], labels)


def by_label(
    found: Record, predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> bytes:
    """F1 of every label (or kind of entity, or tag) of the record, with precision and recall."""
    table = next(found[key] for key in ("per_label", "per_entity", "per_class") if key in found)
    return _scores_by_name(table)


def scatter(
    found: Record, predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> bytes:
    """Predicted against true numbers, and the line on which they are equal."""
    said = np.array([record["predicted"] for record in predicted])
    true = np.array(references, dtype=np.float64)
    low, high = float(min(said.min(), true.min())), float(max(said.max(), true.max()))
    with own_style():
        figure = Figure(figsize=(4.6, 4.3), layout="constrained")
        axes = figure.subplots()
        axes.plot([low, high], [low, high], color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(true, said, "o", color=BLUE, markersize=3.5, alpha=min(0.6, 60 / len(true) + 0.12))
        axes.set(xlabel="true value", ylabel="predicted value", title="Predicted against true values")
        axes.grid()
        return png(figure)


def histogram_of_chrf(
    found: Record, predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> bytes:
    """How good each single text is, by sentence chrF."""
    from sacrebleu.metrics.chrf import CHRF

    chrf = CHRF()
    scores = [
        chrf.sentence_score(record["predicted"], [true]).score
        for record, true in zip(predicted, references, strict=True)
    ]
    return _histogram(scores, "chrF of a single text", (0.0, 100.0))


def histogram_of_loss(
    found: Record, predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> bytes:
    """How surprising each row is: its mean negative log-likelihood by token."""
    losses = [record["loss"] / record["tokens"] for record in predicted if record["tokens"]]
    return _histogram(losses, "loss of a row, nats by token", None)


BREAKDOWNS: dict[str, Breakdown] = {
    "class": confusion,
    "classes": by_label,
    "number": scatter,
    "tags": by_label,
    "text": histogram_of_chrf,
    "none": histogram_of_loss,
}


def confusion_matrix(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> bytes:
    """Counts of true class (rows) by predicted class (columns), coloured by the share of the row."""
    counts = np.asarray(matrix, dtype=np.float64)
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    names = drawable(labels) if len(labels) <= _MOST_NAMES else []
    room = 0.08 * max(map(len, names), default=0)
    side = min(max(0.75 * len(labels), 1.9), 8.5)
    with own_style():
        figure = Figure(figsize=(side + room + 1.2, side + max(0.7 * room, 0.5) + 0.5), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set(xlabel="predicted class", ylabel="true class")
        level = all(len(name) <= 9 for name in names)
        turned = {"ha": "center"} if level else {"ha": "right", "rotation": 45}
        axes.set_xticks(range(len(names)), names, **turned)
        axes.set_yticks(range(len(names)), names)
        if len(labels) <= _MOST_NUMBERS:
            _write_cells(axes, counts, shares)
        else:
            bar = figure.colorbar(image, ax=axes, shrink=0.6, label="share of the true class")
            bar.set_ticks([0, 0.5, 1], labels=["0%", "50%", "100%"])
        return png(figure)


def _write_cells(axes: Axes, counts: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    few = len(counts) <= 8
    for row, column in np.ndindex(*counts.shape):
        share = shares[row, column]
        text = f"{counts[row, column]:.0f}" + (f"\n{share * 100:.0f}%" if few else "")
        colour = "white" if share > 0.55 else INK
        axes.text(column, row, text, ha="center", va="center", size=9 if few else 6.5, color=colour)


def _scores_by_name(table: Mapping[str, Mapping[str, float]]) -> bytes:
    shown = sorted(table, key=lambda name: (-table[name]["support"], name))[:_MOST_NAMES]
    names = drawable(shown)
    with own_style():
        figure = Figure(figsize=(6.4, 1.2 + 0.3 * len(names)), layout="constrained")
        axes = figure.subplots()
        for place, name in enumerate(shown):
            scored = table[name]
            span = [scored["precision"], scored["recall"]]
            axes.plot(span, [place, place], color=GREY, linewidth=2)
            axes.plot([scored["precision"]], [place], "|", color=GREY, markersize=9, markeredgewidth=2)
            axes.plot([scored["recall"]], [place], "x", color=GREY, markersize=5, markeredgewidth=2)
            axes.plot([scored["f1"]], [place], "o", color=BLUE, markersize=7)
        counted = [f"{name} ({table[key]['support']})" for name, key in zip(names, shown, strict=True)]
        axes.set_yticks(range(len(names)), counted)
        axes.set_ylim(len(names) - 0.5, -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_title("F1 (dot), precision (bar) and recall (cross); test rows in brackets")
        return png(figure)


def _histogram(values: Sequence[float], name: str, limits: tuple[float, float] | None) -> bytes:
    with own_style():
        figure = Figure(figsize=(6.4, 2.9), layout="constrained")
        axes = figure.subplots()
        axes.hist(values, bins=min(40, max(5, len(values) // 8)), range=limits, color=BLUE)
        median = float(np.median(values))
        axes.axvline(median, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"median {median:.3g}")
        axes.set(xlabel=name, ylabel="test rows")
        axes.grid(axis="y")
        axes.legend()
        return png(figure)
