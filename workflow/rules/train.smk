# One network for each model of the config: Horovod ranks train it together. The checkpoints in the run folder are no
# outputs, which Snakemake would delete when a job fails: the next run goes on from the last.


rule train:
    message:
        "Training the model {wildcards.model} on {resources.tasks} Horovod ranks"
    input:
        lambda wildcards: study.manifest_path(study.model(wildcards.model).subset),
    output:
        network=study.run_path("{model}") / "model.keras",
        history=study.run_path("{model}") / "history.csv",
        run=study.run_path("{model}") / "run.json",
    log:
        f"{study.output}/logs/train-{{model}}.log",
    benchmark:
        f"{study.output}/benchmarks/train-{{model}}.tsv"
    params:
        training=lambda wildcards: study.training_digests(wildcards.model),
    threads: study.ranks.train
    resources:
        launcher="horovodrun --gloo -np",
        **asks("train", study.ranks.train),
    shell:
        "{resources.launcher} {resources.tasks} "
        "lehr train {CONFIG:q} --model {wildcards.model} --ranks {resources.tasks} 2>&1 | tee {log:q}"
