cimport cython

cdef dict _SIZES

@cython.locals(end=Py_ssize_t)
cpdef Py_ssize_t skip_table(bytes data, Py_ssize_t offset, int depth=*) except -1
@cython.locals(kind=int, end=Py_ssize_t)
cdef Py_ssize_t _skip_value(bytes data, Py_ssize_t offset, int depth) except -1
cdef Py_ssize_t _long_at(bytes data, Py_ssize_t offset) except -1
