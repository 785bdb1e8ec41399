cdef class Memory:
    cdef public long long limit
    cdef public long long used
    cdef public long long overtaken
    cdef public long long paged_out
