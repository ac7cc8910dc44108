"""How a stage starts and ends: its parameters, its environment, its one line of complaint."""

import ctypes
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from stages.core import params, preflight
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.schema import Params

Stage = Callable[[Params, Layout], None]

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def run(stage: Stage, *, offline: bool = True, fetched: bool = True) -> None:
    """Run one stage in the current folder and exit.

    Status 1 and `error: ...` for what a user can mend, 130 after Ctrl-C; anything else keeps its traceback.
    `offline` forbids every library of the Hugging Face family to look for a network. `fetched` tells whether
    the stage builds on the base and the data that lie here: params.yaml is checked against them first.
    """
    try:
        # As an exit, so that what is half-written is removed on the way out.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        _die_with_dvc()
        loaded, layout = params.load(Path("params.yaml")), Layout(Path("."))
        if fetched:
            preflight.check(loaded.card, loaded.base, loaded.data.source, layout)
        _environment(loaded.compute.threads, offline)
        stage(loaded, layout)
    except PipelineError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).splitlines()))
    except KeyboardInterrupt:
        print("interrupted: nothing half-written; run the same command to go on", file=sys.stderr)
        sys.exit(130)
    except PermissionError as error:
        sys.exit(f"error: {error.filename}: permission denied: change its permissions or its owner")
    except Exception as error:
        if not _disk_is_full(error):
            raise
        place = getattr(error, "filename", None) or "while writing"
        sys.exit(f"error: the disk is full ({place}): make room and run it again")


def say(stage: str, text: str) -> None:
    """One plain line of progress, flushed so that `dvc repro` shows it in order."""
    print(f"{stage}: {text}", flush=True)


def _die_with_dvc() -> None:
    """Have the kernel end this process when `dvc repro` is killed, which would otherwise leave it running.

    It does so when the parent ends, so dvc.yaml starts each stage with `exec`: some shells stay otherwise.
    """
    if sys.platform == "linux" and "DVC_STAGE" in os.environ:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _disk_is_full(error: Exception) -> bool:
    """Whether a full disk is behind `error`: safetensors and torch wrap the system's error in their own."""
    number = getattr(error, "errno", None)
    # torch's archive writer only notices that less was written than it asked for.
    words = ("No space left on device", "os error 28", "PytorchStreamWriter failed", "inline_container.cc")
    return number in (errno.ENOSPC, errno.EDQUOT) or any(word in str(error) for word in words)


def _environment(threads: int, offline: bool) -> None:
    """Set what libraries read at import, so before they are imported."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # Spinning OpenMP threads cost about tenfold beside a busy neighbour.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if offline:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["HF_DATASETS_OFFLINE"] = "1"
