# Signals of a subset: MPI ranks share its parts; a second run computes only the parts that are missing.


rule simulate:
    message:
        "Simulating the subset {wildcards.subset} on {resources.tasks} MPI ranks"
    output:
        study.manifest_path("{subset}"),
    log:
        f"{study.output}/logs/simulate-{{subset}}.log",
    benchmark:
        f"{study.output}/benchmarks/simulate-{{subset}}.tsv"
    params:
        signals=study.signals.digest(),
    # On one machine a rank takes a core. A cluster profile sets threads to 1: there, tasks counts the ranks.
    threads: study.ranks.simulate
    resources:
        tasks=study.ranks.simulate,
        mpi="mpiexec",
    shell:
        "OMP_NUM_THREADS=1 {resources.mpi} -n {resources.tasks} "
        "lehr dataset generate {CONFIG:q} --subset {wildcards.subset} --ranks {resources.tasks} 2>&1 | tee {log:q}"
