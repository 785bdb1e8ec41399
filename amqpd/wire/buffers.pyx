"""The compiled twin of buffers.py, which says what all this means.

It differs in two ways that cannot be seen from outside: a command with the same arguments, or the same content header,
as the publish before gets the same `bytes` object; and what is written grows inside one `bytes` object, which is handed
out without a copy.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_XDECREF
from libc.string cimport memcmp, memcpy

cdef extern from "Python.h":
    PyObject* _new_bytes "PyBytes_FromStringAndSize"(const char*, Py_ssize_t) except NULL
    int _PyBytes_Resize(PyObject**, Py_ssize_t) except -1
    char* _string "PyBytes_AS_STRING"(PyObject*)

JOIN_LIMIT = 4096

cdef enum:
    METHOD = 1
    HEADER = 2
    BODY = 3
    END = 0xCE
    FRAME_HEADER_SIZE = 7
    FRAME_OVERHEAD = 8
    BASIC = 60
    CONTENT_HEADER_MIN = 14  # class id, weight, body size, and one word of flags
    LEAST_ROOM = 256
    JOINED = 4096


cdef inline unsigned int short_at(const unsigned char* at) noexcept nogil:
    return (<unsigned int>at[0] << 8) | at[1]


cdef inline unsigned int long_at(const unsigned char* at) noexcept nogil:
    return (<unsigned int>at[0] << 24) | (<unsigned int>at[1] << 16) | (<unsigned int>at[2] << 8) | at[3]


cdef inline unsigned long long long_long_at(const unsigned char* at) noexcept nogil:
    return (<unsigned long long>long_at(at) << 32) | long_at(at + 4)


cdef inline bint carries_content(unsigned int method_id) noexcept nogil:
    """publish, return, deliver, get-ok."""
    if method_id >> 16 != BASIC:
        return False
    method_id &= 0xFFFF
    return method_id == 40 or method_id == 60 or method_id == 50 or method_id == 71


cdef inline bint is_same(bytes known, const unsigned char* start, Py_ssize_t size) noexcept:
    return PyBytes_GET_SIZE(known) == size and memcmp(PyBytes_AS_STRING(known), start, size) == 0


cdef class InBuffer:
    """See buffers.py."""

    def __init__(self, Py_ssize_t frame_limit, Py_ssize_t body_limit):
        self.frame_limit = frame_limit
        self.body_limit = body_limit
        self._data = b""
        self._position = 0
        self.channel = 0
        self.method_id = 0
        self.arguments = self.header = self.body = self._publish_arguments = self._publish_header = b""

    cpdef feed(self, bytes data):
        if self._position < PyBytes_GET_SIZE(self._data):
            self._data = self._data[self._position :] + data
        else:
            self._data = data
        self._position = 0

    cpdef bint cut(self):
        cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(self._data)
        cdef const unsigned char* at = data + self._position
        cdef const unsigned char* arguments = at + FRAME_HEADER_SIZE + 4
        cdef const unsigned char* header
        cdef Py_ssize_t left = PyBytes_GET_SIZE(self._data) - self._position
        cdef Py_ssize_t arguments_size, header_size
        cdef unsigned long long size
        cdef unsigned int method_id
        cdef int channel
        if left < FRAME_OVERHEAD + 4 or at[0] != METHOD:
            return False
        channel = short_at(at + 1)
        size = long_at(at + 3)
        if size < 4 or size > <unsigned long long>self.frame_limit:
            return False
        if size + FRAME_OVERHEAD > <unsigned long long>left or at[FRAME_HEADER_SIZE + size] != END:
            return False
        method_id = long_at(at + FRAME_HEADER_SIZE)
        arguments_size = size - 4
        at += FRAME_OVERHEAD + size
        left -= FRAME_OVERHEAD + size
        if not carries_content(method_id) or channel == 0:
            self.arguments = PyBytes_FromStringAndSize(<const char*>arguments, arguments_size)
            self.header = self.body = b""
        else:
            if left < FRAME_OVERHEAD + CONTENT_HEADER_MIN or at[0] != HEADER or <int>short_at(at + 1) != channel:
                return False
            size = long_at(at + 3)
            if size < CONTENT_HEADER_MIN or size > <unsigned long long>self.frame_limit:
                return False
            if size + FRAME_OVERHEAD > <unsigned long long>left or at[FRAME_HEADER_SIZE + size] != END:
                return False
            header = at + FRAME_HEADER_SIZE
            header_size = size
            if short_at(header) != BASIC:
                return False
            at += FRAME_OVERHEAD + size
            left -= FRAME_OVERHEAD + size
            size = long_long_at(header + 4)
            if size:
                if size > <unsigned long long>self.frame_limit or size > <unsigned long long>self.body_limit:
                    return False
                if size + FRAME_OVERHEAD > <unsigned long long>left or at[0] != BODY:
                    return False
                if <int>short_at(at + 1) != channel or long_at(at + 3) != size or at[FRAME_HEADER_SIZE + size] != END:
                    return False
                self.body = PyBytes_FromStringAndSize(<const char*>at + FRAME_HEADER_SIZE, size)
                at += FRAME_OVERHEAD + size
            else:
                self.body = b""
            if not is_same(self._publish_arguments, arguments, arguments_size):
                self._publish_arguments = PyBytes_FromStringAndSize(<const char*>arguments, arguments_size)
            if self.arguments is not self._publish_arguments:
                self.arguments = self._publish_arguments
            if not is_same(self._publish_header, header, header_size):
                self._publish_header = PyBytes_FromStringAndSize(<const char*>header, header_size)
            if self.header is not self._publish_header:
                self.header = self._publish_header
        self.channel = channel
        self.method_id = method_id
        self._position = at - data
        return True

    cpdef unsigned long long long_long(self):
        return long_long_at(<const unsigned char*>PyBytes_AS_STRING(self.arguments))


cdef class Filling:
    """See buffers.py."""

    def __cinit__(self, Py_ssize_t size):
        self._bytes = _new_bytes(NULL, size)
        self._size = size

    def __dealloc__(self):
        Py_XDECREF(self._bytes)

    cpdef add(self, bytes data, Py_ssize_t start, Py_ssize_t stop):
        if self._bytes == NULL or start < 0 or stop < start or stop > PyBytes_GET_SIZE(data):
            raise IndexError
        if stop - start > self._size - self._fill:
            raise IndexError
        memcpy(_string(self._bytes) + self._fill, PyBytes_AS_STRING(data) + start, stop - start)
        self._fill += stop - start

    cpdef bytes whole(self):
        cdef PyObject* filled = self._bytes
        if filled == NULL or self._fill != self._size:
            raise ValueError
        self._bytes = NULL
        result = <bytes>filled
        Py_XDECREF(filled)
        return result


cdef inline unsigned char* put(unsigned char* at, bytes data) noexcept:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    memcpy(at, PyBytes_AS_STRING(data), size)
    return at + size


cdef inline unsigned char* put_frame(unsigned char* at, int kind, int channel, Py_ssize_t size) noexcept nogil:
    at[0] = kind
    at[1] = <unsigned char>(channel >> 8)
    at[2] = <unsigned char>channel
    at[3] = <unsigned char>(size >> 24)
    at[4] = <unsigned char>(size >> 16)
    at[5] = <unsigned char>(size >> 8)
    at[6] = <unsigned char>size
    return at + FRAME_HEADER_SIZE


cdef class OutBuffer:
    """See buffers.py."""

    def __init__(self, Py_ssize_t frame_max):
        self.frame_max = frame_max
        self.size = 0

    def __dealloc__(self):
        Py_XDECREF(self._bytes)

    cdef unsigned char* _extend(self, Py_ssize_t size) except NULL:
        """Room for so many bytes, which the caller fills."""
        cdef Py_ssize_t fill = self._fill
        cdef Py_ssize_t room
        if fill + size > self._room:
            if self._bytes == NULL:
                room = max(size, self._usual, <Py_ssize_t>LEAST_ROOM)
                self._bytes = _new_bytes(NULL, room)
            else:
                room = max(fill + size, 2 * self._room)
                self._fill = self._room = 0  # should it fail, which leaves nothing
                _PyBytes_Resize(&self._bytes, room)
            self._room = room
        self._fill = fill + size
        return <unsigned char*>_string(self._bytes) + fill

    cpdef write(self, bytes data):
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        if size:
            put(self._extend(size), data)
            self.size += size

    cpdef deliver(
        self,
        int channel,
        bytes prefix,
        unsigned long long delivery_tag,
        bint redelivered,
        bytes address,
        bytes header,
        bytes body,
    ):
        cdef Py_ssize_t method_size = PyBytes_GET_SIZE(prefix) + 9 + PyBytes_GET_SIZE(address)
        cdef Py_ssize_t header_size = PyBytes_GET_SIZE(header)
        cdef Py_ssize_t body_size = PyBytes_GET_SIZE(body)
        cdef Py_ssize_t total = method_size + header_size + 2 * FRAME_OVERHEAD
        cdef unsigned char* at
        if body_size > JOINED or (self.frame_max != 0 and body_size > self.frame_max - FRAME_OVERHEAD):
            self.deliver_large(channel, prefix, delivery_tag, redelivered, address, header, body)
            return
        if body_size:
            total += body_size + FRAME_OVERHEAD
        at = put(put_frame(self._extend(total), METHOD, channel, method_size), prefix)
        at[0] = <unsigned char>(delivery_tag >> 56)
        at[1] = <unsigned char>(delivery_tag >> 48)
        at[2] = <unsigned char>(delivery_tag >> 40)
        at[3] = <unsigned char>(delivery_tag >> 32)
        at[4] = <unsigned char>(delivery_tag >> 24)
        at[5] = <unsigned char>(delivery_tag >> 16)
        at[6] = <unsigned char>(delivery_tag >> 8)
        at[7] = <unsigned char>delivery_tag
        at[8] = redelivered
        at = put(at + 9, address)
        at[0] = END
        at = put(put_frame(at + 1, HEADER, channel, header_size), header)
        at[0] = END
        if body_size:
            at = put(put_frame(at + 1, BODY, channel, body_size), body)
            at[0] = END
        self.size += total

    cpdef deliver_large(
        self,
        int channel,
        bytes prefix,
        unsigned long long delivery_tag,
        bint redelivered,
        bytes address,
        bytes header,
        bytes body,
    ):
        raise NotImplementedError

    cpdef bytes drain(self):
        cdef PyObject* drained = self._bytes
        if drained == NULL:
            return b""
        self._bytes = NULL
        self._usual = min(self._fill + (self._fill >> 2), <Py_ssize_t>(256 << 10))
        if self._room != self._fill:
            _PyBytes_Resize(&drained, self._fill)
        self._fill = self._room = 0
        result = <bytes>drained
        Py_XDECREF(drained)
        return result
