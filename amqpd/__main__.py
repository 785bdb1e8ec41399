"""`python -m amqpd` is the command `amqpd`."""

from .cli.main import main

main()
