"""Score the saved model on the held-out test rows, and every baseline on the same rows.

What is scored is what ships: the model is loaded from models/trained, whose digest must be the one training
recorded.

Reads   models/trained, models/base, models/baselines, data/prepared, reports/train.json, reports/history.tsv;
        params: seed task compute evaluate
Writes  models/predictions.jsonl, reports/eval.json, model_cards/figures
Run     dvc repro evaluate   (or: python -m stages.evaluate)
"""

from dataclasses import asdict

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import write_bytes
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params


def evaluate(params: Params, layout: Layout) -> None:
    """Check that everything belongs together, predict, score, draw, record."""
    import torch

    from stages.evidence import plots, scoring
    from stages.evidence.inputs import baseline_predictions, check, history
    from stages.evidence.statistics import MARGIN, METHOD, Bootstrap
    from stages.tasks import inference
    from stages.tasks.rows import read_rows

    torch.set_num_threads(params.compute.threads)
    manifest = records.read(layout.prepared_manifest, "prepare")
    train = records.read(layout.train_report, "train")
    check(layout, manifest, train)
    steps = history(layout.history)
    test = read_rows(layout.split("test"))
    labels: list[str] = manifest["labels"]
    baselines = {
        file.stem: baseline_predictions(file, test.ids, labels)
        for file in sorted(layout.baselines.glob("*.jsonl"))
    }

    say("evaluate", f"{len(test.ids)} test rows, {len(baselines)} baselines")
    model, tokenizer, names = inference.load(layout.trained, layout.base)
    scoring.same_labels(names, labels)
    probabilities = inference.probabilities(model, tokenizer, test.texts, train["max_length"])
    predicted = probabilities.argmax(axis=1).tolist()
    bootstrap = Bootstrap(params.evaluate.resamples, params.evaluate.confidence, params.seed)
    metric = params.task.metric
    found = scoring.judge(predicted, baselines, test.numbers(labels), labels, metric, bootstrap)

    records.write_lines(layout.predictions, scoring.prediction_lines(test, labels, probabilities))
    ranking = scoring.ranked(found, metric)
    write_bytes(layout.confusion_plot, plots.confusion_matrix(found["confusion"], labels))
    write_bytes(layout.results_plot, plots.results(metric, ranking, bootstrap.confidence))
    write_bytes(layout.loss_plot, plots.training_curve(steps, metric, train["best"]["step"]))
    records.write(
        layout.eval_report,
        {
            "task": params.task.type,
            "metric": metric,
            "test": {"rows": len(test.ids), "sha256": manifest["splits"]["test"]["sha256"]},
            "model": {"sha256": train["model"]["sha256"]},
            "labels": labels,
            **found,
            "bootstrap": asdict(bootstrap) | {"method": METHOD, "margin": MARGIN},
            "code": code_digest("evaluate", layout.root),
        },
    )
    print(scoring.table(found, metric), flush=True)


if __name__ == "__main__":
    run(evaluate)
