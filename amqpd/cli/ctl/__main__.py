"""`python -m amqpd.cli.ctl`: as the command amqpctl; the first of more words may name the tool it is called as."""

from .main import main

main()
