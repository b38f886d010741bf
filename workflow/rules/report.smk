# One HTML page of everything.


rule report:
    message:
        "Writing the report"
    input:
        [study.manifest_path(subset) for subset in study.subsets],
        [study.run_path(model.name) / name for model in study.models for name in ("model.keras", "history.csv", "run.json")],
        [
            study.evaluation_path(model.name) / name
            for model in study.models
            for name in ("predictions.csv", "metrics.json")
        ],
    output:
        study.report_path,
    log:
        f"{study.output}/logs/report.log",
    benchmark:
        f"{study.output}/benchmarks/report.tsv"
    params:
        config=study.digest(),
    resources:
        mem_mb=asks("report", "mem_mb"),
        runtime=asks("report", "runtime"),
    shell:
        "lehr report {CONFIG:q} 2>&1 | tee {log:q}"
