"""What stands between a plan and a release: reasons to plan only, and reasons to refuse."""

import os
from collections.abc import Iterator
from pathlib import Path

from stages.core.records import Record
from stages.core.schema import Hub
from stages.core.sections import COMMIT_SHA
from stages.release import receipt
from stages.release.contents import CARD, SIDECAR
from stages.release.edition import head, uncommitted
from stages.release.endpoint import Target
from stages.release.plan import Plan
from stages.release.remote import Files, files_at
from stages.release.versions import number, released


def experiment() -> str | None:
    """The DVC experiment that this run belongs to, if any: it writes neither the Hub nor the receipt."""
    return os.environ.get("DVC_EXP_NAME") or None


def plan_only(target: Target, hub: Hub) -> str | None:
    """Why nothing is written this time, and what would change that; None when there is no such reason."""
    if name := experiment():
        return f"an experiment is not published: `dvc exp apply {name}`, commit, then `dvc repro` releases it"
    if target.loopback:
        return None
    if not hub.publish:
        return f"set hub.publish: true in params.yaml to publish to {target.url}"
    if target.token is None:
        return "there is no token: set HF_TOKEN or run `hf auth login`"
    return None


def obstacles(target: Target, plan: Plan, held: Record | None, root: Path) -> list[str]:
    """Every reason to refuse this plan, with what to do.

    A loopback Hub is one's own, and has one only: words of people on its card that would be lost.
    """
    conflict = [plan.conflict] if plan.conflict else []
    if target.loopback:
        return conflict
    others = [*_version(plan), *_pins(plan), *_uncommitted(root), *_disputed(target, plan, held)]
    return [*others, *conflict]


def _version(plan: Plan) -> Iterator[str]:
    if plan.tagged == "other":
        yield (
            f"{plan.edition.tag} is released with other content, and a released version is never changed:"
            f" set hub.version: {next_version(plan)}"
        )


def next_version(plan: Plan) -> str:
    """The number after the highest that is released or asked for."""
    known = [*released(plan.remote.tags).values(), number(plan.edition.version)]
    major, minor, patch = max(known)
    return f"{major}.{minor}.{patch + 1}"


def _pins(plan: Plan) -> Iterator[str]:
    base, source = plan.edition.train["base"], plan.edition.data["source"]
    advice = "is not pinned: run `make pin`, commit, and `dvc repro`"
    pinned = COMMIT_SHA.fullmatch(base.get("revision") or "")
    # Who uses an adapter takes its base from the Hub, wherever the training had it from.
    if not pinned and (not base.get("package") or plan.edition.train["method"] == "lora"):
        yield f"base.revision of {base['repo_id']} {advice}"
    if source["type"] == "hub" and not COMMIT_SHA.fullmatch(source.get("revision") or ""):
        yield f"data.source.revision of {source['repo_id']} {advice}"


def _uncommitted(root: Path) -> Iterator[str]:
    if head(root) is None:
        yield "nothing is committed, so nobody could find the code of this release: `git commit` first"
        return
    changed = uncommitted(root)
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        yield f"{', '.join(changed[:3])}{more} not committed: `git commit`, then run it again"


def later_release(target: Target, plan: Plan) -> str | None:
    """The tag of a later release that main holds while this edition is released under its own tag.

    So it is on a shared Hub after going back to an earlier version (A-B-A): main is not turned back.
    """
    if target.loopback or plan.tagged != "this" or not plan.writes_main:
        return None
    tag = _release_on_main(target, plan)
    return tag if tag and number(tag[1:]) > number(plan.edition.version) else None


def _disputed(target: Target, plan: Plan, held: Record | None) -> Iterator[str]:
    """Main holds, under our names, what neither our receipt nor an earlier release put there.

    Its card is not judged here: what people wrote on it is kept, or is a conflict.
    """
    repo_id = plan.edition.repo_id
    paths = plan.paths("changed", "removed")
    ours = held if receipt.is_for(held, target.name, repo_id) else None
    if not paths or (ours and _equal(target, plan, ours.get("commit"))):
        return
    paths = [path for path in paths if path != CARD]
    tag = _release_on_main(target, plan)
    if tag is None and paths:
        shown = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        yield (
            f"{shown} on main of {repo_id} was not put there by a release: take the change over into this"
            " repository and undo it there, or choose another hub.repo_id"
        )
    elif tag and number(tag[1:]) > number(plan.edition.version):
        yield (
            f"main holds {tag}, which is newer than {plan.edition.tag}: start from the checkout that released"
            f" it, or set hub.version: {next_version(plan)}"
        )


def _release_on_main(target: Target, plan: Plan) -> str | None:
    """The newest release whose content main holds wherever main differs from this edition."""
    newest_first = sorted(released(plan.remote.tags).items(), key=lambda item: item[1], reverse=True)
    return next((t for t, _ in newest_first if _equal(target, plan, plan.remote.tags[t])), None)


def _equal(target: Target, plan: Plan, commit: str | None) -> bool:
    """Whether main holds what that commit holds, in every path that this edition would change or remove.

    Which card was released is told by its sidecar: people may have written on the card.
    """
    if commit is None:
        return False
    remote = plan.remote
    then: Files = remote.files if commit == remote.head else files_at(target, plan.edition.repo_id, commit)
    paths = {*plan.paths("changed", "removed"), SIDECAR} - {CARD if SIDECAR in remote.files else SIDECAR}
    return all(then.get(path) == remote.files.get(path) for path in paths)
