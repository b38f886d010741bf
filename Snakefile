# The whole run of a config: simulate -> finalise -> train -> evaluate -> report.
#
#   snakemake --configfile workflow/config/demo.yaml --cores 2             the report; without models, the data set
#   snakemake dataset --configfile workflow/config/demo.yaml --cores 2     the data set only
#
# On a cluster a profile below slurm/ says how jobs are submitted and how ranks are started: docs/how-to/cluster.md. Rules say
# what a job needs anywhere: tasks, mem_mb, runtime, and with mpi that its command starts the tasks, if it has several.
#
# Rules call the command line `lehr`, which reads the config file itself. Outputs are receipts, manifests and run
# folders; the Zarr store is not an output, because Snakemake deletes the outputs of a failed job.

from functools import cache

from lehr.errors import LehrError
from lehr.studies import load_run
from snakemake.exceptions import WorkflowError

if len(workflow.configfiles) != 1 or workflow.config_settings.config:
    raise WorkflowError(
        "Give one config file and no --config: snakemake --configfile workflow/config/demo.yaml --cores 2"
    )
CONFIG = str(workflow.configfiles[0])
try:
    study = load_run(CONFIG)
except LehrError as error:
    raise WorkflowError(str(error))


report: "workflow/report/workflow.rst"


@cache
def costs():
    """What the subsets cost: by a probe of a second each, which is kept beside the store; a dry run does not probe."""
    from lehr.generate.cost import KnownCosts

    return KnownCosts(study, measure=not workflow.dryrun)


def asks(rule, ranks=1):
    """What a job of a rule asks for; memory in MB and time in minutes are more at each attempt."""

    def amount(wildcards, attempt, what):
        from lehr.generate.jobs import job  # imports all that simulates, which most calls of Snakemake do not need

        about = {name: wildcards.get(name, "") for name in ("subset", "model")}
        return getattr(job(study, costs(), rule, **about), what)(attempt)

    return {
        "tasks": ranks,
        "mpi": int(ranks > 1),
        "mem_mb": lambda wildcards, attempt: amount(wildcards, attempt, "mem_mb"),
        "runtime": lambda wildcards, attempt: amount(wildcards, attempt, "runtime"),
    }


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
include: "workflow/rules/report.smk"
include: f"workflow/rules/{study.study}.smk"
