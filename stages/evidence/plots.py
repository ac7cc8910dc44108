"""The figures that every evaluation has, as PNG bytes: results against baselines, and the training curve."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from stages.evidence.figure_words import MODELS, Language, named, number, percent, say, title, turned
from stages.evidence.style import BLUE, DASHED, GREY, INK, ORANGE, broken, drawable, heading, own_style, png

_TITLE = 42  # letters that fit over a panel
_MOST_MARKS = 25  # points of a line beyond which marks would run into each other


def results(
    metric: str, models: Mapping[str, Mapping[str, float]], confidence: float, language: Language
) -> bytes:
    """One line a model with its value and interval; the first one is ours, the others are baselines.

    Each of `models` holds `value`, `low` and `high` of `metric`.
    """
    names = [_named(name, language) for name in models]
    n = next(iter(models.values()))["n"]
    with own_style():
        figure = Figure(figsize=(7.2, 1.25 + 0.5 * len(names)), layout="constrained")
        axes = figure.subplots()
        for place, scored in enumerate(models.values()):
            _interval(axes, place, scored, BLUE if place == 0 else GREY, language)
        axes.set_yticks(range(len(names)), names)
        axes.get_yticklabels()[0].set_fontweight("bold")
        axes.set_ylim(len(names) - 0.5, -0.6)
        axes.set_xlim(*_range(models.values()))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        shown = {"n": number(language, n, ",.0f"), "sure": percent(language, confidence)}
        heading(figure, say(language, "results title", metric=title(language, metric), **shown))
        return png(figure, language)


def _interval(axes: Axes, place: int, scored: Mapping[str, float], colour: str, language: Language) -> None:
    axes.plot([scored["low"], scored["high"]], [place, place], color=colour, linewidth=3)
    axes.plot([scored["value"]], [place], "o", color=colour, markersize=8)
    shown = number(language, scored["value"])
    axes.annotate(shown, (scored["value"], place), (0, 8), textcoords="offset points", ha="center")


def _range(models: Any) -> tuple[float, float]:
    """The intervals with a little room at both sides, which does not leave what scores of 0 to 1 can be."""
    low = min(scored["low"] for scored in models)
    high = max(scored["high"] for scored in models)
    room = 0.08 * (high - low or abs(high) or 1)
    share = low >= 0 and high <= 1
    return max(0.0, low - room) if low >= 0 else low - room, min(1.01, high + room) if share else high + room


def ladder(metric: str, models: Mapping[str, Mapping[str, Any]], language: Language) -> bytes:
    """What each rung buys: the score against the number of weights, and against the work of training.

    Each of `models`, ours first, holds `value`, `low` and `high` of `metric`, `parameters`, and `operations`
    (floating-point operations in training) where the trainer counted them.
    """
    panels = (("parameters", "weights"), ("operations", "operations"))
    with own_style():
        figure = Figure(figsize=(9.6, 3.6), layout="constrained")
        for axes, (column, name) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
            for place, (model, scored) in enumerate(models.items()):
                if scored.get(column):
                    _rung(axes, scored[column], scored, place, _named(model, language))
            axes.set(xscale="log", xlabel=say(language, name))
            axes.set_xlim(*_decades([m[column] for m in models.values() if m.get(column)]))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _power(x)))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.margins(y=0.12)
            axes.grid()
        figure.axes[0].set_ylabel(title(language, metric))
        figure.legend(handles=figure.axes[0].get_legend_handles_labels()[0], loc="outside right center")
        return png(figure, language)


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around the values, with room at both sides: only these are named on the axis."""
    low, high = min(values, default=1) / 1.3, max(values, default=1) * 1.3
    return 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))


_MARKS = "osv^DPX<>*"  # forms as well as colours tell the rungs apart


def _rung(axes: Axes, x: float, scored: Mapping[str, float], place: int, name: str) -> None:
    colour = BLUE if place == 0 else GREY if place % 2 else ORANGE
    axes.plot([x, x], [scored["low"], scored["high"]], color=colour, linewidth=2)
    mark = _MARKS[place % len(_MARKS)]
    axes.plot([x], [scored["value"]], mark, color=colour, markersize=7, label=name.replace("\n", " "))


