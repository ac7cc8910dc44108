"""Clean the rows and split them; whatever is left out is listed with its reason.

Reads   data/source; params: seed task data
Writes  data/prepared, reports/data.json
Run     dvc repro prepare   (or: python -m stages.prepare)
"""

from collections import Counter

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import new_folder
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.sources.clean import check_ids, clean
from stages.sources.columns import check_columns
from stages.sources.fetched import read_fetched
from stages.sources.kinds import KINDS
from stages.sources.normalise import sentences
from stages.sources.outputs import ordered_labels
from stages.sources.prepared import characters, write_rejected, write_rows
from stages.sources.split import make_splits


def prepare(params: Params, layout: Layout) -> None:
    """Check, normalise, reject, split; the report comes last and vouches for the folder."""
    kind = params.task.kind.label
    source, files = read_fetched(layout.source)
    check_columns(source["columns"], params.data, kind)
    cleaned = clean(files, params.data, kind)
    kept = [row for rows in cleaned.rows.values() for row in rows]
    reasons = dict(sorted(Counter(row.reason for row in cleaned.rejected).items()))
    counts = {"read": len(kept) + len(cleaned.rejected), "kept": len(kept), "rejected": reasons}
    say("prepare", f"read {counts['read']} rows, kept {len(kept)}")
    left_out = [f"rejected {count}: {reason}" for reason, count in reasons.items()]
    for line in (*left_out, *cleaned.found, *cleaned.done):
        say("prepare", line)
    labels = ordered_labels(kept, params.task.labels, kind)
    if suits := KINDS[kind].suits:
        suits(labels, params.data, params.task.metric)
    splits = make_splits(cleaned.rows, params.data.split, labels, params.seed, kind)
    check_ids(kept)
    facts = {"labels": labels, "normalisation": [*sentences(params.data), *cleaned.done]}
    with new_folder(layout.prepared) as work:
        described = {
            name: write_rows(work / layout.split(name).name, rows, labels, kind)
            for name, rows in splits.items()
        }
        write_rejected(work / layout.rejected.name, cleaned.rejected)
        manifest = {**facts, **cleaned.manifest, "kind": kind, "splits": described}
        records.write(work / layout.prepared_manifest.name, manifest)
    records.write(
        layout.data_report,
        {
            **facts,
            **cleaned.facts,
            **({"pairs": True} if params.data.pair else {}),
            "source": source["source"],
            "rows": counts,
            "splits": {
                name: {**described[name], "characters": characters(rows)} for name, rows in splits.items()
            },
            "leaks": 0,  # overlapping splits were refused above
            "code": code_digest("prepare", layout.root),
        },
    )
    say("prepare", ", ".join(f"{name} {len(rows)}" for name, rows in splits.items()))


if __name__ == "__main__":
    run(prepare)
