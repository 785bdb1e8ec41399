"""Real clients as judges: each does all it can, on our broker and, with `--broker`, on RabbitMQ."""
