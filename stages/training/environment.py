"""What a run depends on besides its inputs: precision, processor, versions."""

import platform
from importlib.metadata import version
from typing import Any

import torch

from stages.core.errors import PipelineError

# The libraries whose version can change a weight or a score.
_LIBRARIES = (
    "torch",
    "transformers",
    "tokenizers",
    "peft",
    "accelerate",
    "datasets",
    "evaluate",
    "numpy",
    "scikit-learn",
)


def precision(wanted: str) -> str:
    """The precision to train in: `wanted`, or for `auto` bf16 where the hardware multiplies it natively.

    Emulated bf16 would be slower than fp32 and less exact. Raises PipelineError when fp16 is asked of a CPU.
    """
    if wanted == "fp16" and not torch.cuda.is_available():
        raise PipelineError("params.yaml: compute.precision: fp16 needs a GPU: use auto, bf16 or fp32")
    return ("bf16" if _native_bf16() else "fp32") if wanted == "auto" else wanted


def _native_bf16() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _device() -> str:
    """The GPU's name; their number too where there are several, since it changes the order of summation."""
    if not torch.cuda.is_available():
        return "cpu"
    count, name = torch.cuda.device_count(), torch.cuda.get_device_name()
    return f"{count} x {name}" if count > 1 else name


def describe() -> dict[str, Any]:
    """Versions and processor features: with equal ones, equal inputs give equal bytes."""
    capability = torch.backends.cpu.get_cpu_capability()
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
        "processor": f"{capability} ({platform.machine()})",
        "device": _device(),
    }
