"""The pages in Chromium: nothing is refused, nothing overflows, all can be read, reached and heard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from localhub.launch import Server, running
from tests.localhub.chromium import (
    CONTRAST,
    NAMED,
    OVERFLOW,
    arrive,
    chrome,
    focused,
    heard,
    needs_chromium,
    shape,
)

__all__ = ["chrome"]
pytestmark = needs_chromium
Pages = tuple[str, ...]
CELLS = "".join(f"| column{number} " for number in range(30)) + "|"
CARD = f"""---
license: mit
language: [en, fr]
pipeline_tag: text-classification
base_model: seen/base
datasets: [seen/rows]
tags: [a-very-long-tag-{"x" * 80}]
model-index:
- name: m
  results:
  - task: {{type: text-classification}}
    dataset: {{name: Rows, type: seen/rows}}
    metrics:
    - {{type: f1, value: 0.93571, args: {{confidence_interval: [0.91, 0.95], confidence_level: 0.95}}}}
---
# A model

Some *text* with `code`, a [link](config.json), $a_i * b_i$, {"longword" * 30}, and a note[^1]. ~~gone~~

> [!WARNING]
> Mind this.

{CELLS}
{"|--" * 30}|
{CELLS}

<table><tr>{"<th>rawcolumn</th>" * 30}</tr></table>

```python
print("{"a long line of code " * 20}")
```

<details><summary>More</summary>

$$
x_i = {"y + " * 80} z
$$

</details>

