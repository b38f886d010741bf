# One HTML page of everything, with its figures and tables as files. `snakemake --report` takes them in as well.


rule report:
    message:
        "Writing the report"
    input:
        [study.manifest_path(subset) for subset in study.subsets],
        [study.run_path(model.name) / name for model in study.models for name in ("model.keras", "history.csv", "run.json")],
        [study.evaluation_path(*test) / name for test in study.tests for name in ("test.nc", "metrics.json")],
        study.extra_results(),
    output:
        page=report(study.report_path, caption="../report/page.rst", category="Report"),
        figures=report(
            directory(study.report_path.with_name("figures")),
            patterns=["{name}.png"],
            caption="../report/figure.rst",
            category="Figures",
        ),
        tables=report(
            directory(study.report_path.with_name("tables")),
            patterns=["{name}.csv"],
            caption="../report/table.rst",
            category="Tables",
        ),
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
