"""The embedded Hub's speed through the real client, beside what `cp` takes for the same bytes in one run.

A server of its own in a temporary directory; a model folder of 90 MB made for the purpose (random weights and
small JSON files). Each client is a process of its own, since huggingface_hub decides between LFS and Xet when
it is imported; its call is timed, not its start. Medians of a few repeats, each into a fresh repository.

Run    python -m bench.hub [--repeats N] [--json]
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from localhub import launch

_WEIGHTS = 22_500_000  # float32
_CLIENT = """
import json, os, sys, time
from huggingface_hub import HfApi, snapshot_download
api, repo_id, folder = HfApi(), sys.argv[1], sys.argv[2]
def small(count, mark):
    from huggingface_hub import CommitOperationAdd
    return [CommitOperationAdd(f"{mark}/{i // 100}/{i}.txt", f"{mark} {i}".encode()) for i in range(count)]
"""
# What a client does before the clock starts, and what is timed.
_UPLOAD = ("api.create_repo(repo_id)", "api.upload_folder(repo_id=repo_id, folder_path=folder)")
_DOWNLOAD = ("", "snapshot_download(repo_id, local_dir=folder)")
_SMALL_WORK = {
    "1,000 small files in one commit": (
        "api.create_repo(repo_id); files = small(1000, 'a')",
        "api.create_commit(repo_id, files, commit_message='many')",
    ),
    "300 commits of a small file": (
        "api.create_repo(repo_id); files = [[file] for file in small(300, 'c')]",
        "for file in files: api.create_commit(repo_id, file, commit_message='one')",
    ),
    "5,000 files: listing their tree": (
        "api.create_repo(repo_id); api.create_commit(repo_id, small(5000, 'l'), commit_message='tree')",
        "assert len(list(api.list_repo_tree(repo_id, recursive=True))) > 5000",
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of the table: median seconds, and how many times as long as `cp` where that says something."""

    what: str
    seconds: float
    ratio: float | None
    each: list[float]


@dataclass(frozen=True)
class Bench:
    """Where things are: the server, the folder to send, the directory to work in."""

    server: launch.Server
    folder: Path
    work: Path
    repeats: int


def make_folder(folder: Path) -> None:
    """A model of 90 MB as transformers saves one, with random weights."""
    import numpy as np
    from safetensors.numpy import save_file

    folder.mkdir()
    values = np.random.default_rng(0).standard_normal(_WEIGHTS, dtype=np.float32)
    save_file({"weights": values.reshape(-1, 500)}, folder / "model.safetensors")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text(json.dumps({"name": name, "values": list(range(1000))}, indent=1))


def client(bench: Bench, script: tuple[str, str], repo_id: str, folder: Path, xet: bool = False) -> float:
    """Seconds that a client needs for the second part of `script`, in a process with a cache of its own."""
    home = tempfile.mkdtemp(dir=bench.work)
    before, timed = script
    code = f"{_CLIENT}{before}\nbegun = time.perf_counter()\n{timed}\nprint(time.perf_counter() - begun)"
    own = {
        "HF_ENDPOINT": bench.server.url,
        "HF_TOKEN": bench.server.token,
        "HF_HOME": home,
        "HF_HUB_DISABLE_XET": "" if xet else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, repo_id, str(folder)],
        env=os.environ | own,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    shutil.rmtree(home)
    return float(done.stdout.split()[-1])


def copied(bench: Bench) -> float:
    """Seconds that `cp` needs for the folder."""
    target = bench.work / "copy"
    begun = time.perf_counter()
    subprocess.run(["cp", "-r", str(bench.folder), str(target)], check=True)
    seconds = time.perf_counter() - begun
    shutil.rmtree(target)
    return seconds


def cloned(bench: Bench, repo_id: str) -> float:
    """Seconds that `git clone`, with git-lfs, needs for a repository, its large files included."""
    target, home = bench.work / "clone", bench.work / "githome"
    home.mkdir(exist_ok=True)
    environment = os.environ | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", "lfs", "install", "--skip-repo"], env=environment, check=True, capture_output=True)
    begun = time.perf_counter()
    command = ["git", "clone", "--quiet", f"{bench.server.url}/{repo_id}", str(target)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds = time.perf_counter() - begun
    size = (target / "model.safetensors").stat().st_size
    shutil.rmtree(target)
    if size < 4 * _WEIGHTS:
        raise RuntimeError("git clone brought a pointer, not the file: is git-lfs installed?")
    return seconds


def started(bench: Bench) -> float:
    """CPU seconds that a server has used when it first answers."""
    data = Path(tempfile.mkdtemp(dir=bench.work))
    with launch.running(data):
        pid = json.loads((data / "server.json").read_text())["pid"]
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def transfers(bench: Bench) -> Iterator[Row]:
    """The folder up and down. Everything takes turns with `cp`, so that both meet the same noise."""
    times: dict[str, list[float]] = {}
    for turn in range(bench.repeats):
        plain, xet, back = f"bench/lfs{turn}", f"bench/xet{turn}", bench.work / "back"
        for what, seconds in (
            ("cp", copied(bench)),
            ("upload, LFS", client(bench, _UPLOAD, plain, bench.folder)),
            ("upload, Xet", client(bench, _UPLOAD, xet, bench.folder, xet=True)),
            ("download", client(bench, _DOWNLOAD, xet, back, xet=True)),
            ("git clone", cloned(bench, plain)),
        ):
            times.setdefault(what, []).append(seconds)
        shutil.rmtree(back)
    base = statistics.median(times["cp"])
    for what, each in times.items():
        yield _row(f"90 MB: {what}", each, base if what != "cp" else None)


def rest(bench: Bench) -> Iterator[Row]:
    """Many files, many commits, a large tree, the start."""
    repeats = range(bench.repeats)
    for what, script in _SMALL_WORK.items():
        mark = what.split()[0].replace(",", "")
        yield _row(what, [client(bench, script, f"bench/n{mark}-{turn}", bench.folder) for turn in repeats])
    yield _row("start-up, CPU", [started(bench) for _ in repeats])


def _row(what: str, seconds: list[float], base: float | None = None) -> Row:
    middle = statistics.median(seconds)
    return Row(
        what, round(middle, 3), round(middle / base, 1) if base else None, [round(s, 3) for s in seconds]
    )


def _print(row: Row) -> None:
    ratio = f"{row.ratio:6.1f}x cp" if row.ratio is not None else " " * 10
    print(f"{row.what:36} {row.seconds:8.2f} s {ratio}   (each: {row.each})", flush=True)


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-hub-") as name,
        launch.running(Path(name) / "hub") as server,
    ):
        bench = Bench(server, Path(name) / "model", Path(name), given.repeats)
        make_folder(bench.folder)
        for row in itertools.chain(transfers(bench), rest(bench)):
            rows.append(row)
            if not given.json:
                _print(row)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
