"""The dataset card: the README.md that lies in each complete subset."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from lehr.store.layout import sample_bytes
from lehr.study import Columns, Source

__all__ = ["card"]

_TEMPLATE = """\
# {title}

{samples:,} samples. {description}

| | |
| --- | --- |
| raw size as {dtype} | {raw:.2f} GB |
| `{array}` on disk | {disk:.2f} GB, {per_sample:.2f} kB a sample |
{facts}

## Open it

```python
import xarray
data = xarray.open_zarr("{subset}")        # this folder; values are physical, coordinates have units
data.{array}.isel(sample=0)
```

Zarr v3 with sharding: zarr-python 3, tensorstore (driver `zarr3`) and others open it. Order of samples: the index
ascends. Samples whose `status` is not 0 are not to be used.

## Splits

They are drawn by a hash of the parameters (seed {seed}): a sample is in the same split in every data set that has it.
`split_by_sample` draws each sample; in a dense grid it measures interpolation between nearest neighbours. Another one
keeps in one split what its name says.

| good samples | train | validation | test |
| --- | --- | --- | --- |
{splits}

Mean and standard deviation over the training split are in the attributes `train_moments` of these arrays.

## How it was made

{code}. The full recipe, as a config of lehr has it:

```yaml
{recipe}```

`sha256sum --check --quiet SHA256SUMS` finds damaged files; `lehr dataset verify` also simulates some samples anew.
CITATION.cff of lehr says how to cite the software.
"""


def card(about: dict[str, Any], source: Source, results: Columns, summary: dict[str, Any], signal_bytes: int) -> str:
    """Return the text of the card.

    Parameters
    ----------
    about : dict
        What lehr has written into the attributes of the group.
    source : Source
        How the samples were made.
    results : dict of ndarray
        The results of all samples.
    summary : dict
        Counts of samples, statuses and splits; see `lehr.store.complete.finalise`.
    signal_bytes : int
        Size of all shards.
    """
    code, samples = about["code"], summary["samples"]
    text, dtype = source.text(summary["subset"], results), np.dtype(source.array.dtype)
    splits = [
        f"| `{name}` | " + " | ".join(f"{count:,}" for count in split["samples"].values()) + " |"
        for name, split in summary["splits"].items()
    ]
    made = [f"lehr {code['version']}", f"git {code['git']}" if code["git"] else "", f"numerics {about['numerics']}"]
    made += [f"{name} {version}" for name, version in about["packages"].items()]
    return _TEMPLATE.format(
        title=text.title,
        description=text.description,
        facts="\n".join(f"| {what} | {fact} |" for what, fact in text.facts.items()),
        array=source.array.name,
        dtype=dtype.name,
        subset=summary["subset"],
        samples=samples,
        raw=samples * sample_bytes(source) / 1e9,
        disk=signal_bytes / 1e9,
        per_sample=signal_bytes / 1e3 / samples,
        seed=summary["split"]["seed"],
        splits="\n".join(splits),
        code=", ".join(word for word in made if word),
        recipe=yaml.safe_dump(about["values"], sort_keys=False, default_flow_style=None),
    )