[^1]: Below.
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Hub with a model (two releases, a pull request, a discussion), its base, and a data set."""
    with running(tmp_path_factory.mktemp("seen")) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        for name, kind in (("seen/base", "model"), ("seen/rows", "dataset"), ("seen/model", "model")):
            api.create_repo(name, repo_type=kind)
        _commit(
            api,
            "seen/rows",
            {"README.md": "---\nlicense: mit\n---\n# Rows", "a.csv": "a,b\n1,2\n"},
            "dataset",
        )
        files = {"README.md": CARD, "config.json": '{"architectures": ["BertForSequenceClassification"]}'}
        _commit(api, "seen/model", {**files, "figures/loss.png": PNG, "notes.txt": "one\n"})
        api.create_tag("seen/model", tag="v1.0")
        _commit(api, "seen/model", {"notes.txt": f"two\n{'long' * 90}\n"})
        api.create_tag("seen/model", tag="v1.1")
        _commit(api, "seen/model", {"README.md": CARD.replace("A model", "Another")}, create_pr=True)
        api.create_discussion("seen/model", title="A question", description="Of **some** length " + "w" * 200)
        made = api.create_collection("Seen together", namespace="seen", description="Of several kinds")
        for name, kind in (("seen/model", "model"), ("seen/rows", "dataset"), ("1706.03762", "paper")):
            api.add_collection_item(made.slug, name, kind, note="word" * 40)
        yield server


@pytest.fixture(scope="module")
def pages(seen: Server) -> Pages:
    api = HfApi(endpoint=seen.url, token=seen.token)
    return (*PAGES, *(f"/collections/{made.slug}" for made in api.list_collections(owner="seen")))


def _commit(
    api: HfApi, name: str, files: dict[str, str | bytes], kind: str = "model", create_pr: bool = False
) -> None:
    given = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
    operations = [CommitOperationAdd(path, data) for path, data in given.items()]
    api.create_commit(name, operations, commit_message="Files", repo_type=kind, create_pr=create_pr)


PAGES = (
    "/",
    "/models?search=seen&sort=alphabetical",
    "/models?search=nothing",
    "/datasets",
    "/collections",
    "/seen",
    "/seen/model",
    "/seen/base",
    "/datasets/seen/rows",
    "/seen/model/tree/main",
    "/seen/model/blob/main/notes.txt",
    "/seen/model/blob/main/figures/loss.png",
    "/seen/model/commits/main",
    "/seen/model/commit/main",
    "/seen/model/compare/v1.0..v1.1",
    "/seen/model/discussions",
    "/seen/model/discussions/1",
    "/seen/model/discussions/2",
    "/nothing/here",
)


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_refused_anything_or_wider_than_the_window(
    chrome: Chrome, seen: Server, pages: Pages, width: int
) -> None:
    shape(chrome, width)
    chrome.get_log("browser")
    for path in pages:
        chrome.get(seen.url + path)
        assert chrome.execute_script(OVERFLOW) == [], path
        said = [entry["message"] for entry in chrome.get_log("browser")]
        assert path == "/nothing/here" or said == [], (path, said)


def test_dark_and_light_differ_and_all_text_stands_out(chrome: Chrome, seen: Server, pages: Pages) -> None:
    grounds = []
    for dark in (False, True):
        shape(chrome, 1280, dark)
        for path in pages:
            chrome.get(seen.url + path)
            chrome.execute_script("document.querySelectorAll('details').forEach(it => it.open = true)")
            ground, bad = chrome.execute_script(CONTRAST)
            assert bad == [], (path, dark)
        grounds.append(ground)
    assert grounds[0] != grounds[1]


def test_keys_reach_skip_link_search_and_navigation_in_this_order(chrome: Chrome, seen: Server) -> None:
    shape(chrome, 1280)
    chrome.get(f"{seen.url}/seen/model")
    body = chrome.find_element(By.TAG_NAME, "body")
    reached = []
    for _ in range(8):
        body.send_keys(Keys.TAB) if not reached else chrome.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(focused(chrome))
    assert reached[:3] == ["Skip to content", "localhub", "Search models"]
    assert reached[3:7] == ["Models", "Data sets", "Spaces", "Sign in"]
    chrome.refresh()
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = chrome.switch_to.active_element
    assert skip.rect["x"] >= 0 and skip.is_displayed()
    skip.send_keys(Keys.ENTER)
    chrome.switch_to.active_element.send_keys(Keys.TAB)
    assert focused(chrome) == "seen", "the first link of the content"


def test_search_by_keyboard(chrome: Chrome, seen: Server) -> None:
    chrome.get(f"{seen.url}/models?sort=alphabetical")
    box = chrome.find_element(By.NAME, "search")
    box.send_keys("base" + Keys.ENTER)
    arrive(chrome, "/models?search=base&sort=alphabetical")
    assert [it.text for it in chrome.find_elements(By.CSS_SELECTOR, ".name")] == ["seen/base", "seen/model"]


def test_copy_buttons_copy(chrome: Chrome, seen: Server) -> None:
    grant = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": seen.url}
    chrome.execute_cdp_cmd("Browser.grantPermissions", grant)
    chrome.get(f"{seen.url}/seen/model")
    code = chrome.find_elements(By.TAG_NAME, "pre")
    buttons = chrome.find_elements(By.CSS_SELECTOR, "button.copy")
    assert len(code) == len(buttons) == 3
    for block, button in zip(code, buttons, strict=True):
        chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.send_keys(Keys.ENTER)
        copied = chrome.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
        assert copied == block.get_property("textContent").rstrip("\n") and copied
        assert button.text == "Copied"


def test_without_a_clipboard_the_code_is_selected(chrome: Chrome, seen: Server) -> None:
    chrome.get(f"{seen.url}/seen/model")
    chrome.execute_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    chrome.find_element(By.CSS_SELECTOR, "aside button.copy").click()
    assert chrome.execute_script("return getSelection().toString()") == f"export HF_ENDPOINT={seen.url}"


def test_without_javascript_all_is_there_but_the_buttons(chrome: Chrome, seen: Server) -> None:
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.get(f"{seen.url}/seen/model")
        assert not chrome.find_elements(By.TAG_NAME, "button")
        chrome.find_element(By.NAME, "search").send_keys("base" + Keys.ENTER)
        arrive(chrome, "/models?search=base")
        chrome.find_element(By.LINK_TEXT, "seen/base").click()
        arrive(chrome, "/seen/base")
        chrome.get(f"{seen.url}/seen/model/tree/main")
        chrome.find_element(By.CSS_SELECTOR, "details.choose summary").click()
        chrome.find_element(By.LINK_TEXT, "v1.0").click()
        arrive(chrome, "/tree/v1.0")
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_script_of_a_repository_does_not_run(chrome: Chrome, seen: Server) -> None:
    """Were sanitising to fail, the policy still stands: only the script of that digest runs."""
    api = HfApi(endpoint=seen.url, token=seen.token)
    _commit(api, "seen/base", {"evil.js": "document.title = 'taken'"})
    chrome.get(f"{seen.url}/seen/model")
    chrome.execute_script(
        "for (const at of ['src', 'text']) { const it = document.createElement('script');"
        "it[at] = at == 'src' ? '/seen/base/resolve/main/evil.js' : \"document.title = 'taken'\";"
        "document.head.append(it); }"
    )
    said = [entry["message"] for entry in chrome.get_log("browser")]
    assert chrome.title == "seen/model · localhub"
    assert sum("Content Security Policy" in line for line in said) == 2, said


def test_what_a_screen_reader_hears(chrome: Chrome, seen: Server, pages: Pages) -> None:
    shape(chrome, 1280)
    for path in pages:
        chrome.get(seen.url + path)
        found = heard(chrome)
        roles = [role for role, _, _ in found]
        for landmark in ("banner", "main", "contentinfo", "search", "navigation"):
            assert landmark in roles, (path, landmark)
        assert roles.count("main") == 1 and ("searchbox" in roles)
        nameless = [node for node in found if node[0] in NAMED and not node[1].strip()]
        assert not nameless, (path, nameless)
        levels = [level for role, _, level in found if role == "heading"]
        assert levels and levels[0] == 1, (path, levels)
        assert all(after <= before + 1 for before, after in pairwise(levels)), (
            path,
            levels,
        )
    chrome.get(f"{seen.url}/seen/model")
    found = heard(chrome)
    assert ("complementary", "Facts", 0) in found and ("article", "Card", 0) in found
    assert {"caption", "columnheader", "rowheader", "table"} <= {role.lower() for role, _, _ in found}


def test_print_is_ink_on_paper(chrome: Chrome, seen: Server) -> None:
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    try:
        chrome.get(f"{seen.url}/seen/model")
        style = "return getComputedStyle(document.body).getPropertyValue(arguments[0])"
        assert chrome.execute_script(style, "background-color") == "rgb(255, 255, 255)"
        assert chrome.execute_script(style, "color") == "rgb(0, 0, 0)"
        assert not chrome.find_element(By.CSS_SELECTOR, ".top").is_displayed()
        assert not any(it.is_displayed() for it in chrome.find_elements(By.CSS_SELECTOR, "button.copy"))
        formula = chrome.find_element(By.CSS_SELECTOR, "details .formula")
        assert formula.rect["height"] > 10, "what is folded is printed"
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_figures_of_a_card_are_shown(chrome: Chrome, seen: Server) -> None:
    """An image that the policy or its address lost has no width."""
    api = HfApi(endpoint=seen.url, token=seen.token)
    figures = "---\nlicense: mit\n---\n# F\n\n![loss](figures/loss.png)\n"
    _commit(api, "seen/base", {"README.md": figures, "figures/loss.png": PNG})
    chrome.get(f"{seen.url}/seen/base")
    image = chrome.find_element(By.CSS_SELECTOR, ".card img")
    assert chrome.execute_script("return arguments[0].naturalWidth", image) == 1
