"""Train the baselines on the training rows and let them predict the test rows.

Reads   data/prepared; params: seed baselines compute
Writes  models/baselines/NAME.jsonl, reports/baselines.json
Run     dvc repro baselines   (or: python -m stages.baselines)
"""

from stages.core import records
from stages.core.closure import code_digest
from stages.core.errors import PipelineError
from stages.core.files import new_folder, sha256
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params


def baselines(params: Params, layout: Layout) -> None:
    """Fit, predict, record; scoring is evaluate's, on the same rows as the model's."""
    from threadpoolctl import threadpool_limits

    from stages.tasks.rows import read_rows
    from stages.training.baselines import BASELINES

    labels = records.read(layout.prepared_manifest, "prepare")["labels"]
    train, test = read_rows(layout.split("train")), read_rows(layout.split("test"))
    facts = {}
    with new_folder(layout.baselines) as work, threadpool_limits(params.compute.threads):
        for name in params.baselines.models:
            try:
                fitted = BASELINES[name](
                    train.texts, train.numbers(labels), test.texts, len(labels), params.seed
                )
            except ValueError as error:
                raise PipelineError(f"baseline {name}: {error}: take it out of baselines.models") from error
            facts[name] = fitted.facts
            predicted = fitted.probabilities.argmax(axis=1)
            records.write_lines(
                work / f"{name}.jsonl",
                (
                    {"id": id_, "predicted": labels[best], "probabilities": [round(float(p), 6) for p in row]}
                    for id_, best, row in zip(test.ids, predicted, fitted.probabilities, strict=True)
                ),
            )
            say("baselines", f"{name}: {fitted.facts['description']}")
    records.write(
        layout.baselines_report,
        {
            "models": facts,
            "test": {"rows": len(test.ids), "sha256": sha256(layout.split("test"))},
            "code": code_digest("baselines", layout.root),
        },
    )


if __name__ == "__main__":
    run(baselines)
