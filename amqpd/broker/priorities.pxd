cimport cython
from .entry cimport Entry
from .fifo cimport Fifo


cdef class Ranked(Fifo):
    cdef list _keys
    cdef list _lines

    cpdef priority(self, item)
    cpdef append(self, item)
    @cython.locals(line=Fifo)
    cpdef popleft(self)
    @cython.locals(line=Fifo)
    cpdef rotate(self)
    @cython.locals(line=Fifo)
    cpdef at(self, Py_ssize_t place)
    cpdef replace(self, items)
    cpdef clear(self)
    cdef Fifo _line(self, key)


cdef class RankedEntries(Ranked):
    cdef object _highest

    @cython.locals(entry=Entry)
    cpdef priority(self, item)
    @cython.locals(returned=dict, entries=list, line=Fifo)
    cpdef prepend(self, list items)


cdef class RankedConsumers(Ranked):
    cpdef priority(self, item)
