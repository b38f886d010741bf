# Errors of a network on the test split of a subset: its own, and with evaluation.transfer each that is simulated. MPI ranks
# share the samples.


rule evaluate:
    message:
        "Testing the model {wildcards.model} on {wildcards.subset}, on {resources.tasks} MPI ranks"
    input:
        study.run_path("{model}") / "model.keras",
        study.run_path("{model}") / "run.json",
        study.manifest_path("{subset}"),
    output:
        [study.evaluation_path("{model}", "{subset}") / name for name in ("test.nc", "metrics.json", "table.csv", "table.md")],
    log:
        f"{study.output}/logs/evaluate-{{model}}-{{subset}}.log",
    benchmark:
        f"{study.output}/benchmarks/evaluate-{{model}}-{{subset}}.tsv"
    params:
        limit=study.findings().limit[1],
        batch_size=study.evaluation.batch_size,
    # On one machine a rank takes a core. A cluster profile sets cpus_per_task: there, tasks counts the ranks.
    threads: study.ranks.evaluate
    resources:
        launcher="mpiexec -n",
        **asks("evaluate", study.ranks.evaluate),
    shell:
        "OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 "
        "{resources.launcher} {resources.tasks} lehr evaluate {CONFIG:q} --model {wildcards.model} "
        "--on {wildcards.subset} --ranks {resources.tasks} 2>&1 | tee {log:q}"
