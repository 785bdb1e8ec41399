"""The command line: `main` is the command `amqpd`, without a subcommand it is `run`.

`options` are those of a broker, `serve` runs one in this process. `probe` asks a broker for a sign of life; it is what
health checks use, and loads next to nothing. `shims` are scripts with the names of RabbitMQ's commands.
"""
