cimport cython
from ..broker.entry cimport Entry
from ..broker.fifo cimport Fifo


@cython.final
cdef class Unacked:
    cdef readonly long long count
    cdef unsigned long long _first_tag
    cdef readonly Fifo _line  # for its tests

    @cython.locals(line=Fifo)
    cpdef add(self, unsigned long long tag, Entry entry)
    @cython.locals(line=Fifo)
    cpdef Entry first(self)
    @cython.locals(line=Fifo, first=cython.ulonglong, entry=Entry)
    cpdef Entry take_one(self, unsigned long long tag)
    @cython.locals(line=Fifo, taken=list)
    cpdef list take(self, unsigned long long tag, bint multiple)
    cpdef list take_all(self)
    @cython.locals(entry=Entry)
    cpdef list take_of(self, consumer)
    @cython.locals(line=Fifo)
    cdef _skip_holes(self)
