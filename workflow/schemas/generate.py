"""Write the default config and the JSON Schema of configs from the pydantic models, or check that they are current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lehr.config.generate import default_yaml, json_schema
from lehr.glass.config import GlassRun
from lehr.studies import AnyRun

HEADER = """\
# Every key with its default: the reproduction of the paper at full size.
# Generated from the models in src/lehr by `python workflow/schemas/generate.py`; do not edit. A config names only what
# differs.
# yaml-language-server: $schema=../schemas/config.schema.json

"""


def main() -> int:
    """Write both files below a repository root, or check that they are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the repository (default: here)")
    options = parser.parse_args()
    files = {
        options.root / "workflow/config/default.yaml": HEADER + default_yaml(GlassRun()),
        options.root / "workflow/schemas/config.schema.json": json_schema(AnyRun),
    }
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if options.check:
            print(f"{path} is not current: run `python workflow/schemas/generate.py`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {path}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
