"""Read from a Hub: the one that HF_ENDPOINT names, with the user's own token and cache."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from stages.core.benchmarks import tasks_of
from stages.core.data_section import HubSource
from stages.core.errors import PipelineError, without_credentials
from stages.core.hub_card import licences_of
from stages.core.records import Record
from stages.core.runtime import say
from stages.core.sections import COMMIT_SHA
from stages.sources.plain import readable_columns, row_values


def is_commit(revision: str | None) -> bool:
    """Whether a revision names one commit for ever, rather than a branch or tag that can move."""
    return revision is not None and COMMIT_SHA.fullmatch(revision) is not None


def commit_of(repo_id: str, revision: str | None, kind: str) -> str:
    """The SHA of the commit that `revision` (default: main) stands for now. `kind` is model or dataset."""
    from huggingface_hub import HfApi

    with _explained(repo_id, revision, kind):
        sha = HfApi().repo_info(repo_id, revision=revision, repo_type=kind).sha
    assert sha is not None, "the Hub names the commit of every revision"
    return sha


def snapshot(repo_id: str, revision: str | None, allowed: Sequence[str]) -> tuple[Path, list[str]]:
    """The files of a model that match `allowed`, in the user's cache; and the names of all it has."""
    from huggingface_hub import HfApi, snapshot_download

    commit = _pinned(repo_id, revision, "model")
    with _explained(repo_id, revision, "model"):
        # `*` also matches `/` in these patterns, so folders are left out by another one.
        folder = Path(
            snapshot_download(repo_id, revision=commit, allow_patterns=[*allowed], ignore_patterns=["*/*"])
        )
        if any(folder.glob("*.safetensors")):
            return folder, [file.name for file in folder.iterdir()]
        return folder, HfApi().list_repo_files(repo_id, revision=commit)


def read_dataset(source: HubSource, needed: Collection[str]) -> tuple[str, dict[str, Iterator[Record]]]:
    """The commit that was read, and the rows of each split under our names for the splits.

    Class numbers become their names. `at` is `repository/split:row`, counted from 1.
    """
    _refuse_local(source.repo_id)
    commit = _pinned(source.repo_id, source.revision, "dataset")
    from datasets import load_dataset_builder

    with _explained(source.repo_id, source.revision, "dataset"):
        builder = load_dataset_builder(source.repo_id, name=source.config, revision=commit)
        # Without a network `datasets` falls back on whatever version its cache holds.
        if builder.hash != commit:
            raise ConnectionError(f"the cache holds another commit, {builder.hash}")
        builder.download_and_prepare()
        for split in source.splits.values():
            if split not in builder.info.splits:
                raise PipelineError(
                    f"data.source.splits: {source.repo_id} has no split {split!r};"
                    f" it has {', '.join(builder.info.splits)}"
                )
        return commit, {
            ours: _rows(builder, source, theirs, needed) for ours, theirs in source.splits.items()
        }


def dataset_facts(source: HubSource, commit: str) -> Record:
    """What the data set says of itself, each where it does.

    `license` is what its card states, one id of the Hub or a list; `benchmark` the tasks of its eval.yaml.
    """
    stated = licences_of(_text(source.repo_id, commit, "README.md"))
    facts = {
        "license": stated[0] if len(stated) == 1 else stated,
        "benchmark": tasks_of(_text(source.repo_id, commit, "eval.yaml")),
    }
    return {key: value for key, value in facts.items() if value}


def _text(repo_id: str, commit: str, name: str) -> str:
    """A file of a data set, empty where it has none of that name."""
    from huggingface_hub import errors, hf_hub_download, try_to_load_from_cache

    where: Any = {"repo_id": repo_id, "filename": name, "revision": commit, "repo_type": "dataset"}
    with _explained(repo_id, commit, "dataset"):
        try:
            return Path(hf_hub_download(**where)).read_text(encoding="utf-8", errors="replace")
        except errors.RemoteEntryNotFoundError:
            return ""
        except errors.LocalEntryNotFoundError:  # no network: the cache may know that there is none
            if try_to_load_from_cache(**where) is None:
                raise
            return ""


