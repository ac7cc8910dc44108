"""Write the model card: every number on it comes from a record, and the records have to agree.

Reads   reports/data.json, reports/baselines.json, reports/train.json, reports/eval.json,
        model_cards/templates; params: card hub
Writes  model_cards/README.md
Run     dvc repro card   (or: python -m stages.card)
"""

from stages.core import records
from stages.core.files import write_text
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.release.agreement import agree, baselines_agree
from stages.release.card import render


def card(params: Params, layout: Layout) -> None:
    """Read the records, check that they belong together, render."""
    data = records.read(layout.data_report, "prepare")
    baselines = records.read(layout.baselines_report, "baselines")
    train = records.read(layout.train_report, "train")
    evaluation = records.read(layout.eval_report, "evaluate")
    agree(data, train, evaluation)
    baselines_agree(data, baselines, evaluation)
    text = render(layout.templates, params.card, params.hub, data, baselines, train, evaluation)
    write_text(layout.card, text)
    say("card", f"{layout.card}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    run(card)
