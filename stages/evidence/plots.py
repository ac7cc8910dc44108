"""The figures that every evaluation has, as PNG bytes: results against baselines, and the training curve."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from stages.evidence.style import BLUE, GREY, INK, ORANGE, drawable, own_style, png

_METRICS = {
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "f1_weighted": "weighted F1",
    "f1_samples": "F1 by row",
    "exact_match": "exact match",
    "entity_f1": "entity F1",
    "entity_precision": "entity precision",
    "entity_recall": "entity recall",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "r2": "R²",
    "chrf": "chrF",
    "bleu": "BLEU",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "pseudo_perplexity": "pseudo-perplexity",
    "masked_accuracy": "accuracy on masked tokens",
}
_MODELS = {
    "most_frequent_tag": "most frequent tag\nof each word",
    "linear": "linear model",
    "feed_forward": "feed-forward network",
    "rnn": "RNN",
    "lstm": "LSTM",
    "transformer": "Transformer\nfrom scratch",
    "copy": "the source itself",
    "lead": "its first words",
    "unigram": "unigram frequencies",
}
_MOST_MARKS = 25  # points of a line beyond which marks would run into each other


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
        axes.set_title(f"{sentence(metric)} on {n:,.0f} test rows, with {confidence * 100:.4g}% intervals")
        return png(figure)


def _interval(axes: Axes, place: int, scored: Mapping[str, float], colour: str) -> None:
    axes.plot([scored["low"], scored["high"]], [place, place], color=colour, linewidth=3)
    axes.plot([scored["value"]], [place], "o", color=colour, markersize=8)
    axes.annotate(
        f"{scored['value']:.3f}", (scored["value"], place), (0, 8), textcoords="offset points", ha="center"
    )


def _range(models: Any) -> tuple[float, float]:
    """The intervals with a little room at both sides, which does not leave what scores of 0 to 1 can be."""
    low = min(scored["low"] for scored in models)
    high = max(scored["high"] for scored in models)
    room = 0.08 * (high - low or abs(high) or 1)
    share = low >= 0 and high <= 1
    return max(0.0, low - room) if low >= 0 else low - room, min(1.01, high + room) if share else high + room


def ladder(metric: str, models: Mapping[str, Mapping[str, Any]]) -> bytes:
    """What each rung buys: the score against the number of weights, and against the work of training.

    Each of `models`, ours first, holds `value`, `low` and `high` of `metric`, `parameters`, and `operations`
    (floating-point operations in training) where the trainer counted them.
    """
    panels = (("parameters", "weights"), ("operations", "floating-point operations in training"))
    with own_style():
        figure = Figure(figsize=(9.6, 3.6), layout="constrained")
        for axes, (column, name) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
            for place, (model, scored) in enumerate(models.items()):
                if scored.get(column):
                    _rung(axes, scored[column], scored, place, model)
            axes.set(xscale="log", xlabel=name)
            axes.set_xlim(*_decades([m[column] for m in models.values() if m.get(column)]))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _power(x)))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.margins(y=0.12)
            axes.grid()
        figure.axes[0].set_ylabel(sentence(metric))
        figure.legend(handles=figure.axes[0].get_legend_handles_labels()[0], loc="outside right center")
        return png(figure)


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around the values, with room at both sides: only these are named on the axis."""
    low, high = min(values, default=1) / 1.3, max(values, default=1) * 1.3
    return 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))


_MARKS = "osv^DPX<>*"  # forms as well as colours tell the rungs apart


def _rung(axes: Axes, x: float, scored: Mapping[str, float], place: int, model: str) -> None:
    colour = BLUE if place == 0 else GREY if place % 2 else ORANGE
    name = _MODELS.get(model, drawable([model])[0]).replace("\n", " ")
    axes.plot([x, x], [scored["low"], scored["high"]], color=colour, linewidth=2)
    mark = _MARKS[place % len(_MARKS)]
    axes.plot([x], [scored["value"]], mark, color=colour, markersize=7, label=name)


def _power(value: float) -> str:
    """10⁶: matplotlib would write it in mathematics, which the style turns off."""
    return f"10{str(round(math.log10(value))).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def training_curve(history: Sequence[Mapping[str, float]], metric: str, best_step: int) -> bytes:
    """Losses, the validation score, and the learning rate, by step; the step whose weights were kept is
    marked.

    `history` holds a mapping a step, with the columns of reports/history.tsv that the step has.
    """
    with own_style():
        figure = Figure(figsize=(10.2, 3.1), layout="constrained")
        losses, score, rate = figure.subplots(1, 3, width_ratios=(1, 1, 0.7))
        _line(losses, history, "loss", BLUE, "training")
        _line(losses, history, "eval_loss", ORANGE, "validation")
        _line(score, history, f"eval_{metric}", ORANGE, "validation")
        losses.set(title="Loss", xlabel="step")
        losses.set_ylim(bottom=0)
        score.set(title=f"{sentence(metric)} on the validation rows", xlabel="step")
        _line(rate, history, "learning_rate", GREY, "learning rate")
        rate.set(title="Learning rate", xlabel="step")
        rate.set_ylim(bottom=0)
        rate.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        for axes in (losses, score, rate):
            axes.axvline(best_step, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="weights kept")
            axes.grid(axis="y")
            axes.margins(x=0.03, y=0.12)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        losses.legend()
        score.legend()
        return png(figure)


def learning_curve(metric: str, curve: Mapping[str, Any]) -> bytes:
    """Scores on validation and training rows by the number of training rows, and where the power law goes.

    `curve` is the record of the curve stage. Dots are single seeds; shades reach from the worst to the best.
    """
    with own_style():
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.subplots()
        sizes = [point["rows"] for point in curve["points"]]
        for split, colour in (("training", BLUE), ("validation", ORANGE)):
            found = [point[split] for point in curve["points"]]
            axes.fill_between(
                sizes, list(map(min, found)), list(map(max, found)), color=colour, alpha=0.2, linewidth=0
            )
            axes.plot(sizes, [sum(s) / len(s) for s in found], color=colour, label=f"{split} rows")
            for size, scores in zip(sizes, found, strict=True):
                axes.plot([size] * len(scores), scores, "o", color=colour, markersize=3)
        line = curve["line"]
        if curve["law"]["informative"]:
            along, low, high = ([p[part] for p in line] for part in ("rows", "low", "high"))
            axes.fill_between(along, low, high, color=GREY, alpha=0.2, linewidth=0)
            law = [p["value"] for p in line]
            axes.plot(along, law, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="power law")
        axes.set(xscale="log", xlabel="training rows", ylabel=sentence(metric))
        axes.set_xticks([*sizes, curve["twice"]["rows"]], minor=False)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.minorticks_off()
        axes.grid(axis="y")
        axes.legend(loc="best")
        return png(figure)


def _line(axes: Axes, history: Sequence[Mapping[str, float]], column: str, colour: str, name: str) -> None:
    points = [(row["step"], row[column]) for row in history if column in row]
    if points:
        marker = "o" if len(points) <= _MOST_MARKS else None
        axes.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=4, label=name)


def sentence(metric: str) -> str:
    """The metric's name, with a capital first letter; chrF stays as it is."""
    text = _METRICS.get(metric, metric)
    return text if text[1:] != text[1:].lower() and " " not in text else text[0].upper() + text[1:]
