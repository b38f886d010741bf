# Errors of a network on its test split.


rule evaluate:
    message:
        "Evaluating the model {wildcards.model}"
    input:
        study.run_path("{model}") / "model.keras",
        study.run_path("{model}") / "run.json",
    output:
        predictions=study.evaluation_path("{model}") / "predictions.csv",
        metrics=study.evaluation_path("{model}") / "metrics.json",
    log:
        f"{study.output}/logs/evaluate-{{model}}.log",
    benchmark:
        f"{study.output}/benchmarks/evaluate-{{model}}.tsv"
    params:
        evaluation=study.evaluation.digest(),
    threads: 2
    resources:
        mem_mb=asks("evaluate", "mem_mb"),
        runtime=asks("evaluate", "runtime"),
    shell:
        "lehr evaluate {CONFIG:q} --model {wildcards.model} 2>&1 | tee {log:q}"
