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

    # What the user brings.
    @property
    def raw(self) -> Path:
        return self.root / "data/raw"

    @property
    def templates(self) -> Path:
        return self.root / "model_cards/templates"

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
    def prepared_manifest(self) -> Path:
        return self.prepared / "manifest.json"

    def split(self, name: str) -> Path:
        """The rows of one split (`train`, `validation` or `test`)."""
        return self.prepared / f"{name}.parquet"

    @property
    def data_report(self) -> Path:
        return self.root / "reports/data.json"

    # baselines
    @property
    def baselines(self) -> Path:
        return self.root / "models/baselines"

    @property
    def baselines_report(self) -> Path:
        return self.root / "reports/baselines.json"

    # train
    @property
    def trained(self) -> Path:
        return self.root / "models/trained"

    @property
    def train_report(self) -> Path:
        return self.root / "reports/train.json"

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
        return self.root / "reports/curve.json"

    @property
    def curve_checkpoints(self) -> Path:
        return self.root / ".checkpoints.curve"

    # evaluate
    @property
    def predictions(self) -> Path:
        return self.root / "models/predictions.jsonl"

    @property
    def eval_report(self) -> Path:
        return self.root / "reports/eval.json"

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

    # card, push
    @property
    def card(self) -> Path:
        return self.root / "model_cards/README.md"

    @property
    def curve_plot(self) -> Path:
        return self.root / "model_cards/figures/curve.png"

    @property
    def receipt(self) -> Path:
        return self.root / "model_cards/release.json"

    @property
    def hub(self) -> Path:
        return self.root / ".hub"
