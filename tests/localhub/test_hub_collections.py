"""Collections: who sees what in them, what becomes of it, and what they may hold."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import Collection, HfApi
from huggingface_hub.errors import HfHubHTTPError


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def bob(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-bob")


@pytest.fixture
def nobody(team: str) -> HfApi:
    return HfApi(endpoint=team, token=False)


@pytest.fixture
def mine(ada: HfApi) -> Collection:
    """A fresh public collection of ada's."""
    return ada.create_collection(f"Releases {uuid4().hex[:8]}")


def model(api: HfApi, owner: str, private: bool = False) -> str:
    name = f"{owner}/m{uuid4().hex[:8]}"
    api.create_repo(name, private=private)
    return name


def refused(call: Callable[[], object]) -> int:
    with pytest.raises(HfHubHTTPError) as error:
        call()
    return error.value.response.status_code


def ids(collection: Collection) -> list[str]:
    return [item.item_id for item in collection.items]


def test_making_one(ada: HfApi, nobody: HfApi) -> None:
    title = f"Été & Cie {uuid4().hex[:8]}"
    made = ada.create_collection(title, namespace="engines", description="What we released")
    assert made.slug.startswith(f"engines/ete-cie-{title[-8:]}-") and len(made.slug.split("-")[-1]) == 24
    seen = nobody.get_collection(made.slug)
    assert (seen.title, seen.description, seen.private, seen.upvotes) == (title, "What we released", False, 0)
    owner: dict[str, str] = seen.owner  # type: ignore[assignment]  # the Hub answers more than the client says
    assert owner["name"] == "engines" and owner["type"] == "org"
    assert refused(lambda: ada.create_collection(title, namespace="engines")) == 409
    again = ada.create_collection(title, namespace="engines", description="other", exists_ok=True)
    assert (again.slug, again.description) == (made.slug, "What we released")
    assert ada.create_collection(title).slug.startswith("ada/"), "a title is taken for its owner only"


def test_a_title_of_no_letters_has_an_address(ada: HfApi) -> None:
    made = ada.create_collection("日本語")
    assert made.slug.split("/")[1].isalnum()
    assert ada.get_collection(made.slug).title == "日本語"
    ada.delete_collection(made.slug)


def test_who_may_change_it(mine: Collection, ada: HfApi, bob: HfApi, nobody: HfApi) -> None:
    repo = model(ada, "ada")
    ada.add_collection_item(mine.slug, repo, "model")
    item = ada.get_collection(mine.slug).items[0].item_object_id
    for stranger, code in ((bob, 403), (nobody, 401)):
        for call in (
            lambda s: s.update_collection_metadata(mine.slug, title="Mine now"),
            lambda s: s.add_collection_item(mine.slug, repo, "model"),
            lambda s: s.update_collection_item(mine.slug, item, note="x"),
            lambda s: s.delete_collection_item(mine.slug, item),
            lambda s: s.delete_collection(mine.slug),
            lambda s: s.create_collection("Theirs", namespace="ada"),
        ):
            assert refused(lambda: call(stranger)) == code  # noqa: B023  # called at once
    assert ids(bob.get_collection(mine.slug)) == [repo]


def test_a_private_one_is_as_good_as_missing(ada: HfApi, bob: HfApi, nobody: HfApi) -> None:
    made = ada.create_collection(f"Secret {uuid4().hex[:8]}", namespace="engines", private=True)
    assert made.slug in {found.slug for found in ada.list_collections(owner="engines")}
    for stranger in (bob, nobody):
        missing = made.slug[:-1] + ("0" if made.slug[-1] != "0" else "1")
        assert refused(lambda: stranger.get_collection(made.slug)) == 404  # noqa: B023
        assert refused(lambda: stranger.get_collection(missing)) == 404  # noqa: B023
        assert made.slug not in {found.slug for found in stranger.list_collections(owner="engines")}
    assert refused(lambda: bob.delete_collection(made.slug)) == 404
    ada.update_collection_metadata(made.slug, private=False)
    assert nobody.get_collection(made.slug).private is False


def test_a_new_title_moves_it_and_the_old_address_stays(mine: Collection, ada: HfApi) -> None:
    new = ada.update_collection_metadata(
        mine.slug, title="Another title", description="d" * 150, theme="pink", position=3
    )
    assert new.slug == f"ada/another-title-{mine.slug.split('-')[-1]}"
    for slug in (mine.slug, new.slug, f"ADA/{new.slug.split('-')[-1]}"):
        found = ada.get_collection(slug)
        assert (found.slug, found.theme, found.position) == (new.slug, "pink", 3)
    assert refused(lambda: ada.get_collection(f"engines/{new.slug.split('/')[1]}")) == 404


def test_items(mine: Collection, ada: HfApi) -> None:
    first, second = model(ada, "ada"), model(ada, "engines")
    nested = ada.create_collection(f"Nested {uuid4().hex[:8]}")
    ada.add_collection_item(mine.slug, first, "model", note="the first")
    ada.add_collection_item(mine.slug, second, "model")
    ada.add_collection_item(mine.slug, "2301.12345", "paper")
    full = ada.add_collection_item(mine.slug, nested.slug, "collection")
    assert ids(full) == [first, second, "2301.12345", nested.slug]
    assert [item.note for item in full.items] == ["the first", None, None, None]
    assert refused(lambda: ada.add_collection_item(mine.slug, second, "model")) == 409
    assert ids(ada.add_collection_item(mine.slug, second, "model", exists_ok=True)) == ids(full)
    for item, kind in ((first, "dataset"), ("ada/none", "model"), ("x", "paper"), ("ada/x", "collection")):
        assert refused(lambda: ada.add_collection_item(mine.slug, item, kind)) == 404  # noqa: B023
    assert refused(lambda: ada.add_collection_item(mine.slug, mine.slug, "collection")) == 400
    assert refused(lambda: ada.add_collection_item(mine.slug, "ada/b", "bucket")) == 400
    ada.update_collection_item(mine.slug, full.items[0].item_object_id, note="", position=2)
    moved = ada.get_collection(mine.slug)
    assert ids(moved) == [second, "2301.12345", first, nested.slug] and moved.items[2].note is None
    ada.update_collection_item(mine.slug, full.items[1].item_object_id, position=99)
    assert ids(ada.get_collection(mine.slug))[-1] == second
    ada.delete_collection_item(mine.slug, full.items[1].item_object_id)
    assert refused(lambda: ada.delete_collection_item(mine.slug, full.items[1].item_object_id)) == 404
    ada.delete_collection_item(mine.slug, full.items[1].item_object_id, missing_ok=True)
    ada.delete_collection(nested.slug)
    assert ids(ada.get_collection(mine.slug)) == ["2301.12345", first]


