cimport cython
from ..message cimport Message
from .entry cimport Entry
from .fifo cimport Fifo

cdef int _NORMAL
cdef int _WEIGHT
cdef long long _SHIFT


cpdef long long home(long long queue_id, long long lane)


@cython.final
cdef class Level(Fifo):
    cdef readonly int lane
    cdef readonly int priority
    cdef public long long paged
    cdef public long long paged_bytes
    cdef public long long next_paged
    cdef public long long delivered_before


cdef class Levels(Fifo):
    cdef readonly list lines
    cdef bint _shared
    cdef int _turn

    @cython.locals(found=Level)
    cpdef Level line(self, int lane)
    @cython.locals(entry=Entry)
    cpdef append(self, item)
    @cython.locals(line=Level)
    cpdef popleft(self)
    @cython.locals(line=Level)
    cpdef at(self, Py_ssize_t place)
    @cython.locals(returned=dict, entries=list, line=Level)
    cpdef prepend(self, list items)
    cpdef replace(self, items)
    @cython.locals(line=Level)
    cpdef clear(self)
    @cython.locals(first=Level, line=Level)
    cdef Level _next(self)
