"""Chromium, and what is measured in it: overflow, contrast, focus, and what a screen reader is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")
QUIET = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "disable-dev-shm-usage",
    "no-first-run",
    "no-proxy-server",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    assert CHROMIUM and DRIVER
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*QUIET, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    driver.set_page_load_timeout(30)
    yield driver
    driver.quit()


def shape(chrome: Chrome, width: int, dark: bool = False) -> None:
    """The width of the window in CSS pixels, and the colours that its user prefers."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


OVERFLOW = """
const wide = document.documentElement.clientWidth;
const scrolls = el => el && (getComputedStyle(el).overflowX != 'visible' || scrolls(el.parentElement));
const out = el => el.getBoundingClientRect().right > wide + 1 && !scrolls(el.parentElement);
const found = [...document.querySelectorAll('body *')].filter(out).map(el => el.outerHTML.slice(0, 99));
return document.documentElement.scrollWidth <= wide ? [] : ['the page', ...found];
"""


# Contrast as WCAG 2.2 defines it (1.4.3), of each text against the colours that lie behind it, as computed; a
# background that is not opaque is laid over what is below it.
CONTRAST = """
const rgba = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const over = (top, low) => top.slice(0, 3).map((c, i) => c * top[3] + low[i] * (1 - top[3]));
const light = c => {
  const f = c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
const behind = el => { const own = rgba(getComputedStyle(el).backgroundColor);
  const low = el.parentElement ? behind(el.parentElement) : [255, 255, 255]; return over(own, low); };
const bad = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const el = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || el.closest('script, .unseen') || !el.checkVisibility()) continue;
  const low = behind(el), top = over(rgba(getComputedStyle(el).color), low);
  const [a, b] = [light(top), light(low)].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < 4.5) bad.push([ratio.toFixed(2), el.outerHTML.slice(0, 100)]);
}
return [getComputedStyle(document.body).backgroundColor, bad];
"""


def arrive(chrome: Chrome, end: str) -> None:
    """Wait for the page whose address ends so: what a key or a click starts is not awaited by itself."""
    WebDriverWait(chrome, 10).until(lambda it: it.current_url.endswith(end), f"not {end}")


def focused(chrome: Chrome) -> str:
    """What has the focus: its name for a reader, and whether its outline shows."""
    return str(
        chrome.execute_script(
            "const el = document.activeElement; const style = getComputedStyle(el);"
            "const shown = style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2;"
            "return (shown ? '' : 'no outline: ') + (el.ariaLabel || el.textContent.trim())"
        )
    )


def heard(chrome: Chrome) -> list[tuple[str, str, int]]:
    """(role, name, level of a heading) of the page's accessibility tree, in order."""
    nodes: list[dict[str, Any]] = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    found = []
    for node in (node for node in nodes if not node.get("ignored")):
        level = next((it["value"]["value"] for it in node.get("properties", ()) if it["name"] == "level"), 0)
        role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
        found.append((role, name, level if role == "heading" else 0))
    return found


NAMED = {
    "link",
    "button",
    "textbox",
    "searchbox",
    "image",
    "navigation",
    "search",
    "complementary",
    "heading",
}
