"""Every path of the pipeline, once. dvc.yaml is tested against this table."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths below the repository root. Properties only: nothing is created by asking for a path."""

    root: Path

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def report(self, name: str) -> Path:
        """The record of a stage."""
        return self.root / f"reports/{name}.json"

    # What the user brings.
    @property
    def raw(self) -> Path:
        return self.root / "data/raw"

    @property
    def templates(self) -> Path:
        return self.root / "model_cards/templates"

    @property
    def prose(self) -> Path:
        return self.root / "model_cards/prose"

    # fetch
    @property
    def source(self) -> Path:
        return self.root / "data/source"

    @property
    def base(self) -> Path:
        return self.root / "models/base"

    # prepare
    @property
    def prepared(self) -> Path:
        return self.root / "data/prepared"

    @property
    def rejected(self) -> Path:
        return self.prepared / "rejected.jsonl"

    @property
    def findings(self) -> Path:
        return self.prepared / "findings.jsonl"

    @property
    def slices(self) -> Path:
        return self.root / "data/slices.parquet"

    @property
    def prepared_manifest(self) -> Path:
        return self.prepared / "manifest.json"

    def split(self, name: str) -> Path:
        """The rows of one split (`train`, `validation` or `test`)."""
        return self.prepared / f"{name}.parquet"

    @property
    def data_report(self) -> Path:
        return self.report("data")

    # baselines
    @property
    def baselines(self) -> Path:
        return self.root / "models/baselines"

    @property
    def baselines_report(self) -> Path:
        return self.report("baselines")

    # train
    @property
    def trained(self) -> Path:
        return self.root / "models/trained"

    @property
    def train_report(self) -> Path:
        return self.report("train")

    @property
    def history(self) -> Path:
        return self.root / "reports/history.tsv"

    @property
    def checkpoints(self) -> Path:
        return self.root / ".checkpoints"

    @property
    def baseline_checkpoints(self) -> Path:
        return self.root / ".checkpoints.baselines"

    # curve
    @property
    def curve_report(self) -> Path:
        return self.report("curve")

    @property
    def curve_checkpoints(self) -> Path:
        return self.root / ".checkpoints.curve"

    # evaluate
    @property
    def predictions(self) -> Path:
        return self.root / "models/predictions.jsonl"

    @property
    def published(self) -> Path:
        return self.root / "models/published.jsonl"

    @property
    def mistakes(self) -> Path:
        return self.root / "models/mistakes.jsonl"

    @property
    def previous_note(self) -> Path:
        return self.root / "data/previous/release.json"

    @property
    def previous_predictions(self) -> Path:
        return self.root / "data/previous/predictions.jsonl"

    @property
    def eval_report(self) -> Path:
        return self.report("eval")

    @property
    def scores(self) -> Path:
        return self.report("scores")

    # Figures lie beside the card, as in the release, so that the card shows them wherever it is read.
    @property
    def breakdown_plot(self) -> Path:
        return self.root / "model_cards/figures/breakdown.png"

    @property
    def results_plot(self) -> Path:
        return self.root / "model_cards/figures/results.png"

    @property
    def ladder_plot(self) -> Path:
        return self.root / "model_cards/figures/ladder.png"

    @property
    def loss_plot(self) -> Path:
        return self.root / "model_cards/figures/loss.png"

    @property
    def calibration_plot(self) -> Path:
        return self.root / "model_cards/figures/calibration.png"

    @property
    def slices_plot(self) -> Path:
        return self.root / "model_cards/figures/slices.png"

    # snippet
    @property
    def snippet_report(self) -> Path:
        return self.report("snippet")

    # What was measured differs from run to run, so no stage declares it as an output.
    @property
    def measured(self) -> Path:
        return self.root / "reports/measured"

    @property
    def speed_report(self) -> Path:
        return self.measured / "speed.json"

    @property
    def training_report(self) -> Path:
        return self.measured / "training.json"

    # card, push
    @property
    def card(self) -> Path:
        return self.root / "model_cards/README.md"

    @property
    def card_sources(self) -> Path:
        return self.root / "model_cards/card.json"

    @property
    def curve_plot(self) -> Path:
        return self.root / "model_cards/figures/curve.png"

    @property
    def receipt(self) -> Path:
        return self.root / "model_cards/release.json"

    @property
    def hub(self) -> Path:
        return self.root / ".hub"
