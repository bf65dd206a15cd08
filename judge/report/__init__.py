"""Results as people and programs read them: Markdown, CSV, JSON and one text file per answer. Rendering only."""

from judge.report.files import RULE, answer_files, answer_text, run_json, write_files, write_page
from judge.report.markdown_report import csv_table, launch_line, markdown, markdown_table
from judge.report.tables import (
    HOW_TO_READ,
    NONE,
    PLAN_COLUMNS,
    SPEED_COLUMNS,
    Rows,
    plan_rows,
    role,
    speed,
    speed_rows,
    tier,
)
from judge.report.trust import trust_line

__all__ = [
    "HOW_TO_READ",
    "NONE",
    "PLAN_COLUMNS",
    "RULE",
    "SPEED_COLUMNS",
    "Rows",
    "answer_files",
    "answer_text",
    "csv_table",
    "launch_line",
    "markdown",
    "markdown_table",
    "plan_rows",
    "role",
    "run_json",
    "speed",
    "speed_rows",
    "tier",
    "trust_line",
    "write_files",
    "write_page",
]
