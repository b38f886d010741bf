# What only the study of glasses has: how robust networks are, and what there is to be known at best. Each depends on its own section of `evaluation`.


rule robustness:
    message:
        "Distorting test scans for the model {wildcards.model}"
    input:
        study.run_path("{model}") / "model.keras",
        study.run_path("{model}") / "run.json",
    output:
        data=study.robustness_path("{model}"),
        table=study.robustness_path("{model}").with_suffix(".csv"),
    log:
        f"{study.output}/logs/robustness-{{model}}.log",
    benchmark:
        f"{study.output}/benchmarks/robustness-{{model}}.tsv"
    params:
        robustness=study.evaluation.robustness.digest(),
        cpn_max=study.evaluation.cpn_max,
    threads: 2
    resources:
        **asks("robustness"),
    shell:
        "lehr robustness {CONFIG:q} --model {wildcards.model} 2>&1 | tee {log:q}"


rule limits:
    message:
        "Fitting test scans of the subset {wildcards.subset} on {resources.tasks} MPI ranks"
    input:
        study.manifest_path("{subset}"),
    output:
        data=study.limits_path("{subset}"),
        table=study.limits_path("{subset}").with_suffix(".csv"),
    log:
        f"{study.output}/logs/limits-{{subset}}.log",
    benchmark:
        f"{study.output}/benchmarks/limits-{{subset}}.tsv"
    params:
        limits=study.evaluation.limits.digest(),
        cpn_max=study.evaluation.cpn_max,
    threads: study.ranks.evaluate
    resources:
        launcher="mpiexec -n",
        **asks("limits", study.ranks.evaluate),
    shell:
        "OMP_NUM_THREADS=1 {resources.launcher} {resources.tasks} lehr limits {CONFIG:q} --subset {wildcards.subset} "
        "--ranks {resources.tasks} 2>&1 | tee {log:q}"
