"""Small packages in a folder that pip takes for its registry, and the real pip."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

# A back end inside the source distribution, so that no test needs setuptools. It leaves a mark when it runs.
_BACK_END = """
import os
def prepare_metadata_for_build_wheel(folder, settings=None):
    open(os.environ["PARUTION_MARK"], "w").close()
    os.mkdir(f"{folder}/NAME-VERSION.dist-info")
    with open(f"{folder}/NAME-VERSION.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\\nName: NAME\\nVersion: VERSION\\n")
    return "NAME-VERSION.dist-info"
def build_wheel(*_): raise RuntimeError("never built")
"""
_PROJECT = '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'


def environment(index: Path) -> dict[str, str]:
    """What makes pip look into `index` and nowhere else."""
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "PARUTION_MARK": str(index / "back-end-ran"),
    }


def tar(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A tar.gz of `files`, and of symbolic `links`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def add_sdist(
    index: Path,
    files: dict[str, bytes],
    links: dict[str, str] | None = None,
    name: str = "corpus",
    version: str = "1.0",
) -> str:
    """Put a package into the registry as a source distribution; its SHA-256."""
    back_end = _BACK_END.replace("NAME", name).replace("VERSION", version)
    project = {"back.py": back_end.encode(), "pyproject.toml": _PROJECT.encode(), "PKG-INFO": b""}
    data = tar({f"{name}-{version}/{path}": body for path, body in {**project, **files}.items()}, links)
    return _add(index / f"{name}-{version}.tar.gz", data)


def add_wheel(index: Path, package: str, files: dict[str, bytes], version: str = "1.0") -> str:
    """Put a package into the registry as a wheel; its SHA-256."""
    info = f"{package}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode()
    wheel = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return _add(index / f"{package}-{version}-py3-none-any.whl", out.getvalue())


def _add(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
