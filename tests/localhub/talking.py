"""What tests of discussions and pull requests need to open one, and to read a refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError


def refused(call: Callable[[], object]) -> tuple[int, str]:
    """(status, message) of the refusal that the call meets."""
    with pytest.raises(HfHubHTTPError) as error:
        call()
    return error.value.response.status_code, error.value.response.json()["error"]


def proposed(api: HfApi, repo: str, path: str, text: str, **options: str) -> int:
    """The number of a new open pull request that writes one file."""
    add = [CommitOperationAdd(path, text.encode())]
    num = api.create_commit(repo, add, commit_message=f"Write {path}", create_pr=True, **options).pr_num
    assert num is not None
    return num
