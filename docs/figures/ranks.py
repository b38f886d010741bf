"""Probe what a rank asks of a machine, for docs/results/scaling.md: `python docs/figures/ranks.py`.

Three minutes of one core, half a minute with --quick. Measured are the memory of a rank, its imports, the scan of
receipts and the completion of a store of made-up parts, and what two ranks lose if MPI takes them to be on two nodes.
Calls to the file system are counted by strace where it is installed. Scratch files: 2 GB, or a tenth with --quick.
"""

# ruff: noqa: E402

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lehr.generate.driver import finalise, generate, initialise, part_plan, pending
from lehr.glass.config import GlassRun
from lehr.store import Part, read_about
from lehr.store.receipts import Receipt, read_receipt, receipt_path, shard_path
from lehr.studies import load_run

LEHR = str(Path(sys.executable).with_name("lehr"))
IMPORTS = "import lehr.cli.dataset.generate, lehr.store, lehr.generate.driver; from mpi4py import MPI"


def say(text: str) -> None:
    print(text, flush=True)


def config_of(folder: Path, name: str, **content: Any) -> Path:
    """Write a config whose output is below the folder."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"output": str(folder / name), "models": [], **content}))
    return path


# --- memory, calls, imports ------------------------------------------------------------------------------------------


def run(command: list[str], **environment: str) -> tuple[float, float, str]:
    """Run a program; return wall seconds, processor seconds and what it printed."""
    before = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=printed, env={**os.environ, **environment})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{text}")
    return time.perf_counter() - before, usage.ru_utime + usage.ru_stime, text


def block_command(path: Path, subset: str, block: str) -> list[str]:
    return [LEHR, "dataset", "generate", str(path), "--subset", subset, "--block", block]


PEAK = "print('peak', [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"


def peak_mb(code: str, *arguments: str) -> float:
    """Peak memory of a Python program in MB; that of a child would start at what this process has."""
    printed = run([sys.executable, "-c", f"{code}\n{PEAK}", *arguments])[2]
    return int(printed.rpartition("peak")[2].split()[0]) * 1024 / 1e6


def memory(folder: Path, quick: bool) -> dict[str, Any]:
    """Peak memory of a rank that simulates one part at full resolution."""
    found: dict[str, Any] = {"after imports": peak_mb(IMPORTS)}
    for rows in (256,) if quick else (256, 512, 1024):
        path = config_of(folder, f"memory-{rows}", subsets=["C"], signals={"storage": {"rows_per_part": rows}})
        parts = len(part_plan(load_run(path), "C"))
        run([LEHR, "dataset", "init", str(path), "--subset", "C"])
        command = block_command(path, "C", f"{parts // 2}/{parts}")
        peak = peak_mb("from lehr.cli import main; main()", *command[1:])
        found[str(rows)] = {"part_MB": rows * 6 * 18501 * 4 / 1e6, "peak_MB": peak}
        shutil.rmtree(folder / f"memory-{rows}")
    say(f"memory: {json.dumps(found)}")
    return found


KINDS = {
    "close": "closes",
    "fsync": "syncs",
    "flock": "locks",
    "fcntl": "locks",
    "getdents64": "listings",
    "stat": "lookups",
    "lstat": "lookups",
    "access": "lookups",
}


def calls(command: list[str], folder: Path, below: str) -> Counter[str]:
    """Count what a program asks of the file system about paths below a folder, but for data and open files."""
    log = folder / "strace.log"
    run(["strace", "-f", "-y", "-s", "300", "-o", str(log), *command])
    found: Counter[str] = Counter()
    there: set[str] = set()
    with log.open(errors="replace") as lines:
        for line in lines:
            match = re.match(r"\d+ +(\w+)\((.*)", line)
            if match is None or below not in line:
                continue
            name, rest = match.groups()
            paths = re.findall(r'"([^"]+)"', rest)
            if name in ("open", "openat", "mkdir"):
                new = (name == "mkdir" or "O_CREAT" in rest) and paths[0] not in there and "EEXIST" not in rest
                found["changes" if new else "lookups" if name == "mkdir" else "opens"] += 1
                if new:
                    there.add(paths[0])
            elif name in ("rename", "unlink"):
                found["lookups" if "ENOENT" in rest else "changes"] += 1
                there.discard(paths[0])
            elif name == "newfstatat":
                found["lookups"] += bool(paths)
            elif name in KINDS:
                found[KINDS[name]] += 1
    log.unlink()
    return found


def calls_of_a_part(folder: Path) -> dict[str, float]:
    """Count the calls of a rank for one part: the difference of runs of 9 parts and of 1."""
    signals = {"temperature": {"step": 2}, "storage": {"rows_per_part": 64}}
    counted = []
    for parts in (1, 9):
        path = config_of(folder, f"calls-{parts}", subsets=["C"], signals=signals)
        run([LEHR, "dataset", "init", str(path), "--subset", "C"])
        total = len(part_plan(load_run(path), "C"))
        counted.append(calls(block_command(path, "C", f"1/{total // parts}"), folder, f"{folder}/calls-{parts}/"))
    made = list((folder / "calls-9").rglob("cpn/c/*"))
    below = [path for shard in made for path in (shard, *shard.rglob("*"))]
    found = {kind: (counted[1][kind] - counted[0][kind]) / 8 for kind in sorted(counted[1])}
    found["folders of a shard"] = sum(path.is_dir() for path in below) / len(made)
    say(f"calls of a part: {json.dumps(found)}")
    return found


def imports(folder: Path, quick: bool, strace: bool) -> dict[str, Any]:
    """Time of the imports of a rank, and the files it opens, tries to open and looks at on the shared file system."""
    runs = [run([sys.executable, "-c", IMPORTS]) for _ in range(1 if quick else 3)]
    found: dict[str, Any] = {"wall_s": min(r[0] for r in runs), "processor_s": min(r[1] for r in runs)}
    if strace:
        log = folder / "imports.log"
        run(["strace", "-f", "-s", "300", "-o", str(log), sys.executable, "-c", IMPORTS])
        counted: Counter[str] = Counter()
        for line in log.read_text(errors="replace").splitlines():
            match = re.match(
                r'\d+ +(openat|newfstatat|readlink|access|stat|getdents64)\((?:AT_FDCWD, )?"(/[^"]*)"', line
            )
            if match and not match[2].startswith(("/proc", "/sys", "/dev", "/etc", "/run")):
                missing = "ENOENT" in line
                counted[("missing" if missing else "opened") if match[1] == "openat" else "looked at"] += 1
        found |= counted
        log.unlink()
    environment = Path(sys.prefix)
    found["files of the environment"] = sum(len(files) for _, _, files in os.walk(environment))
    say(f"imports: {json.dumps(found)}")
    return found


# --- receipts --------------------------------------------------------------------------------------------------------


def made_up_store(config: GlassRun, subset: str, like: Path, part: Part) -> None:
    """Fill a store with receipts that have the arrays of a real one, and with shards of a few bytes."""
    initialise(config, subset)
    group, plan = config.group_path(subset), part_plan(config, subset)
    source, stamp = config.source(), read_about(group)["stamp"]
    real = read_receipt(like, source, part, read_about(like)["stamp"])
    assert real is not None
    (group / "receipts").mkdir(exist_ok=True)
    for number in range(len(plan)):
        this = plan.part(number)
        shard = shard_path(group, source.array, this)
        shard.parent.mkdir(parents=True)
        shard.write_bytes(b"no data")
        counts = {"0": this.rows}
        receipt = Receipt(
            number, this.start, this.stop, **stamp, shard_bytes=7, checksum="0" * 64, status_counts=counts, seconds=1.0
        )
        buffer = io.BytesIO()
        arrays = {name: np.resize(real[1][name], (this.rows, *real[1][name].shape[1:])) for name in real[1]}
        np.savez_compressed(buffer, receipt=np.array(json.dumps(asdict(receipt))), **arrays)
        receipt_path(group, this).write_bytes(buffer.getvalue())


def serial(path: Path, subset: str) -> None:
    """Print the seconds of what rank 0 does alone, in a process of its own."""
    config = load_run(path)

    def timed(action: Callable[[], object]) -> list[float]:
        wall, processor = time.perf_counter(), time.process_time()
        action()
        return [time.perf_counter() - wall, time.process_time() - processor]

    found: dict[str, Any] = {"scan": timed(lambda: pending(config, subset))}
    found["finalise"] = timed(lambda: finalise(config, subset))
    files = sum(len(names) for _, _, names in os.walk(config.group_path(subset)))
    found["other files"] = files - 2 * len(part_plan(config, subset))
    status = Path("/proc/self/status").read_text()
    found["peak_MB"] = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    print(json.dumps(found))


def receipts(folder: Path, quick: bool, strace: bool) -> dict[str, Any]:
    """Time what one rank does alone: scan of receipts and completion, warm cache."""
    found: dict[str, Any] = {}
    like_path = config_of(folder, "like", subsets=["C"], signals={"storage": {"rows_per_part": 1024}})
    like_config = load_run(like_path)
    initialise(like_config, "C")
    like_plan = part_plan(like_config, "C")
    generate(like_config, "C", block=(100, len(like_plan)))
    like = like_config.group_path("C")
    found["bytes"] = receipt_path(like, like_plan.part(99)).stat().st_size
    names = ["paper"] if quick else ["paper", "full"]
    for name in names:
        subset, rows = ("all", 1024) if name == "full" else ("C", 4096 if quick else 512)
        path = config_of(folder, f"made-{name}", subsets=[subset], signals={"storage": {"rows_per_part": rows}})
        config = load_run(path)
        started = time.perf_counter()
        initialise(config, subset)
        init = time.perf_counter() - started
        shutil.rmtree(config.group_path(subset))
        made_up_store(config, subset, like, like_plan.part(99))
        command = [sys.executable, __file__, "--serial", str(path), subset]
        found[name] = {"init_s": init, "parts": len(part_plan(config, subset)), **json.loads(run(command)[2])}
        if name == "paper" and strace:
            counted = calls(command, folder, f"{folder}/made-{name}/")
            found["calls of scan and finalise for a part"] = sum(counted.values()) / found[name]["parts"]
        shutil.rmtree(folder / f"made-{name}")
    say(f"receipts: {json.dumps(found)}")
    return found


# --- two nodes -------------------------------------------------------------------------------------------------------


def rank(path: Path, blocks: int) -> None:
    """Generate a block on the ranks of this program; rank 0 prints the wall time."""
    from mpi4py import MPI

    config = load_run(path)
    if MPI.COMM_WORLD.rank == 0:
        initialise(config, "C")
    MPI.COMM_WORLD.Barrier()
    started = time.perf_counter()
    generate(config, "C", block=(1, blocks))
    if MPI.COMM_WORLD.rank == 0:
        print(f"elapsed {time.perf_counter() - started}")


def two_nodes(folder: Path, quick: bool) -> dict[str, Any]:
    """Time two ranks that share memory and two that MPI takes to be on two nodes, in turn; the shortest counts."""
    places: dict[str, dict[str, str]] = {"one node": {}, "as two nodes": {"MPIR_CVAR_NOLOCAL": "1"}}
    seconds: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(1 if quick else 3):
        for name, environment in places.items():
            path = config_of(folder, "places", subsets=["C"])
            printed = run(["mpiexec", "-n", "2", sys.executable, __file__, "--rank", str(path), "128" if quick else "16"], **environment)[2]
            seconds[name].append(float(printed.partition("elapsed ")[2].split()[0]))
            shutil.rmtree(folder / "places")
    found = {name: min(times) for name, times in seconds.items()}
    say(f"two ranks, seconds: {json.dumps(found)}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer receipts and runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for scratch files (default: a temporary one)")
    parser.add_argument("--serial", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--rank", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serial:
        serial(Path(options.serial[0]), options.serial[1])
        return
    if options.rank:
        rank(Path(options.rank[0]), int(options.rank[1]))
        return
    strace = shutil.which("strace") is not None
    results: dict[str, Any] = {}
    say(f"load average at the start: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        results["memory"] = memory(folder, options.quick)
        results["imports"] = imports(folder, options.quick, strace)
        if strace:
            results["calls of a part"] = calls_of_a_part(folder)
        else:
            say("strace is not installed: no calls are counted")
        results["receipts"] = receipts(folder, options.quick, strace)
        if shutil.which("mpiexec"):
            results["two nodes"] = two_nodes(folder, options.quick)
    say(f"load average at the end: {os.getloadavg()[0]:.2f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
