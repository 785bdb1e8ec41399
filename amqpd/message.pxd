cimport cython


@cython.final
cdef class Address:
    cdef public str exchange
    cdef public str routing_key
    cdef public bytes wire


@cython.final
cdef class Message:
    cdef public Address address
    cdef public bytes header
    cdef public bytes body
    cdef public Py_ssize_t size
    cdef public bint persistent
    cdef public char died
    cdef public long long ttl
    cdef public long long id
    cdef public object receipt
    cdef public unsigned long long number
    cdef object _properties


@cython.locals(message=Message)
cpdef Message compose(Address address, bytes header, bytes body, bint persistent, long long ttl=*)
