"""What a measurement was made on and how much memory it took: for what is measured, never for a record."""

import os
import platform
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import torch

from stages.core.records import Record

MB = 1_000_000


def describe() -> Record:
    """Processor, cores that this process may use, GPUs; `name` is what did the work, in one line."""
    processor, cores = _processor(), _cores()
    gpus = Counter(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    used = [f"{count} × {gpu}" for gpu, count in sorted(gpus.items())]
    return {
        "name": ", ".join(used) or f"{cores} cores of {processor}",
        "processor": processor,
        "cores": cores,
        "gpus": used,
    }


def _cores() -> int:
    """Those that this process may run on: a container or a scheduler may allow it fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _processor() -> str:
    """The model's name as its maker writes it; the architecture where the system does not tell."""
    return " ".join((_told() or platform.processor() or platform.machine()).split())


def _told() -> str | None:
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or None
    return _field(Path("/proc/cpuinfo"), "model name")


def peak_memory() -> Record:
    """The most memory, in MB (10⁶ bytes), that this process has held so far, and torch on the GPUs."""
    gpus = [torch.cuda.max_memory_allocated(i) for i in range(torch.cuda.device_count())]
    return {"process_mb": round(_peak_resident() / MB), "gpu_mb": round(sum(gpus) / MB) if gpus else None}


def _peak_resident() -> int:
    """The largest resident set, in bytes.

    On Linux `ru_maxrss` also counts what the parent held when it started this process; VmHWM does not
    (getrusage(2), proc_pid_status(5)).
    """
    told = _field(Path("/proc/self/status"), "VmHWM")
    if told:
        return int(told.removesuffix("kB")) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _field(file: Path, name: str) -> str | None:
    """The value of the first line `name: value` of a file of the kernel's; None without such a line."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    fields = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in fields if key.strip() == name), None)
