"""The site of the docs is built without a complaint, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import ROOT, run

import lehr


class Loaded(HTMLParser):
    """Collect what a browser loads of itself for a page: everything that has an address, but for links to follow."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "srcset", "data", "poster") if tag == "a" else ("src", "srcset", "data", "poster", "href")
        self.addresses += [value or "" for name, value in attrs if name in names]


def test_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("zensical")
    site = tmp_path / "build/site"
    (tmp_path / "src").symlink_to(ROOT / "src")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    for command in ([ROOT / "docs/build.py"], ["-m", "zensical", "build", "--strict"]):
        done = run(sys.executable, *command, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*") if path.suffix in (".html", ".css")}
    assert len(texts) > 30
    for path, text in texts.items():
        loaded = Loaded()
        loaded.feed(text if path.suffix == ".html" else "")
        loaded.addresses += re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", text)
        assert [a for a in loaded.addresses if re.match(r"(https?:)?//", a)] == [], path
    page = texts[site / "reference/python/lehr.html"]
    for name in set(lehr.__all__) - {"__version__"}:
        assert re.search(rf'id="lehr\.(glass\.tnm\.simulate\.)?{name}"', page), name
    assert 'id="lehr.study.Quantity"' in texts[site / "reference/python/pipeline.html"]
    assert "lehr dataset generate" in texts[site / "reference/cli.html"]
    assert "evaluation.robustness.white_noise" in texts[site / "reference/config.html"]
    assert "kJ/mol" in texts[site / "reference/quantities.html"]
