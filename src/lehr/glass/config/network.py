"""The network of a config."""

from __future__ import annotations

from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lehr.config.section import Section

__all__ = ["AttentionFit", "BranchConfig", "NetworkConfig"]

AttentionFit = Literal["cubic", "piecewise"]


class BranchConfig(Section):
    """Kernel sizes of the three branches (section 2.2.2 of the paper)."""

    attention: int = Field(4, ge=1, description="branch of the significant segment")
    downsampling: int = Field(12, ge=1, description="branch of every k-th point")
    original: int = Field(24, ge=1, description="branch of the signal as it is")


class NetworkConfig(Section):
    """The multi-scale convolutional network (Fig. 4 to 7). Filters, pools, widths, dropout and eps are ours."""

    downsampling: int = Field(3, ge=1, description="the middle branch sees every k-th point")
    attention_points: int = Field(1000, ge=4, description="points at which the fitted segment is evaluated")
    attention_fit: AttentionFit = Field(
        "cubic", description="one cubic for the whole segment, as in the paper; piecewise: through four points each"
    )
    attention_threshold: float = Field(
        0.01, gt=0, lt=0.5, description="eps: a segment starts at CpN < eps, ends at |CpN - 1| < eps"
    )
    kernel_sizes: BranchConfig = Field(BranchConfig(), description="convolution kernels of the three branches")
    filters: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (8, 8, 8), min_length=1, description="filters for each channel, one entry for each convolution"
    )
    pool_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (4, 4, 4), min_length=1, description="max-pooling after each convolution"
    )
    branch_width: int = Field(32, ge=1, description="neurons of the dense layer that ends a branch")
    dropout: float = Field(0.05, ge=0, lt=1, description="dropout rate at the end of a branch")
    dense_widths: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (32, 32), description="dense layers after the branches"
    )

    @model_validator(mode="after")
    def _same_depth(self) -> NetworkConfig:
        if len(self.filters) != len(self.pool_sizes):
            raise ValueError("filters and pool_sizes must have the same number of entries")
        return self

    def lengths(self, points: int) -> dict[str, list[int]]:
        """Points in each branch, first before and then after each pooling, for signals of that many points."""
        begin = {
            "attention": self.attention_points,
            "downsampling": -(-points // self.downsampling),
            "original": points,
        }
        return {
            name: list(accumulate(self.pool_sizes, lambda left, pool: left // pool, initial=length))
            for name, length in begin.items()
        }
