"""`amqpctl`: the words of rabbitmqctl, rabbitmq-diagnostics, rabbitmq-queues and rabbitmq-plugins.

`verbs` is the table of all there are; `call` reads a command line as RabbitMQ's tools do, `formats` shows results as
they do. The other modules are the verbs, each loaded when one of its own is called. They ask the broker over its HTTP
API (`amqpd.cli.http`), but for signs of life, which are AMQP's.
"""
