"""The page of a gated repository: what it hides, how one asks there, and what became of the request."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.localhub.chromium import arrive, chrome, needs_chromium

__all__ = ["chrome"]
ADA = {"Authorization": "Bearer token-of-ada"}
BOB = {"Authorization": "Bearer token-of-bob"}
PASSWORD = httpx.BasicAuth("bob", "token-of-bob")
CARD = b"""---
extra_gated_heading: Please <b>accept</b>
extra_gated_prompt: You agree **not** to <script>x</script> misuse it.
extra_gated_button_content: Acknowledge & ask
extra_gated_fields:
  Company <i>: text
  Country: country
  Born: date_picker
  I agree: checkbox
  Used for: {type: select, options: [Research, {label: Something else, value: other}]}
  Where: ip_location
---
# The card
"""


@pytest.fixture
def ada(team: str) -> HfApi:
    return HfApi(endpoint=team, token="token-of-ada")


@pytest.fixture
def gated(ada: HfApi) -> Iterator[str]:
    name = f"engines/p{uuid4().hex[:8]}"
    ada.create_repo(name)
    files = [CommitOperationAdd("README.md", CARD), CommitOperationAdd("w.bin", bytes(range(256)) * 50)]
    ada.create_commit(name, files, commit_message="x")
    ada.update_repo_settings(name, gated="manual")
    yield name


def shown(url: str, headers: dict[str, str] | None = None) -> str:
    return httpx.get(url, headers=headers).raise_for_status().text


def test_the_page_asks_what_the_card_asks(team: str, gated: str) -> None:
    page = shown(f"{team}/{gated}", BOB)
    assert f'<form method="post" action="/{gated}/ask-access">' in page
    assert "<h2>Please &lt;b&gt;accept&lt;/b&gt;</h2>" in page and "Acknowledge &amp; ask</button>" in page
    assert "You agree <strong>not</strong> to" in page and "x</script>" not in page
    assert '<input type="text" name="Company &lt;i&gt;" required>' in page
    assert '<input type="text" name="Country" required>' in page
    assert '<input type="date" name="Born" required>' in page
    assert '<input type="checkbox" name="I agree" value="true" required>' in page
    assert '<option value="Research">Research</option><option value="other">Something else</option>' in page
    assert "Where" not in page
    assert "export HF_TOKEN" in page
    nobody = shown(f"{team}/{gated}")
    assert "<form method" not in nobody and '<a href="/?sign-in">Sign in</a> to ask for access' in nobody


def test_the_page_tells_what_became_of_a_request(team: str, ada: HfApi, gated: str) -> None:
    assert "Gated: 0 requests await review." in shown(f"{team}/{gated}", ADA)
    httpx.post(f"{team}/{gated}/ask-access", headers=BOB)
    page = shown(f"{team}/{gated}", BOB)
    assert "Your request of 20" in page and "awaits review." in page and "<form method" not in page
    owner = shown(f"{team}/{gated}", ADA)
    assert "Gated: 1 request awaits review." in owner and "accept_access_request" in owner
    handle = f"{team}/api/models/{gated}/user-access-request/handle"
    no = {"user": "bob", "status": "rejected", "rejectionReason": "<no>"}
    httpx.post(handle, json=no, headers=ADA).raise_for_status()
    assert "was rejected: &lt;no&gt;" in shown(f"{team}/{gated}", BOB)
    httpx.post(handle, json={"user": "bob", "status": "accepted"}, headers=ADA).raise_for_status()
    assert "Gated: you have access to its files." in shown(f"{team}/{gated}", BOB)


def test_pages_hide_the_digests_that_the_api_hides(team: str, ada: HfApi, gated: str) -> None:
    (file,) = (it for it in ada.list_repo_tree(gated) if it.path == "w.bin")
    digest = file.lfs.sha256  # type: ignore[union-attr]
    assert digest in shown(f"{team}/{gated}/tree/main", ADA)
    for page in ("", "/tree/main", "/commits/main", "/blob/main/README.md", "/compare", "/discussions"):
        for headers in (BOB, None):
            assert digest not in shown(f"{team}/{gated}{page}", headers)
    for page in ("/blob/main/w.bin", f"/commit/{ada.repo_info(gated).sha}", "/compare/main..main"):
        assert httpx.get(f"{team}/{gated}{page}", headers=BOB).status_code == 403


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
def test_no_page_of_another_site_asks_with_a_browsers_password(
    team: str, gated: str, origin: str | None
) -> None:
    """A browser adds the password by itself, to what any page sends."""
    headers = {} if origin is None else {"Origin": origin}
    url = f"{team}/{gated}/ask-access"
    assert httpx.post(url, auth=PASSWORD, headers=headers, data={}).status_code in (401, 403)
    ours = {"Origin": team}
    assert httpx.post(url, auth=PASSWORD, headers=ours, data={}).status_code == 303
    others = f"{team}/api/models/{gated}/user-access-request/cancel"
    assert httpx.post(others, auth=PASSWORD, headers=ours).status_code == 401, "this one form only"


@needs_chromium
def test_asking_in_a_browser(chrome: Chrome, team: str, gated: str) -> None:
    chrome.get(team.replace("http://", "http://bob:token-of-bob@") + "/?sign-in")
    chrome.get(f"{team}/{gated}")
    answers = {"Company <i>": "Engines", "Country": "France"}
    for name, text in answers.items():
        chrome.find_element(By.NAME, name).send_keys(text)
    chrome.execute_script("document.querySelector('[name=Born]').value = '1815-12-10'")
    chrome.find_element(By.NAME, "I agree").click()
    Select(chrome.find_element(By.NAME, "Used for")).select_by_visible_text("Something else")
    chrome.find_element(By.CSS_SELECTOR, ".gate button").click()
    arrive(chrome, gated)
    assert "awaits review" in chrome.find_element(By.CSS_SELECTOR, ".gate").text
    (row,) = httpx.get(f"{team}/api/models/{gated}/user-access-request/pending", headers=ADA).json()
    assert row["fields"] == answers | {"Born": "1815-12-10", "I agree": "true", "Used for": "other"}
