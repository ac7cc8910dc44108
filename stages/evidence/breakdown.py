"""The figure that shows where a model errs, as PNG bytes: another one for each kind of label."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from stages.core.records import Record
from stages.evidence.figure_words import Language, number, percent, say
from stages.evidence.style import BLUE, DASHED, GREY, INK, drawable, heading, ink_on, own_style, png

_MOST_NUMBERS = 20  # classes beyond which the numbers in the cells would not be legible
_MOST_LARGE = 14  # classes whose numbers can be in the size of all other text
_MOST_NAMES = 60  # ... and the names at the axes

Breakdown = Callable[[Record, Sequence[Record], Sequence[Any], Sequence[str], Language], bytes]


def confusion(
    found: Record,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    language: Language,
) -> bytes:
    """Counts of true class (rows) by predicted class (columns), coloured by the share of the row."""
    return confusion_matrix(found["confusion"], labels, language)


def by_label(
    found: Record,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    language: Language,
) -> bytes:
    """F1 of every label (or kind of entity, or tag) of the record, with precision and recall."""
    table = next(found[key] for key in ("per_label", "per_entity", "per_class") if key in found)
    return _scores_by_name(table, language)


def scatter(
    found: Record,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    language: Language,
) -> bytes:
    """Predicted against true numbers, and the line on which they are equal."""
    said = np.array([record["predicted"] for record in predicted])
    true = np.array(references, dtype=np.float64)
    low, high = float(min(said.min(), true.min())), float(max(said.max(), true.max()))
    with own_style():
        figure = Figure(figsize=(4.6, 4.3), layout="constrained")
        axes = figure.subplots()
        axes.plot([low, high], [low, high], color=INK, linewidth=1, linestyle=DASHED)
        axes.plot(true, said, "o", color=BLUE, markersize=3.5, alpha=min(0.6, 60 / len(true) + 0.12))
        axes.set(xlabel=say(language, "true value"), ylabel=say(language, "predicted value"))
        heading(figure, say(language, "values"))
        axes.grid()
        return png(figure, language)


def histogram_of_chrf(
    found: Record,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    language: Language,
) -> bytes:
    """How good each single text is, by sentence chrF."""
    from sacrebleu.metrics.chrf import CHRF

    chrf = CHRF()
    scores = [
        chrf.sentence_score(record["predicted"], [true]).score
        for record, true in zip(predicted, references, strict=True)
    ]
    return _histogram(scores, say(language, "chrf"), (0.0, 100.0), language)


def histogram_of_loss(
    found: Record,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    language: Language,
) -> bytes:
    """How surprising each row is: its mean negative log-likelihood by token."""
    losses = [record["loss"] / record["tokens"] for record in predicted if record["tokens"]]
    return _histogram(losses, say(language, "row loss"), None, language)


BREAKDOWNS: dict[str, Breakdown] = {
    "class": confusion,
    "classes": by_label,
    "number": scatter,
    "tags": by_label,
    "text": histogram_of_chrf,
    "none": histogram_of_loss,
}


def confusion_matrix(matrix: Sequence[Sequence[int]], labels: Sequence[str], language: Language) -> bytes:
    """Counts of true class (rows) by predicted class (columns), coloured by the share of the row."""
    counts = np.asarray(matrix, dtype=np.float64)
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    names = drawable(labels, language) if len(labels) <= _MOST_NAMES else []
    room = 0.08 * max(map(len, names), default=0)
    side = min(max(0.75 * len(labels), 1.9), 8.5)
    with own_style():
        figure = Figure(figsize=(side + room + 1.2, side + max(0.7 * room, 0.5) + 0.5), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(shares, vmin=0, vmax=1)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set(xlabel=say(language, "predicted class"), ylabel=say(language, "true class"))
        level = all(len(name) <= 9 for name in names)
        turned = {"ha": "center"} if level else {"ha": "right", "rotation": 45}
        axes.set_xticks(range(len(names)), names, **turned)
        axes.set_yticks(range(len(names)), names)
        if len(labels) <= _MOST_NUMBERS:
            _write_cells(image, counts, shares, language)
        else:
            bar = figure.colorbar(image, ax=axes, shrink=0.6, label=say(language, "share"))
            bar.set_ticks([0, 0.5, 1], labels=[percent(language, share) for share in (0, 0.5, 1)])
        return png(figure, language)


def _write_cells(
    image: AxesImage, counts: NDArray[np.float64], shares: NDArray[np.float64], language: Language
) -> None:
    few = len(counts) <= 8
    size = 9.0 if len(counts) <= _MOST_LARGE else 6.5
    for row, column in np.ndindex(*counts.shape):
        share = float(shares[row, column])
        text = number(language, float(counts[row, column]), ",.0f")
        text += f"\n{percent(language, share, '.0f')}" if few else ""
        colour = ink_on(image.cmap(share))
        image.axes.text(column, row, text, ha="center", va="center", size=size, color=colour)


def _scores_by_name(table: Mapping[str, Mapping[str, float]], language: Language) -> bytes:
    shown = sorted(table, key=lambda name: (-table[name]["support"], name))[:_MOST_NAMES]
    names = drawable(shown, language)
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
        counts = (number(language, table[key]["support"], ",.0f") for key in shown)
        counted = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
        axes.set_yticks(range(len(names)), counted)
        axes.set_ylim(len(names) - 0.5, -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        heading(figure, say(language, "scores title"))
        return png(figure, language)


def _histogram(
    values: Sequence[float], name: str, limits: tuple[float, float] | None, language: Language
) -> bytes:
    with own_style():
        figure = Figure(figsize=(6.4, 2.9), layout="constrained")
        axes = figure.subplots()
        axes.hist(values, bins=min(40, max(5, len(values) // 8)), range=limits, color=BLUE)
        median = float(np.median(values))
        label = say(language, "median", value=number(language, median, ".3g"))
        axes.axvline(median, color=INK, linewidth=1, linestyle=DASHED, label=label)
        axes.set(xlabel=name, ylabel=say(language, "test rows"))
        axes.grid(axis="y")
        axes.legend()
        return png(figure, language)
