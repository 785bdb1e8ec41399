cimport cython
from ..message cimport Message


cdef long long _PUT_COST


cdef class QueueChanges:
    cdef public dict puts
    cdef public dict deadlines
    cdef public dict returns
    cdef public list deletes
    cdef public long long freed
    cdef public long long delivered
    cdef public list drops


cdef class Batch:
    cdef public dict queues
    cdef public dict definitions
    cdef public dict shares
    cdef public dict released
    cdef public list callbacks
    cdef public long long bytes
    cdef public long long total
    cdef public long long total_bytes
    cdef public long long undone
    cdef public long long deleted

    @cython.locals(changes=QueueChanges)
    cpdef put(self, queue_id, seq, Message message, deadline=*)
    @cython.locals(changes=QueueChanges)
    cpdef delete(self, queue_id, seq, Message message)
    @cython.locals(changes=QueueChanges)
    cpdef delivered(self, queue_id, long long seq)

    @cython.locals(changes=QueueChanges)
    cdef QueueChanges _changes(self, queue_id)
    cdef _undo_put(self, Message message)
