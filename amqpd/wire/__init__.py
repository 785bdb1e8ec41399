"""AMQP 0-9-1 as bytes. Standard library only; knows no broker.

What travels on a connection, after the eight-byte protocol header, is a sequence of frames:

    octet   short     long        size octets   octet
    type    channel   size        payload       0xCE

A *method* frame (type 1) carries an operation and its arguments. Some methods carry *content*: a *header* frame
(type 2) with the body's size and the properties, then *body* frames (type 3) until that size is reached. A *heartbeat*
frame (type 8) says that its sender is alive. A method with its content is a *command*.

Here is a whole basic.publish, as a client would send it on channel 1:

>>> from amqpd.wire.methods import BasicPublish
>>> from amqpd.wire.properties import Properties, encode_header
>>> from amqpd.wire.writer import content_frames
>>> publish = BasicPublish(exchange="logs", routing_key="info")
>>> frames = content_frames(1, publish, encode_header(Properties(delivery_mode=2), 5), b"hello", 131072)
>>> print(b"".join(frames).hex(" "))
01 00 01 00 00 00 11 00 3c 00 28 00 00 04 6c 6f 67 73 04 69 6e 66 6f 00 ce \
02 00 01 00 00 00 0f 00 3c 00 00 00 00 00 00 00 00 00 05 10 00 02 ce \
03 00 01 00 00 00 05 68 65 6c 6c 6f ce

    01                        a method frame
    00 01                     on channel 1
    00 00 00 11               of 17 bytes:
    00 3c 00 28               class 60, method 40: basic.publish
    00 00                     a reserved short
    04 6c 6f 67 73            exchange "logs"
    04 69 6e 66 6f            routing key "info"
    00                        bits: neither mandatory nor immediate
    ce                        frame end
    02 00 01 00 00 00 0f      a content header frame of 15 bytes:
    00 3c 00 00               class 60, weight 0
    00 00 00 00 00 00 00 05   five bytes of body follow
    10 00                     flags: the delivery mode is given
    02                        it is 2, persistent
    ce
    03 00 01 00 00 00 05      a body frame of 5 bytes:
    68 65 6c 6c 6f            "hello"
    ce

In reading order: `spec` (constants), `schema` and `methods` (the protocol table), `fields` and `properties` (values),
`reader` and `writer`. `python -m amqpd.wire < dump` explains any such bytes.
"""
