"""RabbitMQ's commands, answered by amqpd: what the scripts run that `amqpd shims` writes.

`server` is rabbitmq-server; the others are `amqpctl` and `amqpadmin` under names that tools know.
"""

from typing import Final

SCRIPTS: Final = {
    "rabbitmq-server": "rabbitmq.server",
    "rabbitmq-plugins": "ctl.main",
    "rabbitmqctl": "ctl.main",
    "rabbitmq-diagnostics": "ctl.main",
    "rabbitmq-queues": "ctl.main",
    "rabbitmq-streams": "ctl.main",
    "rabbitmq-upgrade": "ctl.main",
    "rabbitmqadmin": "admin.main",
}
"""The names, and the module of `amqpd.cli` whose `main(arguments, name)` answers to each."""
