"""The report of a run: figures, tables and one HTML page that opens offline."""

from lehr.report.page import write_report

__all__ = ["write_report"]
