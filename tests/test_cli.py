"""The command line as people meet it: help, output, errors."""

from __future__ import annotations

import argparse
import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TINY, run, write_config

from lehr.cli import GROUPS, build_parser, main
from lehr.cli.reference import markdown, verbs
from lehr.doctor.installation import how_to_install
from lehr.glass.quantities import CPN_MAX

Lehr = Callable[..., subprocess.CompletedProcess[str]]
VERBS = [verb.prog.removeprefix("lehr ") for verb in verbs(build_parser())]
"""All verbs, such as "simulate", "dataset", "dataset plan"."""


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help(lehr: Lehr, verb: str) -> None:
    done = lehr(*verb.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: lehr {verb}".rstrip())
    *_, what, example = done.stdout.splitlines()
    assert example.startswith("  ")
    if verb:
        assert what == "example:"
        assert f"lehr {verb} " in f"{example} "


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_file_of_its_name(verb: str) -> None:
    module = import_module(f"lehr.cli.{verb.replace(' ', '.').replace('-', '_')}")
    assert module.ABOUT
    assert module.DETAILS in ("", module.DETAILS.strip())
    if hasattr(module, "VERBS"):
        assert [f"{verb} {name}" for name in module.VERBS] == [name for name in VERBS if name.startswith(f"{verb} ")]
        return
    parser = argparse.ArgumentParser()
    assert module.add_arguments(parser) is None
    assert module.run.__name__ == "run"
    _, _, words = f" {module.EXAMPLE}".partition(" lehr ")
    assert build_parser().parse_args(shlex.split(words)).run is module.run


def test_each_file_is_of_a_verb() -> None:
    """Nothing that a person cannot call lies among the verbs, but for what they share."""
    folder = Path(str(import_module("lehr.cli").__file__)).parent
    files = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py")]
    names = {" ".join(path.parts).removesuffix(" __init__").replace("fit_many", "fit-many") for path in files}
    assert names - set(VERBS) == {"__init__", "arguments", "fit_options", "output", "reference"}
    assert set(VERBS) <= names


@pytest.mark.parametrize("words", [(), ("dataset",), ("model",), ("estimator",)], ids=" ".join)
def test_without_a_verb_help_is_shown(lehr: Lehr, words: tuple[str, ...]) -> None:
    done = lehr(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == lehr(*words, "--help").stdout


def test_help_lists_the_verbs_in_their_groups(lehr: Lehr) -> None:
    lines = lehr("--help").stdout.splitlines()
    places = [lines.index(f"{title}:") for title in GROUPS]
    assert places == sorted(places)
    assert [line.split()[0] for line in lines[places[0] + 1 : places[0] + 6]] == [
        "simulate", "read", "fit", "fit-many", "design",
    ]  # fmt: skip


def test_reference_has_all_arguments_of_all_verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    page = markdown()
    for verb in verbs(build_parser()):
        section = page.split(f"# `{verb.prog}`\n")[1].split("\n#")[0]
        for action in verb._actions:
            for name in set(action.option_strings) - {"-h", "--help"}:
                assert f"`{name}" in section, verb.prog
    assert "| `--rows K` | samples to simulate again (default: 32) |" in page
    monkeypatch.setenv("COLUMNS", "40")
    assert markdown() == page


def test_help_loads_nothing_slow(lehr: Lehr) -> None:
    heavy = "{'pydantic', 'yaml', 'scipy', 'zarr', 'keras', 'matplotlib', 'xarray', 'mpi4py', 'jinja2', 'tqdm'}"
    code = f"import sys, lehr.cli; lehr.cli.build_parser(); print(sorted({heavy} & set(sys.modules)))"
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"


def modules_imported() -> set[str]:
    """Names of all packages that any module of lehr imports."""
    found: set[str] = set()
    for path in (ROOT / "src/lehr").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return {name.split(".")[0] for name in found}


def test_a_package_that_is_not_there_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)  # as if it were not installed
    assert main(["config", "none.yaml"]) == 2
    assert "this command needs yaml\n  Install it: pip install 'lehr[store]'" in capsys.readouterr().err
    optional = modules_imported() - set(sys.stdlib_module_names) - {"lehr", "numpy"}
    assert {"scipy", "keras", "matplotlib", "emcee"} <= optional
    assert [name for name in sorted(optional) if not how_to_install(name)] == ["mpl_toolkits"]  # of Matplotlib


def test_version(lehr: Lehr) -> None:
    assert lehr("--version").stdout.startswith("lehr 0.")


def test_simulate_prints_the_reference_peak_and_writes_csv(lehr: Lehr, tmp_path: Path) -> None:
    done = lehr("simulate", "--material", "As2Se3", "--temperature", 0, 400, 0.05, "--csv", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    table = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
    assert table.shape == (8001, 7)
    assert table[:, 1].max() == pytest.approx(2.6106, abs=3e-3)  # converged reference value, 0.5 K/min
    assert "472." in done.stdout


def test_simulate_prints_labels_and_units_of_the_quantities(lehr: Lehr) -> None:
    words = ("simulate", "--ln-a", -79.21, "--delta-h", 318443.9, "--x", 0.57, "--beta", 0.71)
    first, second, head, *_ = lehr(*words).stdout.splitlines()
    assert first == "ln A = -79.21  Δh* = 318.444 kJ/mol  x = 0.57  β = 0.71"
    assert second.startswith("Tg (tau = 100 s) = 456.96 K")
    assert head.split("  ")[-1].strip() == "at (K)"
    assert CPN_MAX.label in head


def test_output_of_a_terminal_that_knows_only_ascii(lehr: Lehr) -> None:
    done = lehr("simulate", "--material", "As2Se3", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "?h* = 318.444 kJ/mol" in done.stdout


def test_simulate_draws(lehr: Lehr, tmp_path: Path) -> None:
    done = lehr("simulate", "--material", "a-Se", "--plot", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_model_summary_counts_and_draws(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "tiny.yaml", TINY)
    done = lehr("model", "summary", config, "--plot", tmp_path / "out.svg")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line[:1].isalpha()}
    assert lines["original_convolution_1"][1:] == ["6", "×", "(46", "×", "4)", "600", "214,272"]
    assert lines["branches"][1] == "24"
    assert int(lines["total"][1].replace(",", "")) > 600
    assert (tmp_path / "out.svg").read_text().startswith("<?xml")

    done = lehr("model", "summary", config, "--plot", tmp_path / "out.docx")
    assert done.returncode == 2
    assert "Name a PNG, PDF or SVG file" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("simulate", "--ln-a", "-79", "--delta-h", "3e5", "--x", "1.2", "--beta", "0.7"), "x = 1.2 is out of range"),
        (("simulate", "--ln-a", "-79"), "missing: --delta-h --x --beta"),
        (("simulate", "--material", "As2Se3", "--x", "0.5"), "exclude each other"),
        (("simulate", "--material", "cheese"), "no glass 'cheese'"),
        (("simulate", "--material", "As2Se3", "--temperature", "100", "50", "1"), "not an ascending range"),
        (("simulate", "--material", "As2Se3", "--csv", "/proc/none/out.csv"), "cannot write"),
        (("simulate", "--material", "As2Se3", "--cooling-rates", "-1"), "rate -1"),
        (("simulate", "--material", "As2Se3", "--program", "none.yaml"), "none.yaml: cannot read the file"),
        (("simulate", "--material", "As2Se3", "--program", "p.yaml", "--heating-rate", "5"), "exclude each other"),
        (("dataset", "plan", "none.yaml"), "none.yaml: cannot read the file"),
        (("train", "workflow/config/demo.yaml", "--model", "X"), "does not have the model 'X'"),
        (("dataset", "generate", "workflow/config/demo.yaml", "--subset", "LU"), "does not have the subset 'LU'"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(lehr: Lehr, words: tuple[str, ...], named: str) -> None:
    done = lehr(*words, cwd=ROOT)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_misspelt_key_through_the_command_line(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", {**TINY, "trainning": {}})
    done = lehr("dataset", "generate", config, "--subset", "C")
    assert done.returncode == 2
    assert "trainning: no such key; did you mean 'training'?" in done.stderr
    assert not (tmp_path / "results").exists()


def test_plan_computes_nothing(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", {})
    done = lehr("dataset", "plan", config)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert lines["C"][1] == "203401"
    assert lines["together"][1] == "1151485"  # 5 x 203,401 + 134,480
    assert not (tmp_path / "results").exists()


def test_import_is_light() -> None:
    heavy = ("pydantic", "zarr", "keras", "matplotlib", "xarray", "mpi4py")
    code = f"import sys, lehr; print([module for module in {heavy} if module in sys.modules])"
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"
