"""A small study for the report: networks whose answers are near the truth, with all that is measured of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from trained import NAMES, config_beside, distort, measure_limits, record

from lehr.evaluation import RunReference, evaluate, predict
from lehr.generate.driver import generate
from lehr.glass.config import GlassRun
from lehr.glass.config.run import GlassModel
from lehr.report import write_report
from lehr.studies import load_run
from lehr.study import Columns


@dataclass(frozen=True)
class Study:
    """A report, the config that it is about, and what it said is missing."""

    config: GlassRun
    path: Path
    problems: list[str]


MODELS = (
    GlassModel(name="C", subset="C"),
    GlassModel(name="C-cells", subset="C", split_by="cell"),
    GlassModel(name="G", subset="G"),
)


def answer(columns: Columns) -> Columns:
    """Answer with what simple moments of the scans give: not right, but different for each sample."""
    cpn = np.asarray(columns["cpn"], dtype=float)
    place = np.argmax(cpn > 0.5, axis=2).mean(axis=1) / cpn.shape[2]
    height = np.clip(cpn.max(axis=(1, 2)), 1.0, 4.0)
    answers = (-300.0 + 300.0 * place, 400e3 + 1e6 * place, 0.25 * height, 1.1 - 0.2 * height)
    return dict(zip(NAMES, answers, strict=True))


def study(tiny: GlassRun, folder: Path) -> GlassRun:
    """Simulate a second subset beside the small store and measure three networks in all ways."""
    config = config_beside(tiny, folder, *MODELS).model_copy(update={"subsets": ("C", "G")})
    store = folder / "signals.zarr"
    store.unlink()
    store.mkdir()
    for part in tiny.store_path.iterdir():
        (store / part.name).symlink_to(part)
    generate(config, "G")
    limits = {"samples": 2, "noise": [0, 0.01], "starts": 1}
    robustness = {"samples": 16, "white_noise": [0.001, 0.01], "thermal_lag": [1], "temperature_offset": [1]}
    section = config.evaluation.model_validate({"limits": limits, "robustness": robustness})
    config = config.model_copy(update={"evaluation": section})
    for model in config.models:
        config.run_path(model.name).mkdir(parents=True)
        (config.run_path(model.name) / "model.keras").write_bytes(model.name.encode())
        record(config, model.name)
        for subset in config.subsets:
            evaluate(RunReference(config, model.name), subset)
        distort(RunReference(config, model.name))
    for subset in config.subsets:
        measure_limits(config, subset)
    return config


def reported(tiny: GlassRun, folder: Path) -> Study:
    """Make the study and its report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "predictor", lambda *_: answer)
        config = study(tiny, folder / "results")
        path = folder / "study.yaml"
        path.write_text(config.model_dump_json())
        report, problems = write_report([path], load_run)
    return Study(config, report, problems)
