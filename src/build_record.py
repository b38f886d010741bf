"""Print what `lehr.provenance` knows of the code it was built from; meson runs this."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main(root: Path) -> None:
    """Print the record of the source tree below `root`."""
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        git = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # a source distribution has no git
        git = None
    sys.stdout.write(json.dumps({"git": git}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
