"""Files, differences and comparisons in Chromium: whole at any width, legible in any light, used by keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import HfApi
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from localhub.launch import Server, running
from tests.localhub import test_hub_browser as browser
from tests.localhub.releases import commit, publish

pytestmark = browser.pytestmark
chrome = browser.chrome
PATHS = (
    "compare",
    "compare/v1.0..v2.0",
    "compare/v1.0..v2.0?view=split",
    "commit/v2.0",
    "commit/v2.0?view=split",
    "commit/v1.0",
    "commits/main",
    "discussions",
    "discussions/1",
    "discussions/1?view=split",
    "tree/main",
    "tree/main/docs",
    "blob/main/README.md",
    "blob/main/README.md?view=source",
    "blob/main/docs/rows.csv",
    "blob/main/docs/long.txt",
    "blob/main/model.safetensors",
    "blob/main/reports/train.json",
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a model with two releases, long names and lines, and a pull request that conflicts."""
    with running(tmp_path_factory.mktemp("differing")) as server:
        name = publish(server, f"seen/{'long-name-' * 6}x")
        api = HfApi(endpoint=server.url, token=server.token)
        _fill(api, server, name)
        yield f"{server.url}/{name}"


def _fill(api: HfApi, server: Server, name: str) -> None:
    long = f"{'word ' * 60}\n{'x' * 400}\n"
    wide = ",".join(f"column{number}" for number in range(40))
    files = {"docs/README.md": f"# Rows\n\n{'w' * 200}\n", "docs/rows.csv": f"{wide}\n{wide}\n"}
    commit(api, name, {**files, "docs/long.txt": long, f"docs/{'name' * 50}.txt": "x\n"}, "m" * 200)
    opened = api.create_commit(
        name, [browser.CommitOperationAdd("docs/long.txt", b"other\n")], commit_message="A PR", create_pr=True
    )
    assert opened.pr_num == 1
    api.comment_discussion(name, 1, f"> quoted\n\n`{'c' * 300}`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    commit(api, name, {"docs/long.txt": f"{long}more\n"})


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_refused_anything_or_wider_than_the_window(chrome: Chrome, seen: str, width: int) -> None:
    browser.shape(chrome, width)
    chrome.get_log("browser")
    for path in PATHS:
        chrome.get(f"{seen}/{path}")
        chrome.execute_script("document.querySelectorAll('details.text').forEach(it => it.open = true)")
        assert chrome.execute_script(browser.OVERFLOW) == [], path
        assert [entry["message"] for entry in chrome.get_log("browser")] == [], path


SCROLLS = "return getComputedStyle(document.querySelector(arguments[0])).overflowY != 'visible'"


def test_tabs_and_sizes_are_whole_in_a_narrow_window(chrome: Chrome, seen: str) -> None:
    """What scrolls sideways is not seen to go on."""
    browser.shape(chrome, 360)
    chrome.get(f"{seen}/compare/v1.0..v2.0")
    right = "return [...document.querySelectorAll('.tabs a')].map(it => it.getBoundingClientRect().right)"
    assert max(chrome.execute_script(right)) <= 360
    high = "const it = document.querySelector('.tabs'); return it.scrollHeight - it.clientHeight"
    assert chrome.execute_script(high) <= 1 and not chrome.execute_script(SCROLLS, ".tabs")
    wide = "const it = document.querySelector('.sizes').parentElement; return it.scrollWidth - it.clientWidth"
    assert chrome.execute_script(wide) == 0


def test_all_text_stands_out_in_dark_and_light(chrome: Chrome, seen: str) -> None:
    for dark in (False, True):
        browser.shape(chrome, 1280, dark)
        for path in PATHS:
            chrome.get(f"{seen}/{path}")
            chrome.execute_script("document.querySelectorAll('details').forEach(it => it.open = true)")
            assert chrome.execute_script(browser.CONTRAST)[1] == [], (path, dark)


def test_what_a_screen_reader_hears(chrome: Chrome, seen: str) -> None:
    browser.shape(chrome, 1280)
    for path in PATHS:
        chrome.get(f"{seen}/{path}")
        found = browser.heard(chrome)
        nameless = [node for node in found if node[0] in {*browser.NAMED, "region"} and not node[1].strip()]
        assert not nameless, (path, nameless)
    chrome.get(f"{seen}/compare/v1.0..v2.0")
    found = browser.heard(chrome)
    assert ("rowheader", "Macro F1", 0) in found and ("region", "Numbers", 0) in found


def press(chrome: Chrome, by: str, name: str, end: str) -> None:
    """Press Enter on an element, and wait until the address ends so."""
    chrome.find_element(by, name).send_keys(Keys.ENTER)
    WebDriverWait(chrome, 20).until(lambda _: chrome.current_url.endswith(end), f"{name} leads to {end}")


def test_a_comparison_is_chosen_by_keys_without_javascript(chrome: Chrome, seen: str) -> None:
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.get(f"{seen}/compare")
        assert chrome.current_url.endswith("/compare/v1.0..v2.0")
        Select(chrome.find_element(By.NAME, "from")).select_by_value("v2.0")
        Select(chrome.find_element(By.NAME, "to")).select_by_value("main")
        press(chrome, By.CSS_SELECTOR, ".pair button", "/compare/v2.0..main")
        press(chrome, By.LINK_TEXT, "Line by line", "?view=unified")
        press(chrome, By.LINK_TEXT, "Split", "?view=split")
        press(chrome, By.LINK_TEXT, "Swap", "/compare/main..v2.0")
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_line_is_linked_and_shown(chrome: Chrome, seen: str) -> None:
    browser.shape(chrome, 1280)
    chrome.get(f"{seen}/blob/main/README.md?view=source")
    chrome.find_element(By.LINK_TEXT, "22").click()
    assert chrome.current_url.endswith("#L22")
    line = chrome.find_element(By.CSS_SELECTOR, ".source span:target")
    ground = "return getComputedStyle(arguments[0]).backgroundColor"
    other = chrome.find_element(By.ID, "L21")
    assert chrome.execute_script(ground, line) != chrome.execute_script(ground, other)


def test_what_is_copied_has_no_line_numbers(chrome: Chrome, seen: str) -> None:
    browser.shape(chrome, 1280)
    copied = "getSelection().selectAllChildren(arguments[0]); return getSelection().toString()"
    chrome.get(f"{seen}/blob/main/params.yaml")
    source = chrome.execute_script(copied, chrome.find_element(By.CSS_SELECTOR, ".source"))
    assert source.split("\n")[:2] == ["train:", "  learning_rate: 5.0e-5"]
    chrome.get(f"{seen}/commit/v1.0?path=params.yaml")
    lines = chrome.execute_script(copied, chrome.find_element(By.CSS_SELECTOR, ".diff"))
    assert "+train:\n" in lines
