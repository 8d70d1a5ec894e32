"""The report of a study: one page with figures, predictions and all tables. ``rnnzoo study report`` makes it."""

from rnnzoo.study.report.make import Sources, make_report
from rnnzoo.study.report.predictions import Part, judge, part
from rnnzoo.study.report.rows import NotRunError, Row, Tables

__all__ = ["NotRunError", "Part", "Row", "Sources", "Tables", "judge", "make_report", "part"]
