"""The command line: `main` is where the command `amqpd` begins, `commands` lists what it can do; without a word it is
`run`.

`ctl` is `amqpctl`, `admin` is `amqpadmin`; both ask the HTTP API, as `http` finds it. `messages` are the commands that
speak AMQP, `views` those that show what the API knows.

`options` are those of a broker, `serve` runs one in this process, `config` looks at configurations. `probe` asks a
broker for a sign of life; it is what health checks use, and loads next to nothing. `shims` writes scripts with the
names of RabbitMQ's commands: `rabbitmq` says which of ours answers to each.
"""
