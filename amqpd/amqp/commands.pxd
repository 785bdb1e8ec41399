cimport cython
from ..wire.reader cimport Reader
from .deliveries cimport Deliveries
from .publishing cimport Publishing

cdef unsigned int _PUBLISH
cdef unsigned int _ACK
cdef Py_ssize_t _ACK_SIZE
cdef Py_ssize_t _SPREAD_LIMIT


@cython.final
cdef class Commands:
    cdef public bint alarmed
    cdef public bint held
    cdef public long long published
    cdef public bint stored
    cdef Reader _reader

    @cython.locals(reader=Reader, publishing=Publishing, deliveries=Deliveries, number=int)
    cpdef handle(self, channels, elsewhere, enough)
