# Signals of a subset: each job simulates a block of its parts on MPI ranks that share them, then the subset is completed.
# A second run computes only the parts that are missing.


rule simulate:
    message:
        "Simulating the subset {wildcards.subset}, block {wildcards.block} of {study.ranks.blocks}, on {resources.tasks} MPI ranks"
    output:
        touch(study.block_path("{subset}", "{block}")),
    log:
        f"{study.output}/logs/simulate-{{subset}}-{{block}}.log",
    benchmark:
        f"{study.output}/benchmarks/simulate-{{subset}}-{{block}}.tsv"
    params:
        samples=study.sample_digests(),
    # On one machine a rank takes a core. A cluster profile sets cpus_per_task: there, tasks counts the ranks.
    threads: study.ranks.simulate
    resources:
        launcher="mpiexec -n",
        **asks("simulate", study.ranks.simulate),
    shell:
        "OMP_NUM_THREADS=1 {resources.launcher} {resources.tasks} lehr dataset generate {CONFIG:q} "
        "--subset {wildcards.subset} --block {wildcards.block}/{study.ranks.blocks} --ranks {resources.tasks} "
        "2>&1 | tee {log:q}"


rule finalise:
    message:
        "Completing the subset {wildcards.subset}"
    input:
        lambda wildcards: [study.block_path(wildcards.subset, block) for block in range(1, study.ranks.blocks + 1)],
    output:
        study.manifest_path("{subset}"),
    log:
        f"{study.output}/logs/finalise-{{subset}}.log",
    benchmark:
        f"{study.output}/benchmarks/finalise-{{subset}}.tsv"
    params:
        split=study.split.digest(),
    resources:
        **asks("finalise"),
    shell:
        "lehr dataset finalise {CONFIG:q} --subset {wildcards.subset} 2>&1 | tee {log:q}"


rule dataset:
    message:
        "All subsets are simulated"
    input:
        [study.manifest_path(subset) for subset in study.subsets],
