"""What params.yaml asks for, checked against what fetch brought, before a stage does any work.

It can only refuse: no output depends on it. What is not here yet is not asked.
"""

from stages.core import benchmarks, records, terms
from stages.core.data_section import Source
from stages.core.errors import PipelineError
from stages.core.hub_words import LICENCE_FILES
from stages.core.layout import Layout
from stages.core.licensing import base_licence
from stages.core.schema import Base, Card


def check(card: Card, base: Base, source: Source, layout: Layout) -> None:
    """Raise PipelineError for a licence that base or data do not allow, and for a benchmark that is none."""
    fetched = _fetched(source, layout)
    known = {"license": base_licence(base, layout.base)}
    terms.check(terms.of_model(card.model_dump(), known, fetched))
    if card.license_link in LICENCE_FILES and not layout.card.with_name(card.license_link).is_file():
        raise PipelineError(
            f"params.yaml: card.license_link: {layout.card.with_name(card.license_link)} is missing:"
            " put the licence's text there, or link to a URL"
        )
    if card.benchmark is not None and fetched:
        benchmarks.chosen(card.benchmark, fetched)


def _fetched(source: Source, layout: Layout) -> records.Record:
    """What fetch recorded of the data, unless that is of another source than params.yaml names now."""
    manifest = layout.source / "manifest.json"
    found: records.Record = records.read(manifest, "fetch")["source"] if manifest.is_file() else {}
    same = source.type == "hub" and source.repo_id == found.get("repo_id")
    return found if same else {}
