"""Atomic writes of small files, checksums, and a file lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lehr.errors import LehrError

__all__ = ["atomic_path", "file_checksum", "locked", "read_json", "write_bytes", "write_json", "write_text"]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path, and rename what was written there to `path` when the block ends without an error.

    The write is atomic: a reader sees the old file or the new one, never half.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically, see `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file as `write_bytes` does."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, then: str) -> dict[str, Any]:
    """Read a JSON file; `then` says what to do if it is missing or damaged.

    Raises
    ------
    LehrError
        If the file is missing or holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LehrError(f"{path}: cannot be read: {error.strerror}", then) from None
    except ValueError:
        raise LehrError(f"{path}: damaged: not JSON", then) from None
    if not isinstance(content, dict):
        raise LehrError(f"{path}: damaged: not a JSON object", then)
    return content


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold a file lock; while another process holds it, tell `waiting` which one that is, and wait.

    Where the file system does not know locks, nobody waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            waiting(file.read())
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass
        job = os.environ.get("SLURM_JOB_ID")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}" + (f", Slurm job {job}" if job else ""))
        file.flush()
        yield
