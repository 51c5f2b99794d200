"""Raise and clear repair issues."""

from .report import (
    application_name,
    clear_issue,
    clear_issues,
    clear_issues_of_entry,
    escape_markdown,
    raise_issue,
    update_issue,
)

__all__ = [
    "application_name",
    "clear_issue",
    "clear_issues",
    "clear_issues_of_entry",
    "escape_markdown",
    "raise_issue",
    "update_issue",
]
