# The estimator of measured scans, which no study needs: snakemake results/estimator/estimator.npz --configfile ... makes
# it anew; its own config is workflow/config/estimator.yaml. To ship it, copy it to src/lehr/glass/estimator/estimator.npz.


rule estimator:
    message:
        "Training the estimator"
    input:
        "workflow/config/estimator.yaml",
    output:
        "results/estimator/estimator.npz",
    log:
        "results/estimator/logs/train.log",
    threads: 2
    shell:
        "lehr estimator train {input:q} 2>&1 | tee {log:q}"
