"""RabbitMQ's commands, answered by amqpd: what the scripts run that `amqpd shims` writes.

`server` is rabbitmq-server, `plugins` rabbitmq-plugins. `diagnostics` is what of rabbitmqctl and rabbitmq-diagnostics
can be answered from outside, over AMQP and ports; what asks for the broker's inside, as rabbitmqadmin does throughout,
leaves with 69 and says so. Each has a function `main(name, arguments)` that returns the exit code.
"""

from typing import Final

SCRIPTS: Final = {
    "rabbitmq-server": "server",
    "rabbitmq-plugins": "plugins",
    "rabbitmqctl": "diagnostics",
    "rabbitmq-diagnostics": "diagnostics",
    "rabbitmq-queues": "diagnostics",
    "rabbitmqadmin": "diagnostics",
}
"""The names, and the module that answers to each."""
