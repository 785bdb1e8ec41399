"""The command line: `main` is the command `amqpd`, `serve` runs the broker, `config` looks at configurations."""
