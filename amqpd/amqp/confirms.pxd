cdef class Confirms:
    cdef readonly unsigned long long published
    cdef unsigned long long _released
    cdef unsigned long long _acked
    cdef bint _stored
    cdef object _marks

    cpdef count(self, bint stored)