def _rows(builder: Any, source: HubSource, split: str, needed: Collection[str]) -> Iterator[Record]:
    dataset = builder.as_dataset(split=split)
    name = f"{source.repo_id}/{split}"
    columns = readable_columns(dataset.features.arrow_schema, needed, name)
    names = {path: known for c in columns for path, known in class_names(dataset.features[c], c)}
    number = 0
    # Reading the Arrow table itself: pictures and sound in other columns are never decoded.
    for batch in dataset.select_columns(columns).with_format("arrow").iter(1000):
        for given in batch.to_pylist():
            number += 1
            at = f"{name}:{number}"
            values = row_values(given, needed, at)
            yield {"at": at, "values": {c: _named(v, names.get(c)) for c, v in values.items()}}


def class_names(feature: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """The names of the class numbers in a column of a data set, by the path to them.

    A list has those of its items, whether it is a `List`, a `Sequence` or, as in old data sets, `[feature]`.
    """
    if isinstance(feature, dict):
        for key, inner in feature.items():
            yield from class_names(inner, f"{path}.{key}")
    elif isinstance(feature, list | tuple):
        yield from class_names(feature[0], path)
    elif hasattr(feature, "feature"):
        yield from class_names(feature.feature, path)
    elif hasattr(feature, "names"):
        yield path, feature.names


def _named(value: Any, names: list[str] | None) -> Any:
    """The class's name for its number; -1 is how unlabelled rows of a data set are marked."""
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    return names[value] if 0 <= value < len(names) else None


def _pinned(repo_id: str, revision: str | None, kind: str) -> str:
    """The commit to read. One that params.yaml names is not looked up: a full cache needs no network."""
    if revision is not None and is_commit(revision):
        say("fetch", f"{kind} {repo_id} at {revision[:12]}")
        return revision
    commit = commit_of(repo_id, revision, kind)
    say(
        "fetch",
        f"{kind} {repo_id} at {commit[:12]}, not pinned: `make pin` writes the commit into params.yaml",
    )
    return commit


def _refuse_local(repo_id: str) -> None:
    """`datasets` prefers a folder of that name here, or a file format of its own, to the Hub's data set."""
    from datasets.packaged_modules import _PACKAGED_DATASETS_MODULES as formats

    if Path(repo_id).exists():
        raise PipelineError(
            f"data.source.repo_id: the folder {repo_id} here hides the data set: rename the folder"
        )
    if repo_id in formats:
        raise PipelineError(
            f"data.source.repo_id: {repo_id} is a file format, not a data set: use namespace/name"
        )


@contextlib.contextmanager
def _explained(repo_id: str, revision: str | None, kind: str) -> Iterator[None]:
    """Turn what the Hub's libraries raise into one line that says what to do."""
    import httpx2
    from huggingface_hub import constants, errors

    key = "base" if kind == "model" else "data.source"
    prefix = "datasets/" if kind == "dataset" else ""
    what, page = f"{kind} {repo_id}", f"{constants.ENDPOINT}/{prefix}{repo_id}"
    log_in = "log in with `hf auth login` or set HF_TOKEN"
    try:
        yield
    except errors.GatedRepoError:
        raise PipelineError(f"{what} is gated: accept its terms at {page}, then {log_in}") from None
    except errors.RepositoryNotFoundError:
        raise PipelineError(
            f"{key}.repo_id: no {what} at {constants.ENDPOINT}, or it is private: {log_in}"
        ) from None
    except errors.RevisionNotFoundError:
        raise PipelineError(
            f"{key}.revision: {what} has no revision {revision}: see {page}/commits/main"
        ) from None
    except errors.HfHubHTTPError as error:
        raise PipelineError(_refusal(error.response.status_code, what, constants.ENDPOINT, log_in)) from None
    except (
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        httpx2.HTTPError,
        ConnectionError,
    ) as error:
        raise PipelineError(
            f"cannot read {what} from {constants.ENDPOINT} ({_line(error)}): check the network and"
            " HF_ENDPOINT; what is pinned by commit and in the cache needs neither"
        ) from None
    except (ValueError, RuntimeError, FileNotFoundError, _dataset_error()) as error:
        raise PipelineError(f"cannot read {what}: {_line(error)}") from None


def _refusal(status: int, what: str, endpoint: str, log_in: str) -> str:
    if status in (401, 403):
        return f"{endpoint} refuses the token for {what} (HTTP {status}): {log_in}"
    return f"{endpoint} answered HTTP {status} for {what}: try again later"


def _dataset_error() -> type[Exception]:
    """The base of the errors of `datasets`, without importing it for a model's sake."""
    import sys

    if "datasets" not in sys.modules:
        return ValueError
    from datasets.exceptions import DatasetsError

    return DatasetsError  # type: ignore[no-any-return]


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return without_credentials(text)[:300]
