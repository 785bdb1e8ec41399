"""`amqpd config`: what a configuration file does, and what all layers together come to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..config import Finding, Verdict, check, default_file, read
from ..config.dump import rendered
from ..config.reference import honoured, without_effect

_FILE = click.Path(path_type=Path, readable=False)


@click.group(name="config", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def config() -> None:
    """Check configuration files, or show the settings they come to."""


@config.command(name="check")
@click.argument("file", type=_FILE)
@click.option("--strict-config", is_flag=True, help="Unknown keys are wrong.")
def check_file(file: Path, strict_config: bool) -> None:
    """Say of each key in FILE whether it is effective.

    FILE is an amqpd.toml, a rabbitmq.conf, a rabbitmq.config or advanced.config, an enabled_plugins, or a folder such
    as /etc/rabbitmq. Leaves with 78 when something is wrong.
    """
    findings = check(file)
    click.echo(_table(findings))
    wrong = {Verdict.WRONG, Verdict.UNKNOWN} if strict_config else {Verdict.WRONG}
    if any(finding.verdict in wrong for finding in findings):
        sys.exit(os.EX_CONFIG)


@config.command()
@click.option("-c", "--config", "file", type=_FILE, metavar="FILE", help="As for the broker.")
def dump(file: Path | None) -> None:
    """Show all settings as an amqpd.toml, and where each was made; passwords are not shown."""
    loaded = read(file or default_file(os.environ))
    for _, text in loaded.config.remarks:
        click.echo(f"amqpd: {text}", err=True)
    click.echo(rendered(loaded), nl=False)


@config.command()
@click.option("--all", "everything", is_flag=True, help="Those, too, that have no effect here.")
def keys(everything: bool) -> None:
    """List RabbitMQ's keys and variables that have an effect, as tables in Markdown."""
    click.echo(honoured(), nl=False)
    if everything:
        click.echo(f"\n{without_effect()}", nl=False)


def _table(findings: list[Finding]) -> str:
    rows = [(finding.verdict.value, finding.key, finding.place, finding.note) for finding in findings]
    rows = [("", "KEY", "WHERE", ""), *rows] if rows else [("", "nothing is set", "", "")]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])).rstrip()
        for row in rows
    )
