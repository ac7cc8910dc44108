"""The figures of an evaluation, as PNG bytes: confusion matrix, results against baselines, training curve."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stages.evidence.style import BLUE, GREY, INK, ORANGE, drawable, own_style, png

_METRICS = {
    "accuracy": "accuracy",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "f1_weighted": "weighted F1",
}
_MODELS = {"majority": "majority class", "tfidf_logistic_regression": "TF-IDF +\nlogistic regression"}
_MOST_NUMBERS = 20  # classes beyond which the numbers in the cells would not be legible
_MOST_NAMES = 60  # ... and the names at the axes
_MOST_MARKS = 25  # points of a line beyond which marks would run into each other


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


def results(metric: str, models: Mapping[str, Mapping[str, float]], confidence: float) -> bytes:
    """One line a model with its value and interval; the first one is ours, the others are baselines.

    Each of `models` holds `value`, `low` and `high` of `metric`.
    """
    names = [_MODELS.get(name, drawable([name])[0]) for name in models]
    n = next(iter(models.values()))["n"]
    with own_style():
        figure = Figure(figsize=(7.2, 1.25 + 0.5 * len(names)), layout="constrained")
        axes = figure.subplots()
        for place, scored in enumerate(models.values()):
            _interval(axes, place, scored, BLUE if place == 0 else GREY)
        axes.set_yticks(range(len(names)), names)
        axes.get_yticklabels()[0].set_fontweight("bold")
        axes.set_ylim(len(names) - 0.5, -0.6)
        axes.set_xlim(*_range(models.values()))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.set_title(f"{_sentence(metric)} on {n:,.0f} test rows, with {confidence * 100:.4g}% intervals")
        return png(figure)


def _interval(axes: Axes, place: int, scored: Mapping[str, float], colour: str) -> None:
    axes.plot([scored["low"], scored["high"]], [place, place], color=colour, linewidth=3)
    axes.plot([scored["value"]], [place], "o", color=colour, markersize=8)
    axes.annotate(
        f"{scored['value']:.3f}", (scored["value"], place), (0, 8), textcoords="offset points", ha="center"
    )


def _range(models: Any) -> tuple[float, float]:
    """From a tenth below the lowest interval to the next tenth above the highest, within 0 and 1."""
    low = min(scored["low"] for scored in models)
    high = max(scored["high"] for scored in models)
    return max(0.0, math.floor(low * 10 - 0.5) / 10), min(1.0, math.ceil(high * 10 + 0.2) / 10) + 0.01


def training_curve(history: Sequence[Mapping[str, float]], metric: str, best_step: int) -> bytes:
    """Losses (left) and the validation score (right) by step; the step whose weights were kept is marked.

    `history` holds a mapping a step, with the columns of reports/history.tsv that the step has.
    """
    with own_style():
        figure = Figure(figsize=(8.4, 3.1), layout="constrained")
        losses, score = figure.subplots(1, 2)
        _line(losses, history, "loss", BLUE, "training")
        _line(losses, history, "eval_loss", ORANGE, "validation")
        _line(score, history, f"eval_{metric}", ORANGE, "validation")
        losses.set(title="Loss", xlabel="step")
        losses.set_ylim(bottom=0)
        score.set(title=f"{_sentence(metric)} on the validation rows", xlabel="step")
        for axes in (losses, score):
            axes.axvline(best_step, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="weights kept")
            axes.grid(axis="y")
            axes.margins(x=0.03, y=0.12)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.legend()
        return png(figure)


def _line(axes: Axes, history: Sequence[Mapping[str, float]], column: str, colour: str, name: str) -> None:
    points = [(row["step"], row[column]) for row in history if column in row]
    if points:
        marker = "o" if len(points) <= _MOST_MARKS else None
        axes.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=4, label=name)


def _sentence(metric: str) -> str:
    text = _METRICS.get(metric, metric)
    return text[0].upper() + text[1:]
