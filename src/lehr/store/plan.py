"""The part plan: which rows belong together on disk, in a process and in a retry."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Part", "PartPlan"]


@dataclass(frozen=True)
class Part:
    """Rows start ... stop - 1 of a subset: one Zarr shard, one receipt, one unit of retry.

    Two processes that write into one shard lose data without an error, so a part is never shared.
    """

    number: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """Number of samples."""
        return self.stop - self.start


@dataclass(frozen=True)
class PartPlan:
    """Cuts `rows` samples into parts; it depends on the config alone, not on who computes them."""

    rows: int
    rows_per_part: int

    def __len__(self) -> int:
        return -(-self.rows // self.rows_per_part)

    def part(self, number: int) -> Part:
        """Return a part by number, 0 <= number < len(plan)."""
        if not 0 <= number < len(self):
            raise IndexError(f"part {number} of a plan of {len(self)}")
        start = number * self.rows_per_part
        return Part(number, start, min(start + self.rows_per_part, self.rows))

    def parts(self) -> list[Part]:
        """Return all parts in order."""
        return [self.part(number) for number in range(len(self))]
