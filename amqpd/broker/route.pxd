cimport cython
from ..message cimport Message
from .queue cimport Queue


@cython.final
cdef class Route:
    cdef readonly tuple queues
    cdef readonly bint lasting
    cdef readonly int kept
    cdef Queue _only
    cdef tuple _plain
    cdef tuple _streams
    cdef bint _shared
    cdef readonly Py_ssize_t width
    cdef readonly Py_ssize_t spread
    cdef object _store

    @cython.locals(queue=Queue, outcome=int)
    cpdef int deliver(self, Message message) except -1


@cython.final
cdef class Routes:
    cdef public long long generation
    cdef public object firehose
    cdef dict _found
    cdef Py_ssize_t _limit

    cpdef get(self, key)
