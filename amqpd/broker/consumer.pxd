cimport cython
from .entry cimport Entry


cdef class Sink:
    cpdef deliver(self, Consumer consumer, Entry entry)
    cpdef cancelled(self, Consumer consumer)


@cython.final
cdef class Outlet:
    cdef public bint open
    cdef public long long pending
    cdef public long long limit
    cdef public bint woken
    cdef object _wake

    cpdef sent(self, Py_ssize_t size)
    cpdef wake(self)
    cpdef shut(self)


@cython.final
cdef class Window:
    cdef public long long limit
    cdef public long long used


@cython.final
cdef class Consumer:
    cdef public str tag
    cdef public object queue
    cdef public Sink sink
    cdef public Outlet outlet
    cdef public Window window
    cdef public bint no_ack
    cdef public bint exclusive
    cdef public long long prefetch
    cdef public long long unacked
    cdef public bint parked
    cdef public bytes prefix
    cdef public dict arguments
    cdef public long long priority

    cpdef bint can_take(self) except -1
