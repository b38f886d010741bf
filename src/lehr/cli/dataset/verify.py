"""``lehr dataset verify``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_store, subset_path

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "compare a subset with its checksums and receipts, and some samples with a new simulation"
DETAILS = "Ends with exit code 1 if something is wrong."
EXAMPLE = "lehr dataset verify results/demo/signals.zarr/C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_store(parser)
    parser.add_argument("--rows", type=_count, default=32, metavar="K", help="samples to simulate again (default: 32)")
    parser.add_argument("--seed", type=int, default=0, help="seed of their choice (default: 0)")


def run(options: argparse.Namespace) -> int:
    """Print what is wrong with a subset, and how to repair it."""
    from tqdm import tqdm

    from lehr.store import Store, read_about, verify
    from lehr.studies import load_source

    group = subset_path(options)
    source = load_source(read_about(group))
    samples = Store(group, source).samples
    total = sum(path.stat().st_size for path in group.rglob("*") if path.is_file())
    with tqdm(total=total, desc=f"verify {group.name}", unit="B", unit_scale=True, mininterval=0.5) as bar:
        found = verify(group, source, rows=options.rows, seed=options.seed, progress=bar.update)
    for fault in found:
        print(f"wrong: {fault.what}")
    parts = sorted({fault.part for fault in found if fault.part is not None})
    if parts:
        print(f"repair: lehr dataset generate CONFIG --subset {group.name} --parts {','.join(map(str, parts))}")
    elif found:
        print(f"repair: lehr dataset finalise CONFIG --subset {group.name}")
    else:
        print(f"{group}: all files as they were made, {min(options.rows, samples)} samples as simulated now")
    return 1 if found else 0


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of samples")
    return int(text)
