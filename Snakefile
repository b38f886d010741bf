# The whole run of a config: simulate -> train -> evaluate -> report.
#
#   snakemake --configfile workflow/config/demo.yaml --cores 2
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
    model="|".join(model.name for model in study.models),


rule all:
    default_target: True
    input:
        study.report_path,


include: "workflow/rules/simulate.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
