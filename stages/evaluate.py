"""Score the saved model on the held-out test rows, and all that it is compared with on the same rows.

What is scored is what ships: the model is loaded from models/trained, whose digest must be the one training
recorded. All scores follow from the predictions that are published, and can be had again from them alone.

Reads   models/trained, models/base, models/baselines, data/prepared, data/slices.parquet, data/previous,
        reports/train.json, reports/history.tsv, reports/baselines.json; params: seed task compute evaluate
        card.language (of the figures)
Writes  models/predictions.jsonl, models/published.jsonl, models/mistakes.jsonl, reports/eval.json,
        reports/scores.json, model_cards/figures
Run     dvc repro evaluate   (or: python -m stages.evaluate)
        python -m stages.evaluate --from-predictions [FOLDER]   scores a release again, without its model
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from stages.core import records, trainer_fields
from stages.core.closure import code_digest
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.core.tasks import TaskType
from stages.evidence.diagnosis import Diagnosis, diagnose
from stages.evidence.inputs import check, history, trivial_loss


def evaluate(params: Params, layout: Layout) -> None:
    """Check that everything belongs together, predict, score, draw, record."""
    import torch

    from stages.evidence import drawing, predicting, published, scoring
    from stages.evidence.headline import headline
    from stages.evidence.previous import previous
    from stages.evidence.statistics import METHOD, Bootstrap

    torch.set_num_threads(params.compute.threads)
    manifest = records.read(layout.prepared_manifest, "prepare")
    train = records.read(layout.train_report, "train")
    facts = records.read(layout.baselines_report, "baselines")["models"]
    check(layout, manifest, train)
    steps = history(layout.history)
    asked = predicting.ask(layout, params.task.kind.label, manifest)
    say("evaluate", f"{len(asked.test)} test rows, {len(asked.baselines)} baselines")
    if params.evaluate.robustness and params.task.kind.label == "none":
        say("evaluate", "evaluate.robustness: left out, language models are scored on the tokens themselves")
    answered = predicting.answer(layout, train, asked, params.evaluate.robustness, params.seed)
    release, before = previous(layout, asked, params.task.type, answered.test)
    bootstrap = Bootstrap(params.evaluate.resamples, params.evaluate.confidence, params.seed)
    said = predicting.together(asked, answered, before)
    setting = scoring.Setting(
        params.task.type, asked.labels, params.task.metric, bootstrap, answered.temperature
    )
    found = scoring.judge(said, setting)
    verdict = _verdict(steps, params.task.metric, params.task.kind, train, manifest["splits"], found)

    predicting.write(layout, asked, answered, found)
    published.write(layout.published, said)
    language = params.card.language
    drawing.draw(layout, setting, found, answered.test, asked.test.labels, steps, train, facts, language)
    record = {
        "task": params.task.type,
        "metric": params.task.metric,
        "test": {"rows": len(asked.test), "sha256": asked.sha256},
        "model": {"sha256": train["model"]["sha256"]},
        "labels": asked.labels,
        "outputs": answered.outputs,
        **found,
        **({"release": release} if release else {}),
        "predictions": {"sha256": sha256(layout.published)},
        "diagnosis": scoring.described(verdict),
        "bootstrap": asdict(bootstrap) | {"method": METHOD},
        "code": code_digest("evaluate", layout.root),
    }
    records.write_report(layout.eval_report, record)
    records.write(layout.scores, headline(record, train, manifest["splits"]))
    print(scoring.table(found, params.task.metric), flush=True)
    say("evaluate", f"the training curves say: {verdict.verdict.replace('_', ' ')}")


def _verdict(
    steps: list[dict[str, float]],
    metric: str,
    kind: TaskType,
    train: records.Record,
    splits: records.Record,
    found: records.Record,
) -> Diagnosis:
    """What the training curves say."""
    from stages.evidence import scoring

    trivial = trivial_loss(kind.label, splits["train"], scoring.loss_of(found, "unigram"))
    smoothed = trainer_fields.smooths(train["hyperparameters"])
    best, rows = train["best"]["step"], splits["validation"]["rows"]
    return diagnose(steps, metric, best, rows, trivial, kind, smoothed)


def recompute(folder: Path | None) -> None:
    """Score the predictions of a release again, or those of this repository, and compare with the record."""
    from stages.evidence import recompute as again
    from stages.evidence import scoring

    here = Layout(Path("."))
    files = (here.published, here.eval_report)
    if folder:
        files = (folder / "reports/predictions.jsonl", folder / "reports/eval.json")
    try:
        found, metric, numbers = again.recompute(*files)
    except PipelineError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).splitlines()))
    print(scoring.table(found, metric), flush=True)
    say("evaluate", f"{numbers} numbers of {files[1]} come out again from {files[0]}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--from-predictions",
        nargs="?",
        type=Path,
        const=Path(""),
        metavar="FOLDER",
        help="score published predictions again, without the model: a downloaded release, or this repository",
    )
    return parser.parse_args()


if __name__ == "__main__":
    asked = _arguments().from_predictions
    if asked is None:
        run(evaluate)
    else:
        recompute(asked if asked != Path("") else None)
