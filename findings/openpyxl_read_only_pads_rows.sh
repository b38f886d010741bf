#!/usr/bin/env bash
# openpyxl 3.1.5: in read_only mode one stray cell makes all rows as wide as the sheet, and measuring undoes the remedy.
#
# Guess:     read_only mode, made for large files, gives what is there: rows end at their last cell. Where they do not,
#            `reset_dimensions()` helps for good, and `calculate_dimension(force=True)` only measures.
# Behaviour: rows are padded to the dimension that the sheet states, here rightly: 7 cells become 49152. After
#            `reset_dimensions()` each row ends at its own last cell: rows differ in length, and only that of the stray
#            cell is wide. `calculate_dimension()` is then a ValueError whose text proposes force=True, and that keeps
#            what it finds: from there on all rows are padded again.
# Input:     three rows of two numbers, and a text in XFD1, the last column that a sheet can have.
# Seen:      2026-12-01, Python 3.11:
#   stated A1:XFD3, rows [16384, 16384, 16384], filled [3, 2, 2]
#   after reset_dimensions(): rows [16384, 2, 2]
#   calculate_dimension(): ValueError
#   calculate_dimension(force=True): A1:XFD3, rows [16384, 16384, 16384]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{
    "${PYTHON:-python3}" -m venv venv &&
    venv/bin/pip install -q openpyxl==3.1.5 et_xmlfile==2.0.0
} || { echo "not tried: the packages could not be installed" >&2; exit 2; }

venv/bin/python - >seen <<'PY'
from openpyxl import Workbook, load_workbook

made = Workbook()
for row in range(3):
    made.active.append([row, 10 * row])
made.active["XFD1"] = "stray"
made.save("stray.xlsx")

book = load_workbook("stray.xlsx", read_only=True)
sheet = book.active


def rows():
    return [len(row) for row in sheet.iter_rows()]


filled = [sum(cell.value is not None for cell in row) for row in sheet.iter_rows()]
print(f"stated {sheet.calculate_dimension()}, rows {rows()}, filled {filled}")
sheet.reset_dimensions()
print(f"after reset_dimensions(): rows {rows()}")
try:
    print("calculate_dimension():", sheet.calculate_dimension())
except ValueError:
    print("calculate_dimension(): ValueError")
print(f"calculate_dimension(force=True): {sheet.calculate_dimension(force=True)}, rows {rows()}")
book.close()
PY
cat seen
cat >expected <<'EOF'
stated A1:XFD3, rows [16384, 16384, 16384], filled [3, 2, 2]
after reset_dimensions(): rows [16384, 2, 2]
calculate_dimension(): ValueError
calculate_dimension(force=True): A1:XFD3, rows [16384, 16384, 16384]
EOF
diff -u expected seen >changes || { echo "changed (- as described, + now):"; cat changes; exit 1; } >&2
echo "as described"
