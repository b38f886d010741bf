"""``lehr dataset generate``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_config, add_subset, load_with_subset

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "simulate what is missing of a subset and complete it"
DETAILS = (
    "On several processes: mpiexec -n N lehr dataset generate ... "
    "The store is the same for any number of them. Interrupted, it goes on where it was."
)
EXAMPLE = "mpiexec -n 4 lehr dataset generate workflow/config/demo.yaml --subset C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    add_subset(parser)
    parser.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--block",
        type=_block,
        metavar="I/N",
        help="simulate only block I of N of the parts, a cluster job",
    )
    only.add_argument(
        "--parts",
        type=_parts,
        metavar="LIST",
        help="simulate these parts again, such as 3,17-20, as `verify` says",
    )
    parser.add_argument("--dry-run", action="store_true", help="print which parts would be simulated")


def run(options: argparse.Namespace) -> int:
    """Simulate a subset, under MPI or in one process."""
    from lehr import generate

    config = load_with_subset(options)
    if options.dry_run:
        parts = generate.pending(config, options.subset, block=options.block, parts=options.parts)
        samples = sum(part.rows for part in parts)
        print(f"{options.subset}: {len(parts)} parts with {samples} samples would be simulated")
        return 0
    generate.generate(config, options.subset, ranks=options.ranks, block=options.block, parts=options.parts)
    return 0


def _block(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a block; write 2/8 for the second of eight")
    return int(number), int(count)


def _parts(text: str) -> list[int]:
    numbers: list[int] = []
    for word in text.split(","):
        first, dash, last = word.partition("-")
        if not (first.isdigit() and (last.isdigit() or not dash) and int(first) <= int(last or first)):
            raise argparse.ArgumentTypeError(f"'{word}' is not a part; write 3,17-20")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
