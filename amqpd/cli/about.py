"""`amqpd version` and `amqpd completion`: what the command says of itself."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .. import __version__


def version_line() -> str:
    """`amqpd 1.2.3 (compiled)`."""
    from ..compiled import is_compiled  # noqa: PLC0415 - takes a look at compiled modules

    return f"amqpd {__version__} ({'compiled' if is_compiled() else 'pure Python'})"


@click.command()
def version() -> None:
    """Show the version, and whether it runs compiled."""
    click.echo(version_line())


@click.command(short_help="Print what a shell needs to complete commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what a shell needs to complete amqpd's commands and options.

    \b
        eval "$(amqpd completion bash)"          in .bashrc
        eval "$(amqpd completion zsh)"           in .zshrc
        amqpd completion fish | source           in config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "amqpd", "_AMQPD_COMPLETE").source())