def test_items_follow_their_repository(mine: Collection, ada: HfApi, bob: HfApi) -> None:
    moved, gone, hidden, last = (model(ada, "ada") for _ in range(4))
    for name in (moved, gone, hidden, last):
        ada.add_collection_item(mine.slug, name, "model")
    ada.move_repo(moved, f"{moved}-new")
    ada.create_repo(moved)  # another repository takes the name
    ada.delete_repo(gone)
    ada.update_repo_settings(hidden, private=True)
    assert ids(ada.get_collection(mine.slug)) == [f"{moved}-new", hidden, last]
    seen = bob.get_collection(mine.slug)
    assert ids(seen) == [f"{moved}-new", last] and [item.position for item in seen.items] == [0, 1]
    last_one = ada.get_collection(mine.slug).items[2]
    ada.update_collection_item(mine.slug, last_one.item_object_id, position=1)
    assert ids(ada.get_collection(mine.slug)) == [f"{moved}-new", last, hidden], "places as they are shown"
    ada.create_repo(gone)
    assert gone not in ids(ada.get_collection(mine.slug)), "a new repository of that name is another one"
    assert gone in ids(ada.add_collection_item(mine.slug, gone, "model"))


def test_nobody_adds_what_they_do_not_see(mine: Collection, ada: HfApi, bob: HfApi) -> None:
    secret = model(bob, "bob", private=True)
    assert refused(lambda: ada.add_collection_item(mine.slug, secret, "model")) == 404


def test_lists(ada: HfApi, bob: HfApi, team: str) -> None:
    repo = model(ada, "ada")
    made = [ada.create_collection(f"List {uuid4().hex[:8]}", namespace="engines") for _ in range(5)]
    for collection in made[:3]:
        ada.add_collection_item(collection.slug, repo, "model")
    for number in range(5):
        ada.add_collection_item(made[0].slug, f"2301.0000{number}", "paper")
    found = [item.slug for item in bob.list_collections(owner="engines", sort="lastModified")]
    assert found[0] == made[0].slug, "the one that changed last is first"
    assert set(found) >= {item.slug for item in made}
    holding = list(bob.list_collections(item=f"models/{repo}"))
    assert {item.slug for item in holding} == {item.slug for item in made[:3]}
    assert [len(item.items) for item in holding] == [4, 1, 1], "a list shows four items of each"
    assert len(list(bob.list_collections(owner=["engines", "ada"], limit=2))) == 2
    pages = httpx.get(f"{team}/api/collections", params={"owner": "engines", "limit": 2})
    assert len(pages.json()) == 2 and pages.links["next"]["url"]
    walked = []
    url: str | None = str(pages.url)
    while url:
        answer = httpx.get(url)
        walked += [row["slug"] for row in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert walked == found
    assert httpx.get(f"{team}/api/collections", params={"sort": "name"}).status_code == 400
    assert httpx.get(f"{team}/api/collections", params={"cursor": "x"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": " \n "},
        {"title": "t" * 61},
        {"title": 3},
        {"title": "t", "description": "d" * 151},
        {"title": "t", "private": "yes"},
    ],
)
def test_bounds(team: str, body: dict[str, object]) -> None:
    headers = {"Authorization": "Bearer token-of-ada"}
    answer = httpx.post(f"{team}/api/collections", json={"namespace": "ada"} | body, headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]


def test_wrong_changes(mine: Collection, ada: HfApi, team: str) -> None:
    headers = {"Authorization": "Bearer token-of-ada"}
    url = f"{team}/api/collections/{mine.slug}"
    for body in ({"theme": "black"}, {"position": -1}, {"position": True}, {"title": ""}, {"private": 1}):
        assert httpx.patch(url, json=body, headers=headers).status_code == 400
    for item in (None, "x", {"id": "ada/x"}, {"id": 3, "type": "model"}):
        assert httpx.post(f"{url}/items", json={"item": item}, headers=headers).status_code == 400
    note = "n" * 501
    repo = model(ada, "ada")
    assert refused(lambda: ada.add_collection_item(mine.slug, repo, "model", note=note)) == 400
    for path in ("ada/x", "ada/" + "-" * 300, "ada/..%2F..%2Ftoken", f"x/{'0' * 24}"):
        assert httpx.get(f"{team}/api/collections/{path}", headers=headers).status_code == 404


def test_many_at_once(mine: Collection, ada: HfApi) -> None:
    """Every item added by one of several clients stays; of equal ones, one stays."""
    papers = [f"2301.{number:05}" for number in range(12)] + ["2301.00000"] * 4
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda paper: ada.add_collection_item(mine.slug, paper, "paper", exists_ok=True), papers)
        )
    assert sorted(ids(ada.get_collection(mine.slug))) == sorted(set(papers))
