cimport cython
from ..broker.consumer cimport Consumer, Outlet, Sink, Window
from ..broker.entry cimport Entry
from ..broker.queue cimport Queue
from ..broker.route cimport Routes
from ..broker.traffic cimport Traffic
from ..message cimport Message
from ..wire.writer cimport Outbox
from .unacked cimport Unacked


cdef class Deliveries(Sink):
    cdef public Outbox outbox
    cdef readonly Unacked unacked
    cdef public unsigned long long next_tag
    cdef readonly Window window
    cdef public object transaction
    cdef readonly Traffic traffic
    cdef readonly object channel
    cdef int _number
    cdef Outlet _outlet
    cdef Routes _routes

    @cython.locals(message=Message, outbox=Outbox, before=Py_ssize_t, tag=cython.ulonglong)
    cpdef deliver(self, Consumer consumer, Entry entry)
    @cython.locals(entry=Entry, consumer=Consumer, queue=Queue)
    cpdef ack(self, unsigned long long tag, bint multiple)
    @cython.locals(freed=Consumer, others=list, served=list, entry=Entry, consumer=Consumer, queue=Queue)
    cpdef settle(self, list entries, bint acked=*)
