"""The release before this one: found by its tag, kept, and compared with where that says something."""

from dataclasses import replace
from typing import Any

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.evidence.predicting import Asked
from stages.evidence.previous import previous
from stages.evidence.published import read
from stages.release.previous import fetch, last_before
from stages.tasks.rows import read_rows
from tests.release import shelf
from tests.release.conftest import Desk


def asked(layout: Layout) -> Asked:
    """The test rows, as evaluate asks them."""
    file, ids = layout.split("test"), read(layout.published).ids
    return Asked("class", shelf.LABELS, read_rows(file), sha256(file), ids, {}, {})


@pytest.fixture
def fetched(desk: Desk) -> Desk:
    """A desk that works at v0.2.0, and has fetched what v0.1.0 predicted."""
    desk.deliver()
    desk.write("0.2.0")
    tag, commit = last_before(desk.target, desk.hub.repo_id, "0.2.0")
    assert (tag, commit) == ("v0.1.0", desk.tags()["v0.1.0"])
    assert fetch(desk.target, desk.hub.repo_id, tag, commit, desk.layout) == 8
    return desk


def test_what_it_predicted_of_the_same_rows_is_compared_with(fetched: Desk) -> None:
    said = read(fetched.layout.published).model
    release, before = previous(fetched.layout, asked(fetched.layout), "text-classification", said)
    assert before == said
    assert (release["version"], release["compared"]) == ("0.1.0", True)
    kept = next(records.read_lines(fetched.layout.previous_predictions))
    assert set(kept) == {"id", "label", "model"}


@pytest.mark.parametrize(
    ("task", "change", "because"),
    [
        ("text-classification", {"sha256": "0" * 64}, "rows"),
        ("text-regression", {}, "task"),
        ("text-classification", {"labels": ["bad", "good", "new"]}, "labels"),
    ],
)
def test_what_would_say_nothing_is_not_compared_and_said_to_be(
    task: str, change: dict[str, Any], because: str, fetched: Desk
) -> None:
    said = read(fetched.layout.published).model
    release, before = previous(fetched.layout, replace(asked(fetched.layout), **change), task, said)
    assert before is None
    assert (release["compared"], release["because"], release["version"]) == (False, because, "0.1.0")


def test_perplexities_of_other_tokens_are_not_compared(fetched: Desk) -> None:
    lines = list(records.read_lines(fetched.layout.previous_predictions))
    path = fetched.layout.previous_predictions
    records.write_lines(path, [line | {"model": {"loss": 9.0, "tokens": 7}} for line in lines])
    for tokens, because in ((7, None), (8, "tokens")):
        said = [{"loss": 8.0, "tokens": tokens}] * len(lines)
        release, _ = previous(fetched.layout, asked(fetched.layout), "text-classification", said)
        assert release.get("because") == because


def test_without_a_note_there_is_nothing_to_compare_with(desk: Desk) -> None:
    assert previous(desk.layout, asked(desk.layout), "text-classification", []) == ({}, None)


def test_files_that_do_not_belong_together_are_refused(fetched: Desk) -> None:
    lines = list(records.read_lines(fetched.layout.previous_predictions))
    records.write_lines(fetched.layout.previous_predictions, lines[::-1])
    said = read(fetched.layout.published).model
    with pytest.raises(
        PipelineError, match=r"is not about the rows that .* names: run `make previous` again"
    ):
        previous(fetched.layout, asked(fetched.layout), "text-classification", said)


def test_a_first_release_and_one_without_predictions_are_one_line(desk: Desk) -> None:
    with pytest.raises(PipelineError, match=r"has no release before v0\.1\.0 on .*: nothing to compare with"):
        last_before(desk.target, desk.hub.repo_id, "0.1.0")
    commit = desk.deliver()
    desk.api.delete_file("reports/predictions.jsonl", desk.hub.repo_id)
    with pytest.raises(PipelineError, match=r"holds no reports/predictions\.jsonl"):
        fetch(desk.target, desk.hub.repo_id, "v0.1.0", desk.main(), desk.layout)
    assert not desk.layout.previous_note.exists()
    assert commit
