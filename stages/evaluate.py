"""Score the saved model on the held-out test rows, and every baseline on the same rows.

What is scored is what ships: the model is loaded from models/trained, whose digest must be the one training
recorded.

Reads   models/trained, models/base, models/baselines, data/prepared, reports/train.json, reports/history.tsv,
        reports/baselines.json; params: seed task compute evaluate
Writes  models/predictions.jsonl, reports/eval.json, model_cards/figures
Run     dvc repro evaluate   (or: python -m stages.evaluate)
"""

from dataclasses import asdict

from stages.core import records, trainer_fields
from stages.core.closure import code_digest
from stages.core.files import write_bytes
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.core.tasks import TaskType
from stages.evidence.diagnosis import Diagnosis, diagnose
from stages.evidence.inputs import baseline_predictions, check, history, trivial_loss
from stages.tasks.rows import Rows, read_rows


def evaluate(params: Params, layout: Layout) -> None:
    """Check that everything belongs together, predict, score, draw, record."""
    import torch

    from stages.evidence import plots, scoring
    from stages.evidence.breakdown import BREAKDOWNS
    from stages.evidence.statistics import METHOD, Bootstrap

    torch.set_num_threads(params.compute.threads)
    manifest = records.read(layout.prepared_manifest, "prepare")
    train = records.read(layout.train_report, "train")
    facts = records.read(layout.baselines_report, "baselines")["models"]
    check(layout, manifest, train)
    steps = history(layout.history)
    test = read_rows(layout.split("test"))
    metric, kind = params.task.metric, params.task.kind
    labels: list[str] = manifest["labels"]
    files = sorted(layout.baselines.glob("*.jsonl"))
    baselines = {file.stem: baseline_predictions(file, test.ids, labels) for file in files}

    say("evaluate", f"{len(test)} test rows, {len(baselines)} baselines")
    outputs, predicted = _predicted(layout, params.task.type, train, labels, test)
    bootstrap = Bootstrap(params.evaluate.resamples, params.evaluate.confidence, params.seed)
    found = scoring.judge(params.task.type, predicted, baselines, test.labels, labels, metric, bootstrap)
    unigram = scoring.loss_of(found, "unigram")
    said = _verdict(steps, metric, kind, train, manifest["splits"], unigram)

    records.write_lines(layout.predictions, scoring.prediction_lines(test, predicted))
    ranking = scoring.ranked(found, metric)
    write_bytes(layout.breakdown_plot, BREAKDOWNS[kind.label](found, predicted, test.labels, labels))
    write_bytes(layout.results_plot, plots.results(metric, ranking, bootstrap.confidence))
    write_bytes(layout.ladder_plot, plots.ladder(metric, scoring.rungs(ranking, train, facts)))
    write_bytes(layout.loss_plot, plots.training_curve(steps, metric, train["best"]["step"]))
    records.write(
        layout.eval_report,
        {
            "task": params.task.type,
            "metric": metric,
            "test": {"rows": len(test), "sha256": manifest["splits"]["test"]["sha256"]},
            "model": {"sha256": train["model"]["sha256"]},
            "labels": labels,
            "outputs": outputs,
            **found,
            "diagnosis": scoring.described(said),
            "bootstrap": asdict(bootstrap) | {"method": METHOD},
            "code": code_digest("evaluate", layout.root),
        },
    )
    print(scoring.table(found, metric), flush=True)
    say("evaluate", f"the training curves say: {said.verdict.replace('_', ' ')}")


def _predicted(
    layout: Layout, task_type: str, train: records.Record, labels: list[str], test: Rows
) -> tuple[list[str], list[records.Record]]:
    """The outputs of the saved model by name, if they are labels, and what it says of the test rows."""
    from stages.core.task_section import Task as Settings
    from stages.evidence import scoring
    from stages.tasks import inference
    from stages.tasks.table import TASKS

    task, settings = TASKS[task_type], Settings.model_validate(train["task"])
    model, tokenizer = inference.load(layout.trained, layout.base, task, settings)
    outputs = inference.outputs(model) if task.head else []
    if task.head:
        scoring.same_labels(outputs, labels or [inference.NUMBER])
    return outputs, inference.predictions(model, tokenizer, test, task, settings)


def _verdict(
    steps: list[dict[str, float]],
    metric: str,
    kind: TaskType,
    train: records.Record,
    splits: records.Record,
    unigram: float | None,
) -> Diagnosis:
    """What the training curves say; `unigram` is the loss of that baseline, if there is one."""
    trivial = trivial_loss(kind.label, splits["train"], unigram)
    smoothed = trainer_fields.smooths(train["hyperparameters"])
    best, rows = train["best"]["step"], splits["validation"]["rows"]
    return diagnose(steps, metric, best, rows, trivial, kind, smoothed)


if __name__ == "__main__":
    run(evaluate)
