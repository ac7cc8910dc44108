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
from stages.sources.clean import check_columns, check_ids, clean
from stages.sources.fetched import read_fetched
from stages.sources.labels import ordered_labels
from stages.sources.normalise import sentences
from stages.sources.prepared import characters, write_rejected, write_rows
from stages.sources.split import make_splits


def prepare(params: Params, layout: Layout) -> None:
    """Check, normalise, reject, split; the report comes last and vouches for the folder."""
    source, files = read_fetched(layout.source)
    check_columns(source["columns"], params.data)
    cleaned = {split: clean(rows, params.data) for split, rows in files.items()}
    given = {split: kept for split, (kept, _) in cleaned.items()}
    rejected = [row for _, rows in cleaned.values() for row in rows]
    everything = [row for rows in given.values() for row in rows]
    reasons = dict(sorted(Counter(row.reason for row in rejected).items()))
    say("prepare", f"read {len(everything) + len(rejected)} rows, kept {len(everything)}")
    for reason, count in reasons.items():
        say("prepare", f"rejected {count}: {reason}")
    labels = ordered_labels(everything, params.task.labels)
    splits = make_splits(given, params.data.split, labels, params.seed)
    check_ids(everything)
    facts = {"labels": labels, "normalisation": sentences(params.data)}
    with new_folder(layout.prepared) as work:
        described = {
            name: write_rows(work / layout.split(name).name, rows, labels) for name, rows in splits.items()
        }
        write_rejected(work / layout.rejected.name, rejected)
        records.write(work / layout.prepared_manifest.name, {**facts, "splits": described})
    records.write(
        layout.data_report,
        {
            **facts,
            "source": source["source"],
            "rows": {"read": len(everything) + len(rejected), "kept": len(everything), "rejected": reasons},
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
