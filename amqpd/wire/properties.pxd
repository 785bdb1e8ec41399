cimport cython

cdef int _SHORTSTR_DOMAIN
cdef int _TABLE_DOMAIN
cdef int _MODE_DOMAIN
cdef int _OCTET_DOMAIN
cdef int _TIMESTAMP_DOMAIN

@cython.locals(offset=Py_ssize_t, domain=int, persistent=bint)
cpdef bint check_header(bytes header) except -1


@cython.locals(start=Py_ssize_t, stop=Py_ssize_t)
cpdef int priority_of(bytes header) except -1
