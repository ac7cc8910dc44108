"""The base model beside the release: on the embedded Hub an adapter's snippet has to find it."""

from typing import Any

from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.records import Record
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
            found["revision"] = _mirror(layout, base["repo_id"])
        else:
            found = {"folder": str(layout.base.resolve())}
    return found if train["method"] == "lora" else None


def keep(target: Target, layout: Layout, train: Record) -> None:
    """`beside`, for a release that is there already: its base is too, unless somebody deleted that.

    The release holds the digest of its base (reports/train.json), so another base would be another release.
    """
    if target.embedded and not target.api().repo_exists(train["base"]["repo_id"]):
        beside(target, layout, train)


def _mirror(layout: Layout, repo_id: str) -> str:
    from localhub import mirror
    from localhub.errors import HubError

    try:
        return mirror.add(layout.hub, repo_id, layout.base, "The base model, as it was fetched")
    except HubError as error:
        raise PipelineError(f"{layout.base} cannot go to the embedded Hub: {error}") from None
