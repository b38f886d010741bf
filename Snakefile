# The whole run of a config: simulate -> finalise -> train -> evaluate -> report.
#
#   snakemake --configfile workflow/config/demo.yaml --cores 2             the report; without models, the data set
#   snakemake dataset --configfile workflow/config/demo.yaml --cores 2     the data set only
#
# Rules call the command line `lehr`, which reads the config file itself. Outputs are receipts, manifests and run
# folders; the Zarr store is not an output, because Snakemake deletes the outputs of a failed job.

from lehr.config import load_config
from lehr.errors import LehrError
from snakemake.exceptions import WorkflowError

if len(workflow.configfiles) != 1 or workflow.config_settings.config:
    raise WorkflowError(
        "Give one config file and no --config: snakemake --configfile workflow/config/demo.yaml --cores 2"
    )
CONFIG = str(workflow.configfiles[0])
try:
    study = load_config(CONFIG)
except LehrError as error:
    raise WorkflowError(str(error))


wildcard_constraints:
    subset="|".join(study.subsets),
    model="|".join(model.name for model in study.models) or "no-models",
    block="[0-9]+",


rule all:
    default_target: True
    input:
        study.report_path if study.models else [study.manifest_path(subset) for subset in study.subsets],


include: "workflow/rules/simulate.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/estimator.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/limits.smk"
include: "workflow/rules/report.smk"
