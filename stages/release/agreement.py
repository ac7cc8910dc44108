"""Records that have to be about the same model and the same rows before anything is said or published."""

from collections.abc import Mapping

from stages.core import terms
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import Card


def agree(data: Record, train: Record, evaluation: Record) -> None:
    """Raise PipelineError, naming the stage to run again, unless the records describe one run."""
    if evaluation["model"]["sha256"] != train["model"]["sha256"]:
        raise PipelineError(
            "reports/eval.json scores another model than reports/train.json describes:"
            " run `dvc repro evaluate`"
        )
    _same_test_rows(data, evaluation, "eval", "evaluate")
    for split, used in sorted(train["data"].items()):
        if used != data["splits"][split]["sha256"]:
            raise PipelineError(
                f"reports/train.json used another {split} split than reports/data.json describes:"
                " run `dvc repro train`"
            )


def baselines_agree(data: Record, baselines: Record, evaluation: Record) -> None:
    """Raise PipelineError unless the baselines that were scored are described, on the same test rows."""
    _same_test_rows(data, baselines, "baselines", "baselines")
    missing = evaluation["baselines"].keys() - baselines["models"].keys()
    if missing:
        raise PipelineError(
            f"reports/baselines.json does not describe {', '.join(sorted(missing))}: run `dvc repro evaluate`"
        )


def curve_agrees(data: Record, train: Record, curve: Record) -> None:
    """Raise PipelineError unless the learning curve, if there is one, is of the same rows and settings."""
    if not curve["enabled"]:
        return
    mine = {split: data["splits"][split]["sha256"] for split in curve["data"]}
    alike = ("method", "lora", "hyperparameters", "base", "task")
    if curve["data"] != mine or any(curve[name] != train[name] for name in alike):
        raise PipelineError(
            "reports/curve.json is about other rows or another training than reports/train.json:"
            " run `dvc repro curve`"
        )


def _same_test_rows(data: Record, record: Record, name: str, stage: str) -> None:
    if record["test"]["sha256"] != data["splits"]["test"]["sha256"]:
        raise PipelineError(
            f"reports/{name}.json is about other test rows than reports/data.json: run `dvc repro {stage}`"
        )


def snippet_agrees(train: Record, snippet: Record) -> None:
    """Raise PipelineError unless the snippet was run on the model that was trained."""
    if snippet["model"]["sha256"] != train["model"]["sha256"]:
        raise PipelineError("reports/snippet.json is of another model: run `dvc repro snippet`")


def licences_agree(card: Card, data: Record, train: Record) -> None:
    """Raise PipelineError when base or data, by their records, do not allow the card's licence."""
    terms.check(terms.of_model(card.model_dump(), train["base"], data["source"]))


def card_agrees(sidecar: Record, files: Mapping[str, str], model: str) -> None:
    """Raise PipelineError unless a card was made of the records and for the model that go with it.

    `files` are the SHA-256 of a release's files by path, the card's as it was generated.
    """
    named = {**sidecar["records"], **sidecar["figures"], "README.md": sidecar["card"]["sha256"]}
    if changed := sorted(path for path, known in named.items() if files.get(path) != known):
        raise PipelineError(
            f"{changed[0]} is not what model_cards/card.json was made with: run `dvc repro card`"
        )
    if sidecar["model"]["sha256"] != model:
        raise PipelineError("model_cards/card.json is of another model: run `dvc repro card`")
