"""Put an edition on main, all of it or nothing: stage, check, reload, merge, verify, tag.

A process that is killed leaves at most an open pull request (closed by the next push) or a main without its
tag (set by the next push): every step looks at what is there before it writes.
"""

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.core.errors import PipelineError
from stages.release.answers import Moved, understood
from stages.release.endpoint import Target
from stages.release.plan import Plan, volume
from stages.release.remote import Files, files_at, look

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Say = Callable[[str], None]
Reload = Callable[[str], str]  # a staged commit to what was found; raises PipelineError

_TITLE = re.compile(r"Release v\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Staged:
    """A pull request of ours: its number, its commit, and the commit of main that it starts from."""

    number: int
    commit: str
    parent: str


def publish(target: Target, plan: Plan, private: bool, say: Say, reload: Reload) -> str:
    """Make main and tag hold the edition; returns the commit that the tag names.

    Raises PipelineError, and main is then untouched, unless the message says otherwise.
    """
    api, repo_id = target.api(), plan.edition.repo_id
    with understood(target, repo_id):
        if plan.remote.head:
            api.auth_check(repo_id, write=True)
        parent = plan.remote.head or _create(api, repo_id, private, say)
        _close_leftovers(api, repo_id, say)
        if plan.writes_main:
            say(f"uploading {volume(plan.edition, plan.paths('new', 'changed'))}")
            staged = _stage(api, plan, parent, say)
            say(f"staged {plan.edition.title} as pull request {staged.number}, commit {staged.commit[:12]}")
            with _closed_on_failure(api, repo_id, staged.number):
                _check(target, plan, files_at(target, repo_id, staged.commit), "the staged commit")
                say(f"every one of {len(plan.edition.content)} files has its digest")
                say(reload(staged.commit))
                _still_there(api, plan, staged)
                api.merge_pull_request(repo_id, staged.number)
            say("merged into main")
        return _tag(target, plan, say)


def _create(api: "HfApi", repo_id: str, private: bool, say: Say) -> str:
    api.create_repo(repo_id, private=private, exist_ok=True)
    say(f"created {repo_id} ({'private' if private else 'public'})")
    return _main(api, repo_id)


def _main(api: "HfApi", repo_id: str) -> str:
    return next(b.target_commit for b in api.list_repo_refs(repo_id).branches if b.name == "main")


def _close_leftovers(api: "HfApi", repo_id: str, say: Say) -> None:
    """Close what a killed push of this user left open; its large files are on the Hub and not sent again."""
    user = str(api.whoami()["name"])
    # "open" includes drafts. The list is complete before the first one closes, which would shift its pages.
    found = list(
        api.get_repo_discussions(
            repo_id, author=user, discussion_type="pull_request", discussion_status="open"
        )
    )
    for request in found:
        if _TITLE.fullmatch(request.title):
            _close(api, repo_id, request.num, "Superseded: this push was not finished.")
            say(f"closed pull request {request.num}, which an unfinished push had left")


def _close(api: "HfApi", repo_id: str, number: int, comment: str) -> None:
    api.change_discussion_status(repo_id, number, "closed", comment=comment)


def _stage(api: "HfApi", plan: Plan, parent: str, say: Say) -> Staged:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    edition = plan.edition
    written = [edition.content[path] for path in plan.paths("new", "changed")]
    writes = [CommitOperationAdd(f.path, f.source if f.data is None else f.data) for f in written]
    deletes = [CommitOperationDelete(path, is_folder=False) for path in plan.paths("removed")]
    with _warnings_of_the_card(say):
        done = api.create_commit(
            edition.repo_id,
            [*writes, *deletes],
            commit_message=edition.title,
            commit_description=f"Code commit: {edition.code_commit or 'not committed'}",
            create_pr=True,
            parent_commit=parent,
        )
    # Without a pull request the client found nothing to write: main is no longer what was planned for.
    if done.pr_num is None:
        raise Moved(f"{edition.repo_id} was changed by someone else meanwhile: run `dvc repro push` again")
    return Staged(done.pr_num, done.oid, parent)


@contextlib.contextmanager
def _warnings_of_the_card(say: Say) -> Iterator[None]:
    """The Hub looks at the card before a commit, and its remarks come as Python warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", category=UserWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            say(f"warning: {' '.join(str(warning.message).split())}")


@contextlib.contextmanager
def _closed_on_failure(api: "HfApi", repo_id: str, number: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # A pull request that cannot be closed now (no connection, already merged) is closed by the next push.
        with contextlib.suppress(Exception):
            _close(api, repo_id, number, "Closed: this push did not pass its checks.")
        raise


def _check(target: Target, plan: Plan, files: Files, where: str) -> None:
    """The commit holds the edition: every file by its digest, and nothing that was to go."""
    content = plan.edition.content
    wrong = [path for path, file in content.items() if path not in files or not files[path].holds(file)]
    wrong += [path for path in plan.paths("removed") if path in files]
    if wrong:
        raise PipelineError(
            f"{', '.join(wrong[:3])}: {where} on {target.url} does not hold what was sent; main is untouched"
        )


def _still_there(api: "HfApi", plan: Plan, staged: Staged) -> None:
    """Main and the pull request are where we left them, or this is refused."""
    refs = api.list_repo_refs(plan.edition.repo_id, include_pull_requests=True)
    main = next((b.target_commit for b in refs.branches if b.name == "main"), None)
    ours = {f"refs/pr/{staged.number}", str(staged.number)}
    request = next((p.target_commit for p in refs.pull_requests or [] if {p.ref, p.name} & ours), None)
    if (main, request) != (staged.parent, staged.commit):
        who = "main" if main != staged.parent else f"pull request {staged.number}"
        raise Moved(
            f"{who} of {plan.edition.repo_id} was changed by someone else meanwhile; nothing was released:"
            " look at their change, then run `dvc repro push` again"
        )


def _tag(target: Target, plan: Plan, say: Say) -> str:
    """Name the release by its version, where that name does not hold it yet; returns the commit it names."""
    api, edition = target.api(), plan.edition
    remote = look(target, edition.repo_id)
    if remote.head is None or any(
        path not in remote.files or not remote.files[path].holds(file)
        for path, file in edition.content.items()
    ):
        raise PipelineError(
            f"main of {edition.repo_id} was changed by someone else while {edition.title} was merged, and no"
            f" longer holds it; {edition.tag} is not set: look at main, then run `dvc repro push` again"
        )
    if plan.tagged == "this":
        return remote.tags[edition.tag]
    if plan.tagged == "other":
        api.delete_tag(edition.repo_id, tag=edition.tag)
        say(f"{edition.tag} held other content: it is moved, as a version on your own Hub may be")
    api.create_tag(edition.repo_id, tag=edition.tag, revision=remote.head)
    say(f"tagged {edition.tag}")
    return remote.head
