"""The dataset card: the README.md that lies in each complete subset."""

from __future__ import annotations

from typing import Any

import yaml

from lehr.glass.config.program import ProgramConfig, ProgramFile
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.tnm import Status

__all__ = ["card"]

_TEMPLATE = """\
# Heating scans of simulated glasses: subset {subset}

{samples:,} glasses of the Tool-Narayanaswamy-Moynihan (TNM) model. For each: {cycles} DSC heating scans of the
normalised heat capacity CpN = dTf/dT at {points:,} temperatures from {start:g} to {stop:g} degC, the four parameters
(ln A, activation energy, non-linearity x, non-exponentiality beta) and the fictive temperature Tf' before each scan.

{program}

| | |
| --- | --- |
| raw size as float32 | {raw:.2f} GB |
| signals on disk | {disk:.2f} GB, {per_sample:.2f} kB a sample |
| error | simulation: {tolerance:g} at 99.9 % of the points where CpN,max <= 6; storage: 6.1e-5 |
{statuses}
| CpN,max above 6, left out by the paper | {above:,} |

## Open it

```python
import xarray
data = xarray.open_zarr("{subset}")        # this folder; values are physical, coordinates have units
data.cpn.isel(sample=0).plot(x="temperature", hue="cycle")
```

Zarr v3 with sharding: zarr-python 3, tensorstore (driver `zarr3`) and others open it. Order of samples: the index in
the state space ascends. Samples whose `status` is not 0 are not to be used.

## Splits

Both are drawn by a hash of the parameters (seed {seed}): a sample is in the same split in every data set that has it.
`split_by_sample` is the random split of the paper. In a dense grid it measures interpolation between nearest
neighbours; `split_by_cell` keeps all glasses of one (delta_h, ln A) in one split.

| good samples | train | validation | test |
| --- | --- | --- | --- |
{splits}

Mean and standard deviation of each scan over the training split are in the attributes `train_moments` of the two
arrays.

## How it was made

{code}. The full recipe, as a config of lehr has it:

```yaml
{recipe}```

`sha256sum --check --quiet SHA256SUMS` finds damaged files; `lehr dataset verify` also simulates some samples anew.

The study that this data set reproduces: Materials Chemistry and Physics 329 (2025) 130107. CITATION.cff of lehr says
how to cite the software.
"""


def card(about: dict[str, Any], config: SignalsConfig, summary: dict[str, Any], signal_bytes: int) -> str:
    """Return the text of the card.

    Parameters
    ----------
    about : dict
        What lehr has written into the attributes of the group.
    config : SignalsConfig
        How the signals were made.
    summary : dict
        Counts of samples, statuses and splits; see `lehr.store.complete.finalise`.
    signal_bytes : int
        Size of all shards.
    """
    code, temperature = about["code"], config.temperature
    points, cycles = temperature.points, config.program.cycle_count
    samples = summary["samples"]
    statuses = [
        f"| status {number}: {Status(int(number)).message} | {count:,} |"
        for number, count in summary["status_counts"].items()
    ]
    splits = [
        f"| `{name}` | " + " | ".join(f"{count:,}" for count in split["samples"].values()) + " |"
        for name, split in summary["splits"].items()
    ]
    made = [f"lehr {code['version']}", f"git {code['git']}" if code["git"] else "", f"code {code['numerics']}"]
    made += [f"{name} {version}" for name, version in about["packages"].items()]
    return _TEMPLATE.format(
        subset=summary["subset"],
        samples=samples,
        cycles=cycles,
        points=points,
        start=temperature.start,
        stop=temperature.stop,
        program=_program(config.program),
        raw=samples * cycles * points * 4 / 1e9,
        disk=signal_bytes / 1e9,
        per_sample=signal_bytes / 1e3 / samples,
        tolerance=config.tolerance,
        statuses="\n".join(statuses),
        above=summary["peaks_above_6"],
        seed=summary["split"]["seed"],
        splits="\n".join(splits),
        code=", ".join(word for word in made if word),
        recipe=yaml.safe_dump({"signals": about["signals"]}, sort_keys=False, default_flow_style=None),
    )


def _program(program: ProgramConfig | ProgramFile) -> str:
    if isinstance(program, ProgramFile):
        return (
            "Each glass goes through the thermal program of the recipe below; the last segment of a cycle is recorded."
        )
    rates = ", ".join(f"{rate:g}" for rate in program.cooling_rates)
    return (
        f"Each scan heats at {program.heating_rate:g} K/min a glass that was cooled from equilibrium at {rates} "
        "K/min, in this order."
    )
