"""`amqpd topology`: a vhost's exchanges, queues and bindings, drawn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from ...errors import StartupError
from ..http import name
from .asking import api_options, asking
from .graph import as_dot, as_json, as_mermaid, graph_of

FORMATS: Final = ("mermaid", "dot", "svg", "json")


@click.command(short_help="Draw exchanges, queues and bindings.")
@api_options
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), help="[default: by --output's ending, or mermaid]")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
@click.option("--all", "everything", is_flag=True, help="Also exchanges nobody uses, and the nameless one's bindings.")
def topology(
    url: str | None, vhost: str, data_dir: str | None, form: str | None, output: Path | None, everything: bool
) -> None:
    """Draw the exchanges, queues and bindings of a vhost.

    \b
        amqpd topology                        Mermaid, for Markdown
        amqpd topology -o topology.svg
        amqpd topology --format dot | dot -Tpng > topology.png
    """
    if form is None:
        ending = output.suffix.removeprefix(".") if output is not None else ""
        form = ending if ending in FORMATS else "mermaid"
    with asking(url, data_dir) as api:
        place = name(vhost)
        graph = graph_of(
            vhost,
            api.get(f"/exchanges{place}", columns="name,type,arguments"),
            api.get(f"/queues{place}", columns="name,type,arguments,messages"),
            api.get(f"/bindings{place}"),
            everything=everything,
        )
    if form == "svg":
        from .drawing import as_svg  # noqa: PLC0415

        text = as_svg(graph)
    else:
        text = {"mermaid": as_mermaid, "dot": as_dot, "json": as_json}[form](graph)
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n")
    except OSError as error:
        raise StartupError(f"cannot write {output}: {error.strerror}", os.EX_CANTCREAT) from error