def _power(value: float) -> str:
    """10⁶: matplotlib would write it in mathematics, which the style turns off."""
    return f"10{str(round(math.log10(value))).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def training_curve(
    history: Sequence[Mapping[str, float]], metric: str, best_step: int, language: Language
) -> bytes:
    """Losses, the validation score, and the learning rate, by step; the step whose weights were kept is
    marked.

    `history` holds a mapping a step, with the columns of reports/history.tsv that the step has.
    """
    with own_style():
        figure = Figure(figsize=(10.2, 3.1), layout="constrained")
        losses, score, rate = figure.subplots(1, 3, width_ratios=(1, 1, 0.7))
        training, validation = say(language, "training"), say(language, "validation")
        _line(losses, history, "loss", BLUE, training)
        _line(losses, history, "eval_loss", ORANGE, validation)
        _line(score, history, f"eval_{metric}", ORANGE, validation)
        _line(rate, history, "learning_rate", GREY, "_")
        losses.set_title(say(language, "loss"))
        scored = say(language, "validation score", metric=title(language, metric))
        score.set_title(broken(scored, _TITLE))
        rate.set_title(say(language, "learning rate"))
        losses.set_ylim(bottom=0)
        rate.set_ylim(bottom=0)
        rate.yaxis.set_major_formatter(FuncFormatter(lambda y, _: turned(language, f"{y:g}")))
        for axes in (losses, score, rate):
            kept = say(language, "kept")
            axes.axvline(best_step, color=INK, linewidth=1, linestyle=DASHED, label=kept)
            axes.set_xlabel(say(language, "step"))
            axes.grid(axis="y")
            axes.margins(x=0.03, y=0.12)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(language, x, ",.0f")))
        losses.legend()
        score.legend()
        return png(figure, language)


def learning_curve(metric: str, curve: Mapping[str, Any], language: Language) -> bytes:
    """Scores on validation and training rows by the number of training rows, and where the power law goes.

    `curve` is the record of the curve stage. Dots are single seeds; shades reach from the worst to the best.
    """
    with own_style():
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.subplots()
        sizes = [point["rows"] for point in curve["points"]]
        for split, colour in (("training", BLUE), ("validation", ORANGE)):
            found, label = [point[split] for point in curve["points"]], say(language, f"on {split}")
            axes.fill_between(
                sizes, list(map(min, found)), list(map(max, found)), color=colour, alpha=0.2, linewidth=0
            )
            axes.plot(sizes, [sum(s) / len(s) for s in found], color=colour, label=label)
            for size, scores in zip(sizes, found, strict=True):
                axes.plot([size] * len(scores), scores, "o", color=colour, markersize=3)
        line = curve["line"]
        if curve["law"]["informative"]:
            along, low, high = ([p[part] for p in line] for part in ("rows", "low", "high"))
            axes.fill_between(along, low, high, color=GREY, alpha=0.2, linewidth=0)
            law = [p["value"] for p in line]
            label = say(language, "power law")
            axes.plot(along, law, color=INK, linewidth=1, linestyle=DASHED, label=label)
        axes.set(xscale="log", xlabel=say(language, "training rows"), ylabel=title(language, metric))
        axes.set_xticks([*sizes, curve["twice"]["rows"]], minor=False)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(language, x, ",.0f")))
        axes.minorticks_off()
        axes.grid(axis="y")
        axes.legend(loc="best")
        return png(figure, language)


def _named(model: str, language: Language) -> str:
    return named(language, MODELS, model, drawable([model], language)[0])


def _line(axes: Axes, history: Sequence[Mapping[str, float]], column: str, colour: str, name: str) -> None:
    points = [(row["step"], row[column]) for row in history if column in row]
    if points:
        marker = "o" if len(points) <= _MOST_MARKS else None
        axes.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=4, label=name)
