cimport cython
from .buffers cimport InBuffer


cdef class Reader(InBuffer):
    cdef readonly dict _partials  # for its tests

    cpdef bint read(self) except -1
    cdef bint _read_frames(self) except -1
