"""What a study is: the narrow interface between what is studied and the pipeline that carries it.

A study is a system that is simulated, learned and judged: glasses (`lehr.glass`). It brings a `Source`, which simulates
samples; a `Task`, which says what a network learns from them; and `Findings`, which say how good the network is and how
that is shown. All three speak of `Quantity` by name. The pipeline (`lehr.store`, `generate`, `training`, `evaluation`,
`report`) knows nothing else of a study, and imports none.

To add a column to a data set, add a `Quantity` to the results of its source and fill it in `simulate`. To add a study,
write a package with the modules of `lehr.glass` and name its run in `lehr.studies`.
"""

from lehr.study.findings import Claim, Distortion, Findings
from lehr.study.quantity import Columns, Quantity
from lehr.study.source import ExtraJob, Source, StoreText, Subset
from lehr.study.task import NetworkText, Task

__all__ = [
    "Claim",
    "Columns",
    "Distortion",
    "ExtraJob",
    "Findings",
    "NetworkText",
    "Quantity",
    "Source",
    "StoreText",
    "Subset",
    "Task",
]
