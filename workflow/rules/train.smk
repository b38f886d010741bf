# One network for each model of the config: Horovod ranks train it together. The checkpoints in the run folder are no
# outputs, which Snakemake would delete when a job fails: the next run goes on from the last.


def training_digest(wildcards):
    """What a training depends on besides its signals; a change of anything else does not train again."""
    model = wildcards.model
    sections = (study.signals, study.split_of(model), study.network, study.training, study.loss_weights(model), study.ranks.train)
    return [getattr(section, "digest", lambda section=section: section)() for section in sections]


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
        training=training_digest,
    threads: study.ranks.train
    resources:
        launcher="horovodrun --gloo -np",
        **asks("train", study.ranks.train),
    shell:
        "{resources.launcher} {resources.tasks} "
        "lehr train {CONFIG:q} --model {wildcards.model} --ranks {resources.tasks} 2>&1 | tee {log:q}"
