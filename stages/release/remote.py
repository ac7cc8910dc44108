"""What is on the Hub: main's head, its files with their digests, the tags."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stages.release.answers import Unreachable, understood
from stages.release.contents import LocalFile
from stages.release.endpoint import Target

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# The Hub's own: it writes this file when a repository is made, and may add a rule with any commit.
GITATTRIBUTES = ".gitattributes"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a commit. `sha256` is that of its content, known for LFS files only; `blob` is git's name."""

    size: int
    blob: str
    sha256: str | None

    def holds(self, local: LocalFile) -> bool:
        """Whether its content is that of a local file, by SHA-256 or, for a regular file, git's SHA-1."""
        if self.sha256 is not None:
            return self.sha256 == local.sha256
        return self.size == local.size and self.blob == local.blob()


Files = dict[str, RemoteFile]


@dataclass(frozen=True)
class Remote:
    """A repository as it was seen at one moment; `head` is None when it does not exist, or is hidden."""

    head: str | None
    files: Files
    tags: dict[str, str]


NOWHERE = Remote(None, {}, {})


def look(target: Target, repo_id: str) -> Remote:
    """Two requests: the refs, and the tree of the commit that main then was."""
    from huggingface_hub.errors import RepositoryNotFoundError

    api = target.api()
    with understood(target, repo_id):
        try:
            refs = api.list_repo_refs(repo_id)
        except RepositoryNotFoundError as error:
            if _bad_token(error):
                raise
            return NOWHERE
    head = next((branch.target_commit for branch in refs.branches if branch.name == "main"), None)
    files = files_at(target, repo_id, head) if head else {}
    return Remote(head, files, {tag.name: tag.target_commit for tag in refs.tags})


def files_at(target: Target, repo_id: str, commit: str) -> Files:
    """The files of a commit, without the Hub's own .gitattributes; none for a commit that is not there."""
    from huggingface_hub.errors import RevisionNotFoundError

    with understood(target, repo_id):
        try:
            return _files(target.api(), repo_id, commit)
        except RevisionNotFoundError:
            return {}


def content_at(target: Target, repo_id: str, commit: str, path: str) -> bytes | None:
    """What a file of a commit holds; None for a commit or a file that is not there."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RevisionNotFoundError

    with understood(target, repo_id):
        try:
            return Path(target.api().hf_hub_download(repo_id, path, revision=commit)).read_bytes()
        except LocalEntryNotFoundError:  # one of EntryNotFoundError, for a Hub that does not answer
            raise Unreachable(f"{target.url} cannot be reached for {path} of {repo_id}") from None
        except (EntryNotFoundError, RevisionNotFoundError):
            return None


def _files(api: "HfApi", repo_id: str, commit: str) -> Files:
    from huggingface_hub.hf_api import RepoFile

    entries = api.list_repo_tree(repo_id, recursive=True, revision=commit)
    return {
        entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
        for entry in entries
        if isinstance(entry, RepoFile) and entry.path != GITATTRIBUTES
    }


def _bad_token(error: Exception) -> bool:
    """A Hub may answer a bad token as if the repository were missing; only its message tells."""
    return "Invalid credentials" in str(error)
