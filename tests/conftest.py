"""What every test lives under: no network but loopback, no stray settings of the person who runs them."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The folders whose tests upload through the client in this process.
UPLOADING = {Path(__file__).parent / name for name in ("localhub", "release")}

# Which Hub is reached, as whom, whether at all; and the DVC stage that the tests may be run from.
PERSONAL = (
    "DVC_",
    "HF_DATASETS_OFFLINE",
    "HF_ENDPOINT",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "TRANSFORMERS_OFFLINE",
)

# Read by the libraries when they are imported, so before any test does.
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_WAIT_POLICY"] = "passive"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"
# Git as it is installed: a person's own settings may sign commits or run hooks.
os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
for name in [name for name in os.environ if name.startswith(PERSONAL)]:
    del os.environ[name]


# A shell starts what runs in its background with Ctrl-C ignored, and child processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """huggingface_hub 2.4 gives httpx2 a `data=` that it deprecates, in LFS uploads: theirs to mend."""
    for item in items:
        if UPLOADING & set(item.path.parents):
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections beyond this machine, in this process, unless the test is marked `network`."""
    if "network" in request.keywords:
        yield
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
