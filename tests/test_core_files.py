"""Folders that are either the old or the new, and the one table of a model's files."""

import os
from pathlib import Path

import pytest

from stages.core.errors import PipelineError
from stages.core.files import new_folder, new_folders
from stages.core.layout import Layout
from stages.core.model_files import ADAPTER, CONFIG, PICKLED, TOKENIZER, VOCABULARY, WEIGHTS, listed
from stages.core.task_section import Task
from stages.release.contents import collect, is_of_a_release
from stages.sources.base import is_allowed
from tests import tiny


def tree(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def fill(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text(text)


def test_a_folder_replaces_the_one_before(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with new_folder(tmp_path / "a/b") as work:
            fill(work, text)
    assert tree(tmp_path) == {"a/b/file": "new"}
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_an_error_in_the_block_leaves_the_old_folder(tmp_path: Path) -> None:
    fill(tmp_path / "b", "old")
    with pytest.raises(ValueError, match="no"), new_folder(tmp_path / "b") as work:
        fill(work, "new")
        raise ValueError("no")
    assert tree(tmp_path) == {"b/file": "old"} and len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failing", [1, 2, 3, 4])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_all_folders_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, after: bool, error: type[BaseException]
) -> None:
    """The error strikes before or after each of the renames that put two folders in place."""
    for name in "ab":
        fill(tmp_path / name, f"old {name}")
    replace, calls = os.replace, 0

    def struck(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == failing and not after:
            raise error
        replace(source, target)
        if calls == failing and after:
            raise error

    monkeypatch.setattr(os, "replace", struck)
    with pytest.raises(error), new_folders(tmp_path / "a", tmp_path / "b") as works:
        for work in works:
            fill(work, "new")
    assert tree(tmp_path) == {"a/file": "old a", "b/file": "old b"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("failing", [1, 2])
def test_folders_that_are_new_vanish_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    replace, calls = os.replace, 0

    def struck(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", struck)
    with pytest.raises(KeyboardInterrupt), new_folders(tmp_path / "a", tmp_path / "b") as works:
        for work in works:
            fill(work, "new")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_every_tokenizer_file_is_fetched_copied_and_published(tmp_path: Path, method: str) -> None:
    from stages.tasks.tokenizers import save_tokenizer

    layout = Layout(tmp_path)
    layout.trained.mkdir(parents=True)
    tiny.write_base(layout.base)
    for name in (*TOKENIZER, "vocab.bin", "vocab.txt.gz", "tokenizer-fast.json"):
        if is_allowed(name) and not (layout.base / name).exists():
            (layout.base / name).write_text("{}")
    save_tokenizer(layout.base, layout.trained, Task())
    assert {p.name for p in layout.trained.iterdir()} == set(TOKENIZER)
    with pytest.raises(PipelineError) as error:
        collect(layout, method)
    assert "not a file that a release holds" not in str(error.value)
    assert f"{layout.card} is missing" in str(error.value)


def test_what_the_table_names() -> None:
    assert set(VOCABULARY) < set(TOKENIZER)
    assert not any(name.endswith(PICKLED) for name in (*CONFIG, *WEIGHTS, *ADAPTER, *TOKENIZER))
    assert all(is_of_a_release(name) for name in (*CONFIG, *ADAPTER, *TOKENIZER))
    assert is_of_a_release("model-00001-of-00002.safetensors")
    assert not listed("model-1-of-2.safetensors", WEIGHTS)
    assert not listed("sub/config.json", CONFIG) and not listed("sub/LICENSE", ("*LICENSE*",))
