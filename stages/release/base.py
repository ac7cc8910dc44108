"""The base model beside the release: on the embedded Hub an adapter's snippet has to find it."""

from typing import Any

from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.records import Record
from stages.core.sections import COMMIT_SHA
from stages.release.endpoint import Target


def beside(target: Target, layout: Layout, train: Record) -> dict[str, Any] | None:
    """Put models/base on the embedded Hub if it is not there yet; any other Hub has it or has not.

    Returns where a reload finds the base that an adapter needs (see child.reload), None for a full model.
    """
    base: Record = train["base"]
    found: dict[str, Any] = {"repo_id": base["repo_id"], "revision": base["revision"]}
    if target.embedded and layout.base.is_dir():
        # The Hub keeps a few models without a namespace (`gpt2`); the embedded one cannot.
        if "/" in base["repo_id"]:
            found["revision"] = _mirror(layout, base)
        else:
            found = {"folder": str(layout.base.resolve())}
    return found if train["method"] == "lora" else None


def keep(target: Target, layout: Layout, train: Record) -> None:
    """`beside`, for a release that is there already: its base is too, unless somebody deleted that.

    The release holds the digest of its base (reports/train.json), so another base would be another release.
    """
    if target.embedded and not target.api().repo_exists(train["base"]["repo_id"]):
        beside(target, layout, train)


def _mirror(layout: Layout, base: Record) -> str:
    from localhub import mirror
    from localhub.errors import HubError

    # The card's snippet asks for this commit, and the copy here has another.
    pinned = COMMIT_SHA.fullmatch(base["revision"] or "")
    known_as = pinned[0] if pinned else None
    try:
        said = "The base model, as it was fetched"
        return mirror.add(layout.hub, base["repo_id"], layout.base, said, known_as)
    except HubError as error:
        raise PipelineError(f"{layout.base} cannot go to the embedded Hub: {error}") from None
