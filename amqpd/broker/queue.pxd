cimport cython
from ..message cimport Message
from .consumer cimport Consumer, Sink
from .entry cimport Entry, enter
from .fifo cimport Fifo
from .levels cimport Level, Levels, home
from .memory cimport Memory
from .traffic cimport Traffic

cdef long long _ENTRY_COST
cdef int _STORED


@cython.final
cdef class Queue:
    cdef public str name
    cdef public long long id
    cdef public object store
    cdef public object pager
    cdef public Memory memory
    cdef public bint durable
    cdef public bint auto_delete
    cdef public object owner
    cdef public dict arguments
    cdef public dict effective
    cdef public object policies
    cdef public Traffic traffic
    cdef public dict incoming
    cdef public bint deleted
    cdef public object limits
    cdef object _make_limits
    cdef bint _keeps_all
    cdef public Fifo ready
    cdef public Levels levels
    cdef public long long ready_bytes
    cdef public long long held
    cdef public long long held_bytes
    cdef public long long unacked
    cdef public long long unacked_bytes
    cdef public list consumers
    cdef public Fifo rotation
    cdef public bint had_consumer
    cdef public long long next_seq
    cdef public long long paged
    cdef public long long paged_bytes
    cdef long long _next_paged
    cdef bint _pager_used
    cdef public bint prioritized
    cdef public bint single_active
    cdef public Consumer active
    cdef long long _delivered_before

    cpdef int push(self, Message message) except -1
    @cython.locals(seq=cython.longlong, memory=Memory, stored=bint, outcome=int, entry=Entry, consumer=Consumer)
    cpdef int admit(self, Message message, long long deadline) except -1
    @cython.locals(seq=cython.longlong, memory=Memory, entry=Entry, consumer=Consumer)
    cpdef int admit_to(self, Level line, Message message, long long deadline) except -1
    @cython.locals(entry=Entry, traffic=Traffic)
    cpdef Entry get(self, bint no_ack)
    cpdef Entry first(self)
    cpdef Entry drop_first(self)
    cpdef settle(self, Entry entry)
    @cython.locals(consumer=Consumer)
    cpdef dispatch(self)
    cpdef add_consumer(self, Consumer consumer)
    cpdef unpark(self, Consumer consumer)

    cdef _unpark(self, Consumer consumer)
    @cython.locals(rotation=Fifo, consumer=Consumer)
    cdef Consumer _next_consumer(self)
    @cython.locals(entry=Entry, size=Py_ssize_t)
    cdef Entry _take(self)
    cdef _deliver(self, Consumer consumer, Entry entry)
    @cython.locals(message=Message)
    cdef _unstore(self, Entry entry)
    @cython.locals(size=Py_ssize_t)
    cdef _retain(self, Entry entry)
    @cython.locals(size=Py_ssize_t, consumer=Consumer)
    cdef _release(self, Entry entry)
    cdef bint _page_out(self, long long seq, Message message, bint stored, long long deadline) except -1
