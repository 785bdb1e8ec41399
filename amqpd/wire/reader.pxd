cimport cython
from .buffers cimport InBuffer


@cython.final
cdef class Reader(InBuffer):
    cdef readonly dict _partials  # for its tests
    cdef readonly Py_ssize_t expecting
    cdef int _frame_channel
    cdef Py_ssize_t _frame_left
    cdef bytes _cut_short

    cpdef bint read(self) except -1
    cdef bint _read_frames(self) except -1
    cdef bint _go_on(self) except -1
