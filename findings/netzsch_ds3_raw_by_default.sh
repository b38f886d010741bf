#!/usr/bin/env bash
# pyngb 0.6.1: a NETZSCH file of a sample with its correction is read as if the correction were not there.
#
# Guess:     a `.ngb-ds3` ("sample + correction") gives the corrected DSC signal, the curve that Proteus draws of it by
#            pyngb's own account.
# Behaviour: `read_ngb(path)` gives the raw run of the sample, and no warning. The correction is applied only with
#            `run="corrected"`, which in turn is a ValueError for a `.ngb-ss3` (sample alone), so that a reader of both
#            kinds has to try. pyngb documents this default.
# Input:     two measurements in pyngb's source distribution.
# Seen:      2026-12-01, Python 3.11:
#   ds3, default:         run=sample     point 1000: -4.831 µV, extremes -12.366 and 3.211 µV
#   ds3, run="corrected": run=corrected  point 1000: -0.964 µV, extremes -5.741 and 5.885 µV
#   warnings from the default: 0
#   ss3, run="corrected": ValueError
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
import logging
import warnings

import pyngb

FILES = "pyngb-0.6.1/tests/test_files/"
DS3 = FILES + "01_Messung_Probe_G_300_Grad_Ar.ngb-ds3"
SS3 = FILES + "Red_Oak_STA_10K_250731_R7.ngb-ss3"
logged = []
handler = logging.Handler(logging.WARNING)
handler.emit = logged.append
logging.getLogger().addHandler(handler)
logging.getLogger("pyngb").addHandler(handler)


def show(name, table):
    run = table.schema.metadata[b"run"].decode()
    signal = table["dsc_signal"].to_numpy()
    unit = pyngb.get_column_units(table, "dsc_signal")
    low, high = signal.min(), signal.max()
    print(f"{name:21} run={run:10} point 1000: {signal[1000]:.3f} {unit}, extremes {low:.3f} and {high:.3f} {unit}")


with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    raw = pyngb.read_ngb(DS3)
told = len(warned) + len(logged)
show("ds3, default:", raw)
show('ds3, run="corrected":', pyngb.read_ngb(DS3, run="corrected"))
print("warnings from the default:", told)
try:
    show('ss3, run="corrected":', pyngb.read_ngb(SS3, run="corrected"))
except ValueError:
    print('ss3, run="corrected": ValueError')
PY
cat seen
cat >expected <<'EOF'
ds3, default:         run=sample     point 1000: -4.831 µV, extremes -12.366 and 3.211 µV
ds3, run="corrected": run=corrected  point 1000: -0.964 µV, extremes -5.741 and 5.885 µV
warnings from the default: 0
ss3, run="corrected": ValueError
EOF
diff -u expected seen >changes || { echo "changed (- as described, + now):"; cat changes; exit 1; } >&2
echo "as described"
