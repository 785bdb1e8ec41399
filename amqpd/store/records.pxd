cimport cython
from ..message cimport Address, Message, compose


@cython.locals(address=bytes, header=bytes)
cpdef bytes encode_message(Message message)
cpdef Message decode_message(record)
