"""`python -m amqpd.cli.rabbitmq NAME ARGUMENTS…`: one of RabbitMQ's commands."""

from __future__ import annotations

import sys
from importlib import import_module

from . import SCRIPTS

name = sys.argv[1]
import_module(f"amqpd.cli.{SCRIPTS[name]}").main(sys.argv[2:], name)
