cimport cython

cdef Py_ssize_t _SLACK


cdef class Fifo:
    cdef list _items
    cdef Py_ssize_t _head
    cdef readonly Py_ssize_t length

    cpdef append(self, item)
    @cython.locals(head=Py_ssize_t, items=list)
    cpdef popleft(self)
    cpdef rotate(self)
    @cython.locals(count=Py_ssize_t, free=Py_ssize_t)
    cpdef prepend(self, list items)
    cpdef at(self, Py_ssize_t place)
    cpdef empty(self, Py_ssize_t place)
    cpdef replace(self, items)
    cpdef clear(self)
