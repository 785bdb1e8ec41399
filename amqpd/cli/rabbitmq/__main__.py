"""`python -m amqpd.cli.rabbitmq NAME ARGUMENTS…`: one of RabbitMQ's commands."""

from __future__ import annotations

import sys
from importlib import import_module

from . import SCRIPTS

name = sys.argv[1]
sys.exit(import_module(f".{SCRIPTS[name]}", __package__).main(name, sys.argv[2:]))
