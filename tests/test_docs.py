"""What the docs say can be done, is done: their code runs, their links lead somewhere, and the site needs no network.

The Python blocks of a page run in order in one namespace, and so do the lines of its `sh` blocks, in a folder with a small
world: scans, configs, stores, networks. A YAML block that begins with the comment `# NAME.yaml` becomes that file. What takes
long or needs a cluster is marked in the source of a page, by a comment before its block:

    <!-- not run: WHY -->                 the whole block
    <!-- not run (snakemake, make): WHY -->    the lines that begin with one of these

Libraries that run the code of Markdown files (Sybil, pytest-examples, mktestdocs) mark blocks only, not lines.
"""

from __future__ import annotations

import glob
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, TINY, run

import lehr
from lehr.cli import main

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = 32
"""Lines of the docs that no test runs. Each has a reason beside it; a larger number wants a good one."""

_BLOCK = re.compile(
    r"(?:^<!-- not run ?(?P<lines>\([^)]*\))?: (?P<why>[^>]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Step:
    """Something of a page that can be run: a block, or a line of a shell."""

    kind: str
    text: str
    line: int
    why_not: str


def steps(page: Path) -> Iterator[Step]:
    """Yield what can be run of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        at = text.count("\n", 0, found.start("text")) + 1
        some, why = found["lines"], found["why"] or ""
        if found["language"] != "sh":
            yield Step(found["language"], found["text"], at, "" if some else why)
            continue
        for offset, line in enumerate(found["text"].splitlines()):
            if line.strip():
                starts = some is None or line.startswith(tuple(some.strip("()").split(", ")))
                yield Step("sh", line, at + offset, why if starts else "")


RUN = {page: [step for step in steps(page) if step.kind in ("python", "sh", "yaml")] for page in PAGES}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make all that the docs speak of, small: it is copied for each page."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "workflow/config", folder / "workflow/config")
    small = {
        **TINY,
        "training": {**TINY["training"], "epochs": 1},
        "models": [{"name": "C", "subset": "C"}, {"name": "G", "subset": "G"}],
        "subsets": ["LU", "C", "G"],
        "evaluation": {
            "limits": {"samples": 2, "noise": [0, 0.01], "starts": 1},
            "robustness": {"samples": 4, "white_noise": [0.01], "thermal_lag": [1], "baseline_slope": [0.002]},
        },
    }
    for name, path in (("my", "my.yaml"), ("demo", "workflow/config/demo.yaml"), ("paper", "workflow/config/paper.yaml")):
        content = {**small, "name": name, "output": f"results/{name}"}
        (folder / path).write_text(yaml.safe_dump(content))
    (folder / "results/my").mkdir(parents=True)
    for name in ("demo", "paper", "a"):
        (folder / "results" / name).symlink_to("my")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(RUN[ROOT / "docs/tutorial/scans.md"][0].text, {})  # six files: scan1.csv ...
        write_export(Path("export.txt"))
        shutil.copy("scan1.csv", "scan.csv")
        Path("bare.txt").write_text(Path("scan1.csv").read_text().partition("\n")[2].replace(",", " "))
        for subset in small["subsets"]:
            assert main(["dataset", "generate", "my.yaml", "--subset", subset]) == 0
        for model in ("C", "G"):
            assert main(["train", "my.yaml", "--model", model, "--ranks", "1"]) == 0
        assert main(["evaluate", "my.yaml"]) == 0
        assert main(["fit", *(f"scan{i}.csv" for i in range(1, 7)), "--cooling-rates", "0.5", "1", "2", "5", "10", "20",
                     "--json", "fit.json"]) == 0  # fmt: skip
    return folder


def write_export(path: Path) -> None:
    """Write an export of an instrument: six scans of a glass in one table, and beside it the program that was run."""
    celsius = np.arange(-20.0, 200.0, 0.5)
    glass = lehr.TNMParameters(np.log(100.0) - 320e3 / 8.314462618 / 358.0, 320e3, 0.55, 0.65)
    cpn = lehr.simulate(*glass.as_tuple(), temperature=celsius + 273.15).cpn
    rows, time = [], 0.0
    for scan, rate in zip(cpn, (0.5, 1, 2, 5, 10, 20), strict=True):
        down = np.linspace(celsius[-1], celsius[0], 100)
        rows.append((time + (celsius[-1] - down) / rate, down, 2.0 - 0.002 * down))
        time = rows[-1][0][-1] + 0.05
        rows.append((time + (celsius - celsius[0]) / 10.0, celsius, -2.0 - 0.002 * celsius - 0.5 * scan))
        time = rows[-1][0][-1] + 0.05
    table = np.concatenate([np.column_stack([*row, row[2]]) for row in rows])
    np.savetxt(path, table, "%.5f", "\t", header="time\tTs\theat flow\tcell 2\nmin\tdegC\tmW\t", comments="")
    cycle = "{segments: [{ramp: {to: lowest, rate: %g}}, {ramp: {to: highest, rate: 10}}]}"
    cycles = "\n".join("  - " + cycle % rate for rate in (0.5, 1, 2, 5, 10, 20))
    path.with_name("program.yaml").write_text(f"cycles:\n{cycles}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(not step.why_not for step in RUN[page])],
    ids=lambda page: str(page.relative_to(ROOT)),
)  # fmt: skip
def test_code_of_a_page_runs(page: Path, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(shutil.copytree(world, tmp_path / "world", symlinks=True))
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for step in RUN[page]:
        if step.kind == "yaml" and (name := re.match(r"# (\w+\.yaml)", step.text)):
            Path(name[1]).write_text(step.text)
    for step in RUN[page]:
        where = f"{page.relative_to(ROOT)}:{step.line}"
        if step.why_not:
            continue
        if step.kind == "python":
            exec(compile("\n" * (step.line - 1) + step.text, page, "exec"), namespace)
        elif step.kind == "sh":
            words = [name for word in shlex.split(step.text, comments=True) for name in sorted(glob.glob(word)) or [word]]
            code = main(words[1:]) if words[0] == "lehr" else subprocess.run(words, check=False, timeout=60).returncode
            assert code == 0, f"{where}: {step.text}"


def test_what_is_not_run_says_why() -> None:
    left = [f"{page.relative_to(ROOT)}:{s.line}: {s.text.strip().splitlines()[0]} ({s.why_not})"
            for page in PAGES for s in RUN[page] if s.why_not]  # fmt: skip
    assert len(left) == NOT_RUN, "\n".join(left)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_say_their_language(page: Path) -> None:
    languages = [found["language"] for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]
    assert set(languages) <= {"python", "sh", "yaml", "text"}


def test_links_and_names_of_pages_lead_somewhere() -> None:
    """Links of all Markdown files, and pages that the code names."""
    made = {ROOT / "docs/reference" / name for name in ("cli.md", "config.md", "quantities.md")}
    for page in (*PAGES, ROOT / "CHANGELOG.md", ROOT / "benchmarks/README.md"):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            assert "://" in link or target.exists() or target in made, f"{page}: {link}"
    listed = run("git", "grep", "-hoE", r"\bdocs/[A-Za-z0-9_/-]+\.(md|py|png)", cwd=ROOT)
    assert {name for name in listed.stdout.split() if not (ROOT / name).exists()} == set()


def test_each_page_is_in_the_navigation() -> None:
    named = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert named == pages | {"reference/cli.md", "reference/config.md", "reference/quantities.md"}


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
    assert len(texts) > len(PAGES)
    for path, text in texts.items():
        loaded = Loaded()
        loaded.feed(text if path.suffix == ".html" else "")
        loaded.addresses += re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", text)
        assert [a for a in loaded.addresses if re.match(r"(https?:)?//", a)] == [], path
    assert "Quantity" in texts[site / "reference/python/pipeline.html"]
    assert "lehr dataset generate" in texts[site / "reference/cli.html"]
    assert "evaluation.robustness.white_noise" in texts[site / "reference/config.html"]
    assert "kJ/mol" in texts[site / "reference/quantities.html"]
