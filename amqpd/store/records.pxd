cimport cython
from ..message cimport Address, Message, compose


@cython.locals(address=bytes, header=bytes, flags=int)
cpdef bytes encode_message(Message message)
@cython.locals(key=bytes, record=bytes)
cpdef list decode_entries(items, queue_id, load)
@cython.locals(header_start=Py_ssize_t, body_start=Py_ssize_t, flags=int, message=Message)
cpdef Message decode_message(bytes record)
