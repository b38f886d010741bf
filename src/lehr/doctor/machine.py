"""The machine: cores, GPUs, disk."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path

from lehr.doctor.checks import Check, State, execute

__all__ = ["cpu", "disk", "file_system", "gpus"]

QUERY_SECONDS = 30.0
"""Time limit of nvidia-smi, which waits for a driver that is being loaded."""

_SIMD = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl", "asimd", "sve")
_PARALLEL = frozenset({"beegfs", "ceph", "fuse.ceph", "gpfs", "lustre", "panfs", "pvfs2", "wekafs"})
_REMOTE = frozenset({"9p", "afs", "cifs", "fuse.glusterfs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"})


def cpu() -> list[Check]:
    """Return the processor, the cores that this process may use, and the vector instructions."""
    about = dict(re.findall(r"^(model name|flags|Features)\s*:\s*(.*)$", _kernel_text("cpuinfo"), re.MULTILINE))
    flags = (about.get("flags") or about.get("Features", "")).split()
    return [
        Check("CPU", about.get("model name") or platform.machine()),
        Check("cores", f"{len(os.sched_getaffinity(0))} allowed of {os.cpu_count()}"),
        Check("SIMD", " ".join(name for name in _SIMD if name in flags) or "unknown"),
    ]


def gpus(tensorflow: Check) -> list[Check]:
    """Return what the driver sees, and whether TensorFlow, by its own row, sees it too."""
    path = shutil.which("nvidia-smi")
    if path is None:
        return [Check("GPUs", "none: no nvidia-smi on PATH")]
    query = [path, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    output, problem = execute(query, QUERY_SECONDS)
    if problem or not output:
        advice = "Load the driver, or ask the scheduler for a GPU"
        return [Check("GPUs", problem or "nvidia-smi lists none", State.NOTE, advice)]
    driver = Check("GPUs", "; ".join(output.splitlines()))
    if "GPUs: 0" not in tensorflow.value:
        return [driver]
    advice = "Use an environment with tensorflow[and-cuda] in place of tensorflow-cpu: make install LOCK=gpu"
    return [driver, Check("GPUs in use", "TensorFlow sees none of them", State.NOTE, advice)]


def disk(store: Path) -> list[Check]:
    """Judge the disk on which a folder lies, or will lie."""
    wanted = folder = store.resolve()
    elsewhere = "Choose another one: key `output` of the config"
    try:
        while not folder.exists():
            folder = folder.parent
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return [Check("folder", f"{wanted}: {error.strerror}", State.NOTE, elsewhere)]
    writable = os.access(folder, os.W_OK)
    return [
        Check("folder", str(wanted)) if writable else Check("folder", f"{folder} is read-only", State.NOTE, elsewhere),
        Check("free", f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} GiB"),
        _check_file_system(file_system(folder, _kernel_text("self/mounts"))),
    ]


def file_system(folder: Path, mounts: str) -> str:
    """Return the type of the file system of an absolute path, from the text of /proc/self/mounts."""
    kind, depth = "unknown", 0
    for line in mounts.splitlines():
        _, point, name, *_ = line.split(" ")
        # A space in a mount point is written \040 there, and so on.
        where = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point))
        if folder.is_relative_to(where) and len(where.parts) >= depth:  # the last of equals hides the others
            kind, depth = name, len(where.parts)
    return kind


def _check_file_system(kind: str) -> Check:
    advice = ""
    if kind in _REMOTE:
        advice = (
            "Over the network: other nodes see a new file late, so run Snakemake with --latency-wait 60, and training "
            "reads much, so copy the store to a disk of the node"
        )
    elif kind in _PARALLEL:
        advice = "Good at few large files: keep signals.storage.rows_per_part high, and the environment elsewhere"
    elif kind in {"ramfs", "tmpfs"}:
        advice = "In memory: results end with the machine and take up its memory"
    return Check("file system", kind, State.NOTE if advice else State.OK, advice)


def _kernel_text(name: str) -> str:
    try:
        return Path("/proc", name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
