cimport cython

cdef int _SHORTSTR_DOMAIN
cdef int _TABLE_DOMAIN
cdef int _MODE_DOMAIN
cdef int _OCTET_DOMAIN
cdef int _TIMESTAMP_DOMAIN
cdef int _HAS_PRIORITY
cdef int _BEFORE_PRIORITY

@cython.locals(offset=Py_ssize_t, domain=int, persistent=bint)
cpdef bint check_header(bytes header) except -1

@cython.locals(offset=Py_ssize_t, domain=int)
cpdef int priority_of(bytes header) except -1
