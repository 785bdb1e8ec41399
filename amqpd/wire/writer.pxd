from .buffers cimport OutBuffer


cdef class Outbox(OutBuffer):
    cdef list _chunks

    cpdef list take(self)
