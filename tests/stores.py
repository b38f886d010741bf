"""What the tests of the store share: the content of its files, copies to be damaged, and a run to be interrupted."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from conftest import TINY, write_config

from lehr.cli import main
from lehr.glass.config import GlassRun
from lehr.studies import load_run
from lehr.study import Source

LONGER: dict[str, Any] = {
    **TINY,
    "signals": {
        **TINY["signals"],
        "state_space": {axis: {"start": 0.2, "stop": 1.0, "count": 5} for axis in ("x", "beta")},
        "storage": {"rows_per_part": 64, "rows_per_chunk": 8},
    },
}
"""3,025 samples in 48 parts: some seconds, enough to be interrupted in the middle."""


def tree(folder: Path) -> dict[str, str]:
    """Hash of each file below a folder; of receipts and manifests, all but the times in them.

    What Snakemake notes of its jobs is left out: other ways to the same store do without.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("block-"))
    assert files
    return {str(path.relative_to(folder)): hashlib.sha256(_content(path)).hexdigest() for path in files}


def _content(path: Path) -> bytes:
    if path.name == "manifest.json":
        return _without(path.read_text(), "core_seconds")
    if path.parent.name == "receipts" and path.suffix == ".npz":
        record, results = read_receipt(path)
        return _without(json.dumps(record), "seconds") + b"".join(results[name].tobytes() for name in sorted(results))
    return path.read_bytes()


def _without(text: str, time: str) -> bytes:
    content = json.loads(text)
    assert content.pop(time) >= 0
    return json.dumps(content, sort_keys=True).encode()


def untouched(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and times of each file but the lock: equal only if nobody wrote."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def read_receipt(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Record and arrays of a receipt."""
    with np.load(path) as content:
        return json.loads(str(content["receipt"])), {name: content[name] for name in content.files if name != "receipt"}


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def call(*words: str | Path) -> Done:
    """Run the command line in this process, which saves the imports; not for what starts MPI."""
    with redirect_stdout(io.StringIO()) as stdout, redirect_stderr(io.StringIO()) as stderr:
        try:
            code = main([str(word) for word in words])
        except SystemExit as usage:  # of argparse
            code = int(usage.code or 0)
    return Done(code, stdout.getvalue(), stderr.getvalue())


@dataclass(frozen=True)
class Copy:
    """A copy of the small complete store, with the config whose results it is."""

    config: Path
    group: Path

    @property
    def source(self) -> Source:
        """What the store holds."""
        return load_run(self.config).source()

    def shard(self, part: int) -> Path:
        """File of the signals of a part."""
        return self.group / f"cpn/c/{part}/0/0"

    def receipt(self, part: int) -> Path:
        """File of the receipt of a part."""
        return self.group / f"receipts/part-{part:06d}.npz"

    def reseal(self, names: Iterable[str]) -> None:
        """Make the checksums of some files true again, in all places that hold them."""
        path = self.group / "SHA256SUMS"
        sums = {name: digest for digest, name in (line.split(maxsplit=1) for line in path.read_text().splitlines())}
        for name in names:
            content = (self.group / name).read_bytes()
            sums[name] = hashlib.sha256(content).hexdigest()
            if name.startswith("cpn/c/"):
                receipt = self.receipt(int(name.split("/")[2]))
                record, results = read_receipt(receipt)
                record = {**record, "checksum": sums[name], "shard_bytes": len(content)}
                buffer = io.BytesIO()
                np.savez_compressed(buffer, receipt=np.array(json.dumps(record)), **results)
                receipt.write_bytes(buffer.getvalue())
        text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
        path.write_text(text)
        manifest = json.loads((self.group / "manifest.json").read_text())
        manifest["checksum"] = hashlib.sha256(text.encode()).hexdigest()
        (self.group / "manifest.json").write_text(json.dumps(manifest))


def copy_of(tiny: GlassRun, folder: Path) -> Copy:
    """Copy the small complete store."""
    config = write_config(folder / "c.yaml", TINY)
    shutil.copytree(tiny.store_path, folder / "results/signals.zarr")
    return Copy(config, folder / "results/signals.zarr/C")


def receipts_in(config: Path) -> list[Path]:
    """Receipts of the subset C below the config."""
    return sorted((config.parent / "results/signals.zarr/C/receipts").glob("part-*.npz"))
