cimport cython
from ..broker.fifo cimport Fifo


@cython.final
cdef class Confirms:
    cdef readonly unsigned long long published
    cdef unsigned long long _acked
    cdef Fifo _waiting
    cdef bint _unmarked
    cdef object _marks
    cdef object _refused
    cdef set _consumed
    cdef object _notify
    cdef bint _notified
    cdef bint _closed

    @cython.locals(number=cython.ulonglong)
    cpdef count(self, bint stored)
    @cython.locals(waiting=Fifo)
    cpdef consumed(self, unsigned long long number)
    @cython.locals(waiting=Fifo)
    cdef _pass_over_consumed(self)
