"""The front matter of a card on the Hub: what of it stays, what is replaced, what stops the release."""

import pytest
from ruamel.yaml import YAML

from stages.release.checking import against
from stages.release.sidecar import describe
from stages.release.traced import MarkdownText
from tests.card_records import Record
from tests.release.test_merge import NAME, NEW, OLD, better, edited, kept, refused, render
from tests.test_card import parts

ADDED = """new_version: demo/next-2   # the one after
thumbnail: 'https://x.example/a.png'
extra_gated_prompt: |
  Who are you?

  # Not a comment
extra_gated_fields:
  Name: text
  Country: {type: country}
"""


def front(text: str) -> Record:
    found: Record = parts(text)[0]
    return found


def test_keys_that_are_not_generated_stay_as_they_are_written() -> None:
    theirs = edited(OLD, "license: ", "# a comment\n" + ADDED + "license: ")
    found = kept(NEW, theirs)
    assert found.keys == ("new_version", "thumbnail", "extra_gated_prompt", "extra_gated_fields")
    assert ADDED + "---\n" in found.text
    assert front(found.text) == front(NEW) | YAML(typ="safe", pure=True).load(ADDED)
    assert found.text.replace(ADDED, "") == NEW


def test_what_was_added_to_a_list_stays_behind_ours() -> None:
    theirs = edited(OLD, "tags:\n", 'tags:\n- "no"\n- arxiv:1234.5678\n')
    theirs = edited(theirs, "language:\n- en\n", "language: [en, fr]\n")
    found = kept(render("0.2.0", better, tags=["sentiment-analysis", "new"]), theirs)
    assert front(found.text)["tags"] == ["sentiment-analysis", "new", "no", "arxiv:1234.5678"]
    assert front(found.text)["language"] == ["en", "fr"]
    assert '- "no"\n' in found.text
    assert found.keys == ("language (+1)", "tags (+2)")
    fewer = kept(render("0.3.0", tags=["new"]), found.text, None)
    assert front(fewer.text)["tags"] == ["new", "no", "arxiv:1234.5678"]  # ours goes when it is not ours now
    none = kept(render("0.3.0", tags=[]), found.text, None)
    assert front(none.text)["tags"] == ["no", "arxiv:1234.5678"]


def test_a_key_of_ours_that_is_not_generated_any_more_goes() -> None:
    without = render("0.2.0", tags=[])
    assert "tags" not in front(without)
    assert kept(without, OLD).text == without
    assert kept(NEW, without, without).text == NEW
    assert "no longer" not in refused(NEW, edited(OLD, "language:\n- en\n", ""))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "license: apache-2.0",
            "license: mit",
            'license was changed by hand to "mit", and is generated: change',
        ),
        ("license: apache-2.0\n", "", "license was taken out of its front matter: change card.license in"),
        ("- sentiment-analysis", "- sentiment", 'tags had "sentiment-analysis", which was taken out by hand'),
        ("value: 0.942", "value: 0.99", "model-index holds a result of ours that was changed by hand, "),
        ("base_model: ", "base_model: x/", "change base.repo_id in params.yaml, or make it"),
        ("language:\n", "language: [a: b\n", "its front matter is not YAML"),
        ("license: ", "x: &a 1\ny: *a\nlicense: ", "its front matter has an alias"),
        ("license: ", "license: mit\nlicense: ", "its front matter is not YAML"),
        ("model-index:\n", "model-index: 3\nx:\n", "is not what the Hub asks for"),
    ],
)
def test_a_front_matter_that_was_edited_stops(old: str, new: str, words: str) -> None:
    said = refused(render(license="apache-2.0"), edited(render(license="apache-2.0"), old, new))
    assert words in said and "\n" not in said and said.startswith(NAME)


def results(text: str) -> list[tuple[str, str, float]]:
    """As the Hub's own client reads them: data set, metric, value."""
    from huggingface_hub import ModelCard

    return [(r.dataset_type, r.metric_type, r.metric_value) for r in ModelCard(text).data.eval_results]


def test_results_of_others_stay_and_ours_are_never_doubled() -> None:
    """Added by the Hub's own client, which writes the whole front matter in its own way."""
    from huggingface_hub import EvalResult, ModelCard

    given = ModelCard(OLD)
    shared = {"task_type": "text-classification", "metric_type": "accuracy"}
    ours = next(r for r in given.data.eval_results if r.metric_type == "accuracy")
    given.data.eval_results += [
        EvalResult(dataset_type="stanfordnlp/sst2", dataset_name="SST-2", metric_value=0.8, **shared),
        EvalResult(
            dataset_type=ours.dataset_type,
            dataset_name=ours.dataset_name,
            dataset_split=ours.dataset_split,
            metric_value=0.93,
            source_name="A leaderboard",
            source_url="https://x.example",
            **shared,
        ),
    ]
    found = kept(NEW, str(given))
    theirs = [("stanfordnlp/sst2", "accuracy", 0.8), (ours.dataset_type, "accuracy", 0.93)]
    assert results(found.text) == [*results(NEW), *theirs]
    assert found.keys == ("model-index (+2)",)
    assert list(against(found.text, describe(MarkdownText(NEW), {}, "0", "en", {}), "README.md")) == []


def test_a_new_revision_of_the_data_replaces_our_results() -> None:
    def newer(records: dict[str, Record]) -> None:
        records["data"]["source"]["version"] = "3.4.0"

    ours = render("0.2.0", newer)
    assert results(kept(ours, OLD).text) == results(ours)
    doubled = edited(OLD, 'revision: "3.3.2"', 'revision: "3.3.1"')  # by hand, or by metadata_update
    assert "say who measured it (`source`)" in refused(ours, doubled)
