"""Write the model card: every number on it comes from a record, and the records have to agree.

Reads   reports/data.json, reports/baselines.json, reports/train.json, reports/eval.json, reports/curve.json,
        model_cards/templates; params: card hub
Writes  model_cards/README.md, model_cards/figures/curve.png
Run     dvc repro card   (or: python -m stages.card)
"""

from stages.core import records
from stages.core.files import write_bytes, write_text
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.release.agreement import agree, baselines_agree, curve_agrees
from stages.release.card import render


def card(params: Params, layout: Layout) -> None:
    """Read the records, check that they belong together, render."""
    data = records.read(layout.data_report, "prepare")
    baselines = records.read(layout.baselines_report, "baselines")
    train = records.read(layout.train_report, "train")
    evaluation = records.read(layout.eval_report, "evaluate")
    curve = records.read(layout.curve_report, "curve")
    agree(data, train, evaluation)
    baselines_agree(data, baselines, evaluation)
    curve_agrees(data, train, curve)
    text = render(layout.templates, params.card, params.hub, data, baselines, train, evaluation, curve)
    write_bytes(layout.curve_plot, _drawn(curve))
    write_text(layout.card, text)
    say("card", f"{layout.card}: {len(text.splitlines())} lines")


def _drawn(curve: records.Record) -> bytes:
    """The figure of the learning curve, or one pixel where it was not asked for: DVC wants every output."""
    if not curve["enabled"]:
        return _PIXEL
    from stages.evidence import plots

    return plots.learning_curve(curve["metric"], curve)


# A PNG of one transparent pixel.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b494441"
    "5478da6360600000000300012b094d840000000049454e44ae426082"
)


if __name__ == "__main__":
    run(card)
