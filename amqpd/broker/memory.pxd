cimport cython


@cython.final
cdef class Memory:
    cdef public long long limit
    cdef public long long used
    cdef public long long overtaken
    cdef public long long paged_out
    cdef public long long delivered
    cdef double _rate
    cdef long long _sampled
    cdef double _sampled_at
