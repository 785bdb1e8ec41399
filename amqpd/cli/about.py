"""`amqpd version` and `amqpd completion`: what the command says of itself."""

from __future__ import annotations

from typing import Final

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
    """Print what a shell needs to complete commands and options of amqpd, amqpctl and amqpadmin.

    \b
        eval "$(amqpd completion bash)"          in .bashrc
        eval "$(amqpd completion zsh)"           in .zshrc
        amqpd completion fish | source           in config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "amqpd", "_AMQPD_COMPLETE").source())
    from .admin.main import completion as of_amqpadmin  # noqa: PLC0415 - only when asked for

    click.echo(of_amqpadmin("amqpadmin", shell))
    click.echo(_OF_AMQPCTL[shell])


_BASH: Final = """_amqpctl() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _AMQPCTL_COMPLETE=1 amqpctl 2>/dev/null))
}
complete -o default -F _amqpctl amqpctl"""

_OF_AMQPCTL: Final = {
    "bash": _BASH,
    "zsh": f"autoload -U +X bashcompinit && bashcompinit\n{_BASH}",
    "fish": "complete -c amqpctl -f -a '(env _AMQPCTL_COMPLETE=1 COMP_WORDS=(commandline -cp | string collect)"
    " COMP_CWORD=(count (commandline -opc)) amqpctl 2>/dev/null)'",
}
"""amqpctl says itself what may come next: see `ctl.main`."""
