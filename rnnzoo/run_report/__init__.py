"""The report of a run: one page with what was trained, what came out, and how to do it again."""

from rnnzoo.run_report.make import NAME, check_page, make_run_report

__all__ = ["NAME", "check_page", "make_run_report"]
