cimport cython
from ..message cimport Message


@cython.final
cdef class Entry:
    cdef public long long seq
    cdef public Message message
    cdef public bint stored
    cdef public bint redelivered
    cdef public int lane
    cdef public int returns
    cdef public int acquired
    cdef public long long deadline
    cdef public object queue
    cdef public object consumer
    cdef public unsigned long long tag


@cython.locals(entry=Entry)
cpdef Entry enter(long long seq, Message message, bint stored)
