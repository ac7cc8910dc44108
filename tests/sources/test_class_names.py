"""The names of class numbers, wherever a data set keeps them."""

from stages.sources.hub import class_names


def test_class_names_in_every_form_that_a_data_set_declares_lists_in() -> None:
    from datasets import ClassLabel, Features, LargeList, List, Sequence, Value

    kind = ClassLabel(names=["a", "b"])
    features = {
        "list": List(kind),
        "large": LargeList(kind),
        "sequence": Sequence(kind),
        "old": [kind],
        "nested": {"one": kind, "text": Value("string"), "more": [{"two": kind}]},
        "items": Sequence({"three": kind}),
    }
    paths = {"list", "large", "sequence", "old", "nested.one", "nested.more.two", "items.three"}
    for declared in (features, Features(features)):
        found = dict(pair for name in features for pair in class_names(declared[name], name))
        assert found == {path: ["a", "b"] for path in paths}
