"""Clean the rows, split them and look at them; whatever is left out is listed with its reason.

Reads   data/source; params: seed task data
Writes  data/prepared, data/slices.parquet, reports/data.json
Run     dvc repro prepare   (or: python -m stages.prepare)
"""

from collections import Counter

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import new_folder
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.sources.checks import examine, kept_together, look_for_near
from stages.sources.clean import check_ids, clean
from stages.sources.columns import check_columns
from stages.sources.fetched import read_fetched
from stages.sources.findings import lines, settle, summary
from stages.sources.kinds import KINDS
from stages.sources.languages import languages
from stages.sources.normalise import sentences
from stages.sources.outputs import ordered_labels
from stages.sources.prepared import lengths, write_rejected, write_rows, write_slices
from stages.sources.rows import Cleaned, as_text
from stages.sources.split import Splits, make_splits


def prepare(params: Params, layout: Layout) -> None:
    """Check, normalise, reject, split, examine; the report comes last and vouches for the folder."""
    kind, checks = params.task.kind.label, params.data.checks
    source, files = read_fetched(layout.source)
    check_columns(source["columns"], params.data, kind)
    cleaned = clean(files, params.data, kind)
    counts = _tell(cleaned)
    kept = [row for rows in cleaned.rows.values() for row in rows]
    labels = ordered_labels(kept, params.task.labels, kind)
    if suits := KINDS[kind].suits:
        suits(labels, params.data, params.task.metric)
    check_ids(cleaned.rows)
    near = look_for_near(cleaned.rows, checks, kind)
    clusters, large = kept_together(near, checks)
    splits = make_splits(cleaned.rows, params.data.split, labels, params.seed, kind, clusters)
    findings = examine(splits, near, checks, kind, params.seed)
    listed = layout.findings.relative_to(layout.root)
    for line in (*large, *settle(findings, checks, str(listed))):
        say("prepare", line)
    facts = {"labels": labels, "normalisation": [*sentences(params.data), *cleaned.done]}
    with new_folder(layout.prepared) as work:
        described = {
            name: write_rows(work / layout.split(name).name, rows, labels, kind)
            for name, rows in splits.items()
        }
        write_rejected(work / layout.rejected.name, cleaned.rejected)
        records.write_lines(work / layout.findings.name, lines(findings))
        manifest = {**facts, **cleaned.manifest, "kind": kind, "splits": described}
        records.write(work / layout.prepared_manifest.name, manifest)
    write_slices(layout.slices, splits["test"], params.data.slices)
    checked = summary(findings, checks)
    report = {
        **facts,
        **cleaned.facts,
        **({"pairs": True} if params.data.pair else {}),
        "source": source["source"],
        "rows": counts,
        "splits": {name: {**described[name], **lengths(rows)} for name, rows in splits.items()},
        "leaks": checked["leaks"]["rows"],
        "checks": {**checked, "near": checks.near, "languages": _languages(splits)},
        "code": code_digest("prepare", layout.root),
    }
    records.write_report(layout.data_report, report)
    say("prepare", ", ".join(f"{name} {len(rows)}" for name, rows in splits.items()))


def _tell(cleaned: Cleaned) -> records.Record:
    """How many rows were read, kept, and rejected for each reason; said before anything can be refused."""
    kept = sum(map(len, cleaned.rows.values()))
    reasons = dict(sorted(Counter(row.reason for row in cleaned.rejected).items()))
    counts = {"read": kept + len(cleaned.rejected), "kept": kept, "rejected": reasons}
    say("prepare", f"read {counts['read']} rows, kept {kept}")
    left_out = [f"rejected {count}: {reason}" for reason, count in reasons.items()]
    for line in (*left_out, *cleaned.found, *cleaned.done):
        say("prepare", line)
    return counts


def _languages(splits: Splits) -> records.Record:
    return languages(as_text(row.text) for rows in splits.values() for row in rows)


if __name__ == "__main__":
    run(prepare)
