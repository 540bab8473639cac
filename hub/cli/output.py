"""What the commands print: for people, or one JSON document on standard output."""

from __future__ import annotations

from typing import Any

import click
import orjson

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


def print_json(content: Any) -> None:
    """One JSON document."""
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """Aligned columns."""
    widths = [max(len(row[n]) for row in [columns, *rows]) for n in range(len(columns))]
    for row in [columns, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
