"""Run the card's snippet on the saved model, in a clean process, and keep what it prints.

Reads   models/trained, models/base, reports/data.json, reports/train.json, model_cards/templates/use; params:
        card compute hub
Writes  reports/snippet.json
Run     dvc repro snippet   (or: python -m stages.snippet)
"""

from stages.core import records
from stages.core.closure import code_digest
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.release.rehearsal import Repository, rehearse
from stages.release.snippet import code, examples, widget


def snippet(params: Params, layout: Layout) -> None:
    """Write the code, run it, record both with what the model's page shows of it."""
    data = records.read(layout.data_report, "prepare")
    train = records.read(layout.train_report, "train")
    asked = examples(params.card, data, train)
    written = code(layout.templates, params.hub, train, asked)
    repositories = [Repository(params.hub.repo_id, f"v{params.hub.version}", layout.trained)]
    if train["lora"]:
        base = train["base"]
        repositories.append(Repository(base["repo_id"], base["revision"], layout.base))
    say("snippet", f"asking {params.hub.repo_id} v{params.hub.version} as its card does")
    found = rehearse(written, repositories, params.compute.threads)
    records.write_report(
        layout.snippet_report,
        {
            "snippet": written,
            "printed": found["printed"],
            "widget": widget(asked, found["answers"]),
            "model": {"sha256": train["model"]["sha256"]},
            "code": code_digest("snippet", layout.root),
        },
    )
    print(found["printed"], end="", flush=True)


if __name__ == "__main__":
    run(snippet)
