from cpython.object cimport PyObject


cdef class InBuffer:
    cdef public Py_ssize_t frame_limit
    cdef public Py_ssize_t body_limit
    cdef bytes _data
    cdef Py_ssize_t _position
    cdef readonly int channel
    cdef readonly unsigned int method_id
    cdef readonly bytes arguments
    cdef readonly bytes header
    cdef readonly bytes body
    cdef bytes _publish_arguments
    cdef bytes _publish_header

    cpdef feed(self, bytes data)
    cpdef bint cut(self)
    cpdef unsigned long long long_long(self)


cdef class Filling:
    cdef PyObject* _bytes
    cdef Py_ssize_t _size
    cdef Py_ssize_t _fill

    cpdef add(self, bytes data, Py_ssize_t start, Py_ssize_t stop)
    cpdef bytes whole(self)


cdef class OutBuffer:
    cdef public Py_ssize_t frame_max
    cdef public Py_ssize_t size
    cdef PyObject* _bytes
    cdef Py_ssize_t _fill
    cdef Py_ssize_t _room
    cdef Py_ssize_t _usual

    cdef unsigned char* _extend(self, Py_ssize_t size) except NULL
    cpdef write(self, bytes data)
    cpdef deliver(
        self,
        int channel,
        bytes prefix,
        unsigned long long delivery_tag,
        bint redelivered,
        bytes address,
        bytes header,
        bytes body,
    )
    cpdef deliver_large(
        self,
        int channel,
        bytes prefix,
        unsigned long long delivery_tag,
        bint redelivered,
        bytes address,
        bytes header,
        bytes body,
    )
    cpdef bytes drain(self)
