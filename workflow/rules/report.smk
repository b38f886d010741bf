# One HTML page of everything.


rule report:
    message:
        "Writing the report"
    input:
        [study.manifest_path(subset) for subset in study.subsets],
        [study.run_path(model.name) / name for model in study.models for name in ("model.keras", "history.csv", "run.json")],
        [study.evaluation_path(*test) / name for test in study.tests for name in ("test.nc", "metrics.json")],
        [study.robustness_path(model.name) for model in study.models],
        [study.limits_path(subset) for subset in study.subsets],
    output:
        study.report_path,
    log:
        f"{study.output}/logs/report.log",
    benchmark:
        f"{study.output}/benchmarks/report.tsv"
    params:
        config=study.digest(),
    resources:
        **asks("report"),
    shell:
        "lehr report {CONFIG:q} 2>&1 | tee {log:q}"
