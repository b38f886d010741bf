"""What the docs say can be done, is done: their code runs, and their links lead somewhere.

The Python blocks of a page run in order in one namespace, and so do the lines of its `sh` blocks, in a folder of what
docs_world.py makes. A YAML block that begins with the comment `# NAME.yaml` becomes that file. What takes long or needs
a cluster is marked in the source of a page, by a comment before its block:

    <!-- not run: WHY -->                 the whole block
    <!-- not run (snakemake, make): WHY -->    the lines that begin with one of these

Libraries that run the code of Markdown files (Sybil, pytest-examples, mktestdocs) mark blocks only, not lines.
"""

from __future__ import annotations

import pkgutil
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, run
from docs_world import fill

from lehr.cli import main

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = 33
"""Lines of the docs that no test runs. Each has a reason beside it; a larger number wants a good one."""

_BLOCK = re.compile(
    r"(?:^<!-- not run ?(?P<lines>\([^)]*\))?: (?P<why>[^>]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
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
    """Make what the docs speak of; it is copied for each page."""
    folder = tmp_path_factory.mktemp("world")
    fill(folder, RUN[ROOT / "docs/tutorial/scans.md"][0].text)
    return folder


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
            words = []
            for word in shlex.split(step.text, comments=True):
                words += sorted(map(str, Path().glob(word))) if "?" in word else [word]
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_of_modules_and_functions_exist(page: Path) -> None:
    for name in re.findall(r"(?<![\w/])lehr(?:\.[A-Za-z_]\w*)+", page.read_text(encoding="utf-8")):
        if name.rpartition(".")[2] not in ("def", "md", "sif"):
            pkgutil.resolve_name(name)


def test_contributing_names_what_is_there() -> None:
    folders = [ROOT, ROOT / "src/lehr", ROOT / "src/lehr/glass"]
    named = re.findall(r"`([a-z_.-]+/?(?:[a-z_./-]+)?)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    paths = {name for name in named if "/" in name or name.endswith(".py")} - {"envs/*.in", "envs/*.txt"}
    assert len(paths) > 30
    assert {path for path in paths if not any((folder / path).exists() for folder in folders)} - {
        ".venv/",
        "plot.py",
    } == set()


def test_each_page_is_in_the_navigation() -> None:
    named = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert named == pages | {"reference/cli.md", "reference/config.md", "reference/quantities.md"}
