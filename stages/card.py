"""Write the model card: every number on it comes from a record, and the records have to agree.

Reads   reports, models/mistakes.jsonl, model_cards/templates, model_cards/prose, model_cards/figures;
        params: card hub
Writes  model_cards/README.md, model_cards/card.json (where each value on the card comes from),
        model_cards/figures/curve.png
Run     dvc repro card   (or: python -m stages.card)

`python -m stages.card --check` writes nothing: it tells what on the card, or in models/trained, is not what
the records say. `--check FOLDER` does so for a release as it is downloaded, and needs no repository.
"""

import argparse
import sys
from pathlib import Path
from typing import Literal

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import EMPTY_FIGURE, digest, folder_digests, sha256, write_bytes, write_text
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Card, Hub, Params
from stages.release import checking, sidecar
from stages.release.agreement import agree, baselines_agree, curve_agrees, licences_agree, snippet_agrees
from stages.release.card import RECORDS, render
from stages.release.measured import read_measured
from stages.release.prose import read_prose
from stages.release.traced import MarkdownText


def card(params: Params, layout: Layout) -> None:
    """Read the records, check that they belong together and allow the licence, render."""
    known = _read(layout)
    _belong_together(known)
    licences_agree(params.card, known["data"], known["train"])
    write_bytes(layout.curve_plot, _drawn(known["curve"], params.card.language))
    text, described = _rendered(params.card, params.hub, layout, known)
    write_text(layout.card, text)
    write_text(layout.card_sources, sidecar.dumped(described))
    say(
        "card",
        f"{layout.card}: {len(text.splitlines())} lines, {len(described['values'])} values from records",
    )


def check(params: Params, layout: Layout) -> None:
    """Raise PipelineError with a line for each disagreement of card, sidecar, records and weights."""
    known = _read(layout)
    problems = []
    try:
        _belong_together(known)
        licences_agree(params.card, known["data"], known["train"])
    except PipelineError as error:
        problems.append(str(error))
    text, described = _rendered(params.card, params.hub, layout, known)
    lines = [{"line": n, "text": line} for n, line in enumerate(str(text).split("\n"), start=1)]
    problems += checking.against(_written(layout.card), described | {"lines": lines}, str(layout.card))
    if _written(layout.card_sources) != sidecar.dumped(described):
        problems.append(f"{layout.card_sources}: is not what the records make it: run `dvc repro card`")
    problems += _other_weights(layout, known["train"], known["eval"])
    if problems:
        raise PipelineError("\n".join(problems))
    say(
        "card",
        f"{len(described['values'])} values agree with their records, and the weights are those scored",
    )


def check_release(folder: Path) -> None:
    """`check` for a downloaded release; exits with status 1 when anything disagrees."""
    try:
        problems, said = checking.released(folder)
    except PipelineError as error:
        problems, said = [str(error)], ""
    if problems:
        sys.exit("\n".join(f"error: {problem}" for problem in problems))
    say("card", said)


def _read(layout: Layout) -> dict[str, records.Record]:
    """The records that the card is made of, by their names."""
    known = {name: records.read(layout.report(name), stage) for name, stage in RECORDS.items()}
    measured, others = read_measured(layout, known["train"]["model"]["sha256"])
    for line in others:
        say("card", line)
    return known | measured


def _belong_together(known: dict[str, records.Record]) -> None:
    agree(known["data"], known["train"], known["eval"])
    baselines_agree(known["data"], known["baselines"], known["eval"])
    curve_agrees(known["data"], known["train"], known["curve"])
    snippet_agrees(known["train"], known["snippet"])


def _rendered(
    card: Card, hub: Hub, layout: Layout, known: dict[str, records.Record]
) -> tuple[MarkdownText, records.Record]:
    """The card and its sidecar."""
    mistaken = None
    if card.show_examples:
        mistaken = [mistake["text"] for mistake in records.read_lines(layout.mistakes)]
    prose = read_prose(layout.prose)
    text = render(layout.templates, card, hub, known, prose, mistaken)
    digests = {f"reports/{name}.json": sha256(layout.report(name)) for name in known}
    figures = _figures(layout, text)
    return text, sidecar.describe(text, digests, known["eval"]["model"]["sha256"], card.language, figures)


def _figures(layout: Layout, text: str) -> dict[str, str]:
    """The SHA-256 of each figure that the card shows."""
    places = {path: layout.card.parent / path for path in sidecar.shown(text)}
    if missing := [str(place) for place in places.values() if not place.is_file()]:
        raise PipelineError(f"{missing[0]} is missing, and the card shows it: run `dvc repro evaluate`")
    return {path: sha256(place) for path, place in places.items()}


def _written(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PipelineError(f"{path} is missing: run `dvc repro card` first") from None


def _other_weights(layout: Layout, train: records.Record, evaluation: records.Record) -> list[str]:
    """How the model's folder is not the one that was evaluated."""
    if not layout.trained.is_dir():
        return [f"{layout.trained} is missing: run `dvc checkout` or `dvc repro train`"]
    if digest(folder_digests(layout.trained)) == evaluation["model"]["sha256"]:
        return []
    changed = [*checking.changed_files(layout.trained, train["model"]["files"])]
    return [*changed, f"{layout.trained} is not the model that {layout.eval_report} scored: run `dvc repro`"]


def _drawn(curve: records.Record, language: Literal["en", "fr"]) -> bytes:
    """The figure of the learning curve, or one pixel where it was not asked for: DVC wants every output."""
    if not curve["enabled"]:
        return EMPTY_FIGURE
    from stages.evidence import plots

    return plots.learning_curve(curve["metric"], curve, language)


def main() -> None:
    """Write the card; or check it, or a release, when asked to."""
    parser = argparse.ArgumentParser(prog="python -m stages.card", description="Write the model card.")
    parser.add_argument(
        "--check",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="tell what disagrees with its record: here, or in a downloaded release",
    )
    asked = parser.parse_args().check
    if asked:
        check_release(Path(asked))
    else:
        run(card if asked is None else check)


if __name__ == "__main__":
    main()
