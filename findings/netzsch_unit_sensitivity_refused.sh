#!/usr/bin/env bash
# pyngb 0.6.1: a DSC sensitivity that a NETZSCH file states to be 1 µV/mW everywhere is refused as invalid.
#
# Guess:     `apply_dsc_calibration` turns µV into mW for every valid file. Where the run was measured with the constant
#            sensitivity that Proteus ships for calibrating (SENSZERO.EXX), it divides by 1 or says that this is no
#            calibration.
# Behaviour: such a file has p0 = 3 and p1 to p5 = 0, and the function knows only the curve that is scaled by 1/p1: a
#            ValueError that calls the constants invalid. Yet pyngb itself reads from the file that the sensitivity is 1
#            at all standards. So two files of one instrument and one day end in different units, mW and µV.
#            pyngb documents the error for p1 = 0, but not that a valid file can have it.
# Input:     two measurements in pyngb's source distribution.
# Seen:      2026-12-01, Python 3.11:
#   same instrument and day: True
#   01: p0..p5 = 156.6 553.552 1.16152 -0.132636 0 0
#   01: sensitivity at its 4 standards: 0.8767 to 1.1615 µV/mW
#   01: calibrated: mW
#   02: p0..p5 = 3 0 0 0 0 0, from SENSZERO.EXX
#   02: sensitivity at its 12 standards: 1.0000 to 1.0000 µV/mW
#   02: ValueError: Invalid calibration constants: p1 (temperature scale) is zero
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{
    "${PYTHON:-python3}" -m venv venv &&
    venv/bin/pip install -q pyngb==0.6.1 numpy==2.4.6 polars==2.1.0 pyarrow==26.0.1 scipy==1.17.1 &&
    venv/bin/pip download -q --no-deps --no-binary pyngb pyngb==0.6.1 &&
    tar -xzf pyngb-0.6.1.tar.gz
} || { echo "not tried: the packages could not be installed" >&2; exit 2; }

venv/bin/python - >seen <<'PY'
import json

import pyngb

FILES = "pyngb-0.6.1/tests/test_files/"
NAMES = {"01": "01_Messung_Probe_G_300_Grad_Ar.ngb-ds3", "02": "02_Messung_Probe_E_300_Grad_Ar.ngb-ds3"}
tables = {key: pyngb.read_ngb(FILES + name, run="corrected") for key, name in NAMES.items()}
abouts = {key: json.loads(table.schema.metadata[b"file_metadata"]) for key, table in tables.items()}
made = {(about["instrument"], about["date_performed"][:10]) for about in abouts.values()}
print("same instrument and day:", len(made) == 1)
for key, about in abouts.items():
    record = about["sensitivity_calibration"]
    constants = " ".join(f"{value:.6g}" for _, value in sorted(about["calibration_constants"].items()))
    zero = ", from SENSZERO.EXX" if record["record_path"].endswith("SENSZERO.EXX") else ""
    print(f"{key}: p0..p5 = {constants}{zero}")
    fitted = [point["fitted_sensitivity"] for point in record["fixpoints"]]
    print(f"{key}: sensitivity at its {len(fitted)} standards: {min(fitted):.4f} to {max(fitted):.4f} µV/mW")
    try:
        print(f"{key}: calibrated:", pyngb.get_column_units(pyngb.apply_dsc_calibration(tables[key]), "dsc_signal"))
    except ValueError as error:
        print(f"{key}: ValueError:", error)
PY
cat seen
cat >expected <<'EOF'
same instrument and day: True
01: p0..p5 = 156.6 553.552 1.16152 -0.132636 0 0
01: sensitivity at its 4 standards: 0.8767 to 1.1615 µV/mW
01: calibrated: mW
02: p0..p5 = 3 0 0 0 0 0, from SENSZERO.EXX
02: sensitivity at its 12 standards: 1.0000 to 1.0000 µV/mW
02: ValueError: Invalid calibration constants: p1 (temperature scale) is zero
EOF
diff -u expected seen >changes || { echo "changed (- as described, + now):"; cat changes; exit 1; } >&2
echo "as described"
