"""The page in a real browser: nothing goes wrong, all figures are seen, switch and explorer do what they should.

Chromium and its driver come from `.ci/chromium`; without them these tests are skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from studied import Study

BROWSER, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER), reason="no chromium and chromedriver here; .ci/chromium installs them"
    ),
]

WIDTHS = {"phone": 390, "desktop": 1200}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start the browser once."""
    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options, Service(str(DRIVER)))
    yield browser
    browser.quit()


@pytest.fixture(params=WIDTHS)
def page(chromium: Chrome, study: Study, request: pytest.FixtureRequest) -> Chrome:
    """Open the report on a phone and on a desk."""
    phone = request.param == "phone"
    size = {"width": WIDTHS[request.param], "height": 900, "deviceScaleFactor": 1, "mobile": phone}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chromium.get("about:blank")  # the address may differ in its fragment only, which loads nothing
    chromium.get(study.path.as_uri())
    return chromium


def shown(page: Chrome) -> list[str]:
    """Networks whose parts are seen."""
    parts = page.find_elements(By.CSS_SELECTOR, "[data-network]")
    return [str(part.get_attribute("data-network")) for part in parts if part.is_displayed()]


def choose(page: Chrome, name: str) -> None:
    page.find_element(By.CSS_SELECTOR, f"label:has(input[name=network][value='{name}'])").click()


def drawn(page: Chrome) -> str:
    """What is on the canvas."""
    return str(page.execute_script("return document.querySelector('canvas').toDataURL()"))


def pick(page: Chrome, name: str, value: str) -> None:
    page.find_element(By.CSS_SELECTOR, f"#explorer [name={name}] option[value='{value}']").click()


def test_all_figures_are_seen_and_nothing_goes_wrong(page: Chrome) -> None:
    choose(page, "*")
    assert shown(page) == ["C", "C-cells", "G"]
    sizes = page.execute_script(
        "return [...document.images].map(i => [i.alt, i.complete && i.naturalWidth, i.getBoundingClientRect().width,"
        " !!i.closest('.static')])"
    )
    assert len(sizes) > 70
    for words, loaded, width, for_print in sizes:
        assert loaded, words
        assert for_print or width > 250, (words, width)
    # the page is as wide as the window: what is wider scrolls in its own place
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert page.get_log("browser") == []
    assert (
        page.execute_script("return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:'))")
        == []
    )


def test_the_switch_shows_one_network(page: Chrome) -> None:
    assert shown(page) == ["C"]
    before = drawn(page)
    choose(page, "G")
    assert shown(page) == ["G"]
    assert page.find_element(By.CSS_SELECTOR, "#explorer figcaption b").text == "Network G"
    assert drawn(page) != before
    chosen = page.find_elements(By.CSS_SELECTOR, "tr.chosen")
    assert {row.get_attribute("data-of") for row in chosen} == {"G"}
    page.find_element(By.CSS_SELECTOR, "a[href='#network-C-cells']").click()
    assert shown(page) == ["C-cells"]
    assert page.get_log("browser") == []


def test_the_explorer_says_what_is_under_the_pointer(page: Chrome) -> None:
    canvas = page.find_element(By.CSS_SELECTOR, "canvas")
    tip = page.find_element(By.CSS_SELECTOR, "#explorer output")
    pick(page, "pair", "x,beta")
    pick(page, "view", "map")
    pick(page, "quantity", "parameters")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    size = canvas.size
    # the upper right of four cells: its axes are 64 pixels from the left, 84 from the right, 16 from the top
    ActionChains(page).move_to_element_with_offset(canvas, size["width"] // 2 - 110, 40 - size["height"] // 2).perform()
    assert tip.is_displayed()
    assert tip.text.startswith("x 0.8, β 0.8: mean SSE ")
    assert tip.rect["x"] >= 0
    assert tip.rect["x"] + tip.rect["width"] <= page.execute_script("return innerWidth")
    maps = page.execute_script("return JSON.parse(document.querySelector('#maps').textContent).networks.C['x,beta']")
    assert f"of {maps['count'][1][1]} samples" in tip.text


def test_the_surface_turns(page: Chrome) -> None:
    canvas = page.find_element(By.CSS_SELECTOR, "canvas")
    pick(page, "pair", "x,beta")
    pick(page, "view", "surface")
    seen = [drawn(page)]
    canvas.send_keys(Keys.ARROW_LEFT)
    seen.append(drawn(page))
    canvas.send_keys(Keys.ARROW_UP)
    seen.append(drawn(page))
    pick(page, "scale", "linear")
    seen.append(drawn(page))
    for pair in ("delta_h,ln_A", "delta_h,x", "delta_h,beta"):
        pick(page, "pair", pair)
        seen.append(drawn(page))
    assert len(set(seen)) == len(seen)
    assert page.get_log("browser") == []


def test_print_has_the_surfaces_and_no_controls(page: Chrome) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not page.find_element(By.CSS_SELECTOR, ".bar").is_displayed()
        assert not page.find_element(By.ID, "explorer").is_displayed()
        assert page.find_element(By.CSS_SELECTOR, "#network-C .static img").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_without_scripts_everything_is_shown(chromium: Chrome, study: Study, tmp_path: Path) -> None:
    text = study.path.read_text(encoding="utf-8")
    bare = tmp_path / "bare.html"
    bare.write_text(text[: text.index("<script")] + "</body></html>", encoding="utf-8")
    chromium.get(bare.as_uri())
    assert shown(chromium) == ["C", "C-cells", "G"]
    assert chromium.find_element(By.CSS_SELECTOR, "#network-G .static img").is_displayed()
    assert not chromium.find_element(By.CSS_SELECTOR, ".switch").is_displayed()
