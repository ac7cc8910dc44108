"""The conftest.py that huggingface_hub's own tests run under here; test_hub_client_suite.py copies it there.

The client's source distribution has its tests without theirs. `served.txt` gets the name of each test that
sent a request to the Hub.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import HfApi, RepoUrl, constants

from .testing_constants import ENDPOINT_STAGING, TOKEN
from .testing_utils import repo_name

SERVED = Path(os.environ["SUITE_SERVED"])


class RepoFactory:
    """Makes repositories, as `repo_factory("dataset", private=True)`, and deletes them after the test."""

    def __init__(self, api: HfApi) -> None:
        self.api = api
        self.made: list[tuple[str, str, str | None]] = []

    def __call__(
        self,
        repo_type: str = "model",
        *,
        repo_id: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> RepoUrl:
        url = self.api.create_repo(repo_id or repo_name(), repo_type=repo_type, token=token, **options)
        self.made.append((url.repo_id, repo_type, token))
        return url


@pytest.fixture(scope="session")
def api() -> HfApi:
    return HfApi(endpoint=ENDPOINT_STAGING, token=TOKEN)


@pytest.fixture
def repo_factory(api: HfApi) -> Iterator[RepoFactory]:
    factory = RepoFactory(api)
    yield factory
    for repo_id, kind, token in factory.made:
        api.delete_repo(repo_id, repo_type=kind, token=token, missing_ok=True)


@pytest.fixture(autouse=True)
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Skips what needs huggingface.co, or Xet when that is off; notes who reached the Hub."""
    for marker in ("production", *(["xet"] if constants.HF_HUB_DISABLE_XET else [])):
        if request.node.get_closest_marker(marker):
            pytest.skip(marker)
    sent = []
    send = httpx2.Client.send

    def noted(self: httpx2.Client, request: httpx2.Request, **options: Any) -> httpx2.Response:
        if str(request.url).startswith(ENDPOINT_STAGING):
            sent.append(request)
        return send(self, request, **options)

    monkeypatch.setattr(httpx2.Client, "send", noted)
    yield
    if sent:
        with SERVED.open("a") as file:
            file.write(f"{request.node.nodeid}\n")


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    if request.cls is not None:
        request.cls.cache_dir = tmp_path_factory.mktemp("cache")
