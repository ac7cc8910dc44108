"""Sealed checkpoints: training goes on after a kill, from a checkpoint that is known to be whole.

A checkpoint without its optimizer or random state, or with one flipped byte, resumes without complaint and
trains another model. So each is sealed last, with the size and SHA-256 of its files, and only a sealed one is
resumed from. They live outside DVC's outs, in a folder named by everything that decides the result: DVC
deletes outs before a run, and a changed parameter must not find an old checkpoint.
"""

import contextlib
import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from stages.core.errors import PipelineError
from stages.core.files import folder_digests, write_text

_SEAL = "SEAL.json"
_NEEDED = {"optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json"}


class Seal(TrainerCallback):
    """Seals each checkpoint as soon as the Trainer has written it, and only then drops what it replaces.

    Kept are the two newest and the best ones that these two refer to, so that the older of them can be
    resumed from too. The Trainer's own `save_total_limit` deletes before the new one is sealed.
    """

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write the seal, the last file of a checkpoint; then prune."""
        folder = Path(str(args.output_dir))
        checkpoint = folder / f"checkpoint-{state.global_step}"
        write_text(checkpoint / _SEAL, json.dumps(folder_digests(checkpoint), sort_keys=True))
        newest = _newest_first(folder)[:2]
        kept = {c.name for c in newest} | {best.name for c in newest if (best := _best(c))}
        for old in _newest_first(folder):
            if old.name not in kept:
                shutil.rmtree(old)


@contextlib.contextmanager
def checkpoint_folder(root: Path, decides: dict[str, Any]) -> Iterator[Path]:
    """The folder for the checkpoints of the run that `decides` describes, held by this process alone.

    When the block ends well it is removed, and so is what runs with other parameters left behind; when it
    does not, it is kept to be resumed from. Raises PipelineError when another process is training into it.
    """
    key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:20]
    folder = root / key
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder) as free:
        if not free:
            raise PipelineError(
                f"another process is training this model (it holds {_lock(folder)}): wait for it or stop it"
            )
        try:
            yield folder
        except BaseException:
            if not any(folder.iterdir()):
                _forget(folder)
            raise
        _forget(folder)
    for other in [p for p in root.iterdir() if p.is_dir()]:
        with _held(other) as free:
            if free:
                _forget(other)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether this process could take the folder's lock, which the kernel drops when a process dies."""
    with _lock(folder).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free


def _lock(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _forget(folder: Path) -> None:
    shutil.rmtree(folder)
    _lock(folder).unlink(missing_ok=True)


def newest_intact(folder: Path) -> Path | None:
    """The newest checkpoint that is whole, together with the best one it refers to; None without any."""
    return next((c for c in _newest_first(folder) if _intact(c) and _best_intact(c)), None)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]), reverse=True)


def _intact(checkpoint: Path) -> bool:
    try:
        sealed = json.loads((checkpoint / _SEAL).read_text())
    except (OSError, ValueError):
        return False
    present = {name: sha for name, sha in folder_digests(checkpoint).items() if name != _SEAL}
    return bool(present == sealed and present.keys() >= _NEEDED)


def _best_intact(checkpoint: Path) -> bool:
    best = _best(checkpoint)
    return best is None or best == checkpoint or _intact(best)


def _best(checkpoint: Path) -> Path | None:
    """The checkpoint that scored best when `checkpoint` was written."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text())
    except (OSError, ValueError):
        return None
    best = state["best_model_checkpoint"]
    return checkpoint.parent / Path(best).name if best else None
