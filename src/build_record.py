"""Print what `lehr.provenance` knows of the code it was built from; meson runs this."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

# All that decides the numbers of a data set.
NUMBERS = (
    "cython_ext/glass/*.c",
    "cython_ext/glass/*.h",
    "cython_ext/glass/*.pyx",
    "src/lehr/glass/tnm/*.py",
    "src/lehr/glass/tnm/*.npz",
    "src/lehr/glass/space/*.py",
    "src/lehr/store/encoding.py",
)


def main(root: Path) -> None:
    """Print the record of the source tree below `root`."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in NUMBERS for path in root.glob(pattern)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        git = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # a source distribution has no git
        git = None
    sys.stdout.write(json.dumps({"numerics": digest.hexdigest()[:16], "git": git}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
