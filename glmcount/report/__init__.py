"""Tables of results: one `Table` value, its renderers, summaries and tidy frames."""

from glmcount.report.render import RENDERERS, render
from glmcount.report.rows import EquationRows
from glmcount.report.summary import Summary, SummaryFacts, summarise
from glmcount.report.table import Group, Row, Table, TableColumn
from glmcount.report.tidy import glance_frame, tidy_frame

__all__ = [
    "RENDERERS",
    "EquationRows",
    "Group",
    "Row",
    "Summary",
    "SummaryFacts",
    "Table",
    "TableColumn",
    "glance_frame",
    "render",
    "summarise",
    "tidy_frame",
]
