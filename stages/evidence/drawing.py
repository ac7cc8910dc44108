"""Every figure of an evaluation into its file."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.core.files import EMPTY_FIGURE, write_bytes
from stages.core.layout import Layout
from stages.core.records import Record
from stages.evidence import detail_plots, plots, scoring
from stages.evidence.breakdown import BREAKDOWNS
from stages.evidence.figure_words import Language
from stages.evidence.scoring import Setting


def draw(
    layout: Layout,
    setting: Setting,
    found: Record,
    predicted: Sequence[Record],
    references: Sequence[Any],
    steps: Sequence[Mapping[str, float]],
    train: Record,
    facts: Mapping[str, Record],
    language: Language,
) -> None:
    """Draw what `found` says of the predictions, and how the training went (`steps`).

    DVC wants every output: a figure that this task has not is one transparent pixel, and not published.
    """
    metric, ranking = setting.metric, scoring.ranked(found, setting.metric)
    sure = setting.bootstrap.confidence
    breakdown = BREAKDOWNS[setting.kind](found, predicted, references, setting.labels, language)
    write_bytes(layout.breakdown_plot, breakdown)
    write_bytes(layout.results_plot, plots.results(metric, ranking, sure, language))
    write_bytes(layout.ladder_plot, plots.ladder(metric, scoring.rungs(ranking, train, facts), language))
    write_bytes(layout.loss_plot, plots.training_curve(steps, metric, train["best"]["step"], language))
    calibration = found.get("calibration")
    write_bytes(
        layout.calibration_plot,
        detail_plots.reliability(setting.kind, calibration, sure, language) if calibration else EMPTY_FIGURE,
    )
    write_bytes(
        layout.slices_plot,
        detail_plots.slices(found["slices"], _whole(found), sure, language)
        if found["slices"]
        else EMPTY_FIGURE,
    )


def _whole(found: Record) -> float:
    """On all test rows, the score that slices have."""
    return float(found["metrics"][found["slices"][0]["metric"]]["value"])
