"""`amqpadmin`: the grammars of rabbitmqadmin, both of them.

`v1` is the script that came with the management plug-in (`declare queue name=q`), `v2` the program that follows it
(`queues declare --name q`). Each command line is of one or the other, which `main` decides; one that could be either is
taken for v1's. `connection` finds the API, from options, ~/.rabbitmqadmin.conf and RABBITMQADMIN_* variables. `tables`
and `styles` are how lists are shown.
"""
