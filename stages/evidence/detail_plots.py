"""The figures of the finer judgement, as PNG bytes: the reliability diagram, and the scores of slices."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from stages.core.records import Record
from stages.evidence.calibration import BINS
from stages.evidence.figure_words import COLUMNS, VERDICTS, Language, named, number, percent, say, title
from stages.evidence.style import (
    BLUE,
    DASHED,
    GREY,
    INK,
    ORANGE,
    PAPER,
    drawn,
    heading,
    own_style,
    png,
)

_BAR: Any = {"solid_capstyle": "butt", "zorder": 1}  # over the grid, under the lines
_MOST_SLICES = 60  # rows beyond which the figure would be taller than a page

# The words for what is on the two axes, by the kind of label.
_AXES = {
    "class": ("confidence", "accuracy", "test rows"),
    "classes": ("probability", "has it", "labels of rows"),
}
_COLOURS = {"better": BLUE, "worse": ORANGE, "no difference shown": INK, "too few": GREY}


def reliability(kind: str, found: Record, confidence: float, language: Language) -> bytes:
    """Accuracy against confidence by bin, with a histogram of counts beneath; `found` is what
    stages.evidence.calibration.calibrate says.

    Grey bars hold `confidence` of what a perfectly calibrated model shows. After temperature scaling is a
    second line, where there is one.
    """
    x, y, counted = (say(language, key) for key in _AXES[kind])
    with own_style():
        figure = Figure(figsize=(4.9, 5.8), layout="constrained")
        above, beneath = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        above.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=DASHED)
        name = say(language, "calibrated", sure=percent(language, confidence))
        for bin_ in found["bins"]:
            span = bin_["expected"]["low"], bin_["expected"]["high"]
            above.plot([bin_["confidence"]] * 2, span, color=GREY, linewidth=3, label=name, **_BAR)
            name = "_"  # named once
        if "scaled" in found:
            temperature = number(language, found["scaled"]["temperature"], ".3g")
            label = say(language, "scaled", temperature=temperature)
            _line(above, found["scaled"]["bins"], ORANGE, "s", label)
        _line(above, found["bins"], BLUE, "o", say(language, "the model"))
        above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel=y)
        heading(figure, say(language, "ece", ece=number(language, found["ece"]["value"])))
        above.grid()
        figure.legend(loc="outside lower left", ncols=1)
        _histogram(beneath, found["bins"], language)
        beneath.set(xlabel=x, ylabel=counted)
        return png(figure, language)


def _line(axes: Axes, bins: Sequence[Mapping[str, float]], colour: str, mark: str, name: str) -> None:
    """A thin line, and for each bin a mark that grows with its count: the small ones are mostly noise."""
    x, y, counts = zip(*((b["confidence"], b["accuracy"], b["count"]) for b in bins), strict=True)
    axes.plot(x, y, color=colour, linewidth=0.7)
    areas = [12 + 60 * math.sqrt(count / max(counts)) for count in counts]
    axes.scatter(x, y, areas, color=colour, marker=mark, label=name, zorder=3)


def _histogram(axes: Axes, bins: Sequence[Mapping[str, float]], language: Language) -> None:
    """On a logarithmic scale: most bins of a good model hold a hundredth of what the last one does."""
    middles = [(max(1, math.ceil(found["confidence"] * BINS)) - 0.5) / BINS for found in bins]
    axes.bar(middles, [found["count"] for found in bins], width=0.9 / BINS, color=BLUE)
    axes.set_yscale("log")
    axes.set_ylim(0.7, 2 * max(found["count"] for found in bins))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: number(language, count, ",.0f")))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")


def slices(found: Sequence[Record], whole: float, confidence: float, language: Language) -> bytes:
    """A row a slice under the name of its column: score, interval, test rows; `whole` is the score on all
    rows.

    `found` is what stages.evidence.slices.slices says, and not empty. Beyond 60 slices those with the most
    rows are shown.
    """
    largest = sorted(range(len(found)), key=lambda place: (-found[place]["n"], place))[:_MOST_SLICES]
    rows = _rows({place + 1: found[place] for place in sorted(largest)}, language)
    with own_style():
        figure = Figure(figsize=(7.2, 1.3 + 0.24 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(whole, color=INK, linewidth=1, linestyle=DASHED, label="all rows")
        for place, (_, slice_) in enumerate(rows):
            if slice_ and "score" in slice_:
                _dot(axes, place, slice_)
        _name_rows(axes, rows)
        sure = percent(language, confidence)
        said = say(language, "slices title", metric=title(language, found[0]["metric"]), sure=sure)
        if len(largest) < len(found):
            said += say(language, "largest", shown=str(_MOST_SLICES), all=str(len(found)))
        heading(figure, said)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.margins(x=0.04)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        _legend(figure, axes, language)
        return png(figure, language)


def _legend(figure: Figure, axes: Axes, language: Language) -> None:
    """Each verdict once, in the order of the table."""
    handles = {key: handle for handle, key in zip(*axes.get_legend_handles_labels(), strict=True)}
    order = {"all rows": say(language, "all rows")} | {k: named(language, VERDICTS, k, k) for k in _COLOURS}
    shown = [key for key in order if key in handles]
    names = [order[key] for key in shown]
    figure.legend([handles[key] for key in shown], names, loc="outside lower center", ncols=3)


def _rows(shown: Mapping[int, Record], language: Language) -> list[tuple[str, Record | None]]:
    """A line for each column's name, and one for each slice: its value and its number of test rows.

    What the font cannot draw is called by its number, which is that of its place in the record.
    """
    rows: list[tuple[str, Record | None]] = []
    column, columns = None, 0
    for place, slice_ in shown.items():
        if slice_["column"] != column:
            column = slice_["column"]
            columns += 1
            otherwise = _name(column, say(language, "column", number=str(columns)), language)
            rows.append((named(language, COLUMNS, column, otherwise), None))
        if slice_["value"] is None:
            name = say(language, "others", n=number(language, slice_["others"], ",.0f"))
        else:
            name = _name(slice_["value"], say(language, "slice", number=str(place)), language)
        nothing = "" if "score" in slice_ else f", {say(language, 'nothing to score')}"
        rows.append((f"{name}  ({number(language, slice_['n'], ',.0f')}{nothing})", slice_))
    return rows


def _name(text: str, otherwise: str, language: Language) -> str:
    """The text as the font can draw it, or else what stands for it."""
    return (drawn(text) or otherwise) if text.strip() else say(language, "empty")


def _dot(axes: Axes, place: int, slice_: Mapping[str, Any]) -> None:
    colour, verdict = _COLOURS[slice_["verdict"]], slice_["verdict"]
    if "low" in slice_:
        axes.plot([slice_["low"], slice_["high"]], [place, place], color=colour, linewidth=2)
    fill = PAPER if verdict == "too few" else colour
    axes.plot(
        [slice_["score"]], [place], "o", color=colour, markerfacecolor=fill, markersize=6, label=verdict
    )


def _name_rows(axes: Axes, rows: Sequence[tuple[str, Record | None]]) -> None:
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    for label, (_, slice_) in zip(axes.get_yticklabels(), rows, strict=True):
        if slice_ is None:
            label.set_fontweight("bold")
