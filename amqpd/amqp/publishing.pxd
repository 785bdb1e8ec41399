cimport cython
from ..broker.route cimport Route, Routes
from ..broker.traffic cimport Traffic
from ..message cimport Address, Message, compose
from .confirms cimport Confirms


cdef int _STORED
cdef int _REFUSED


@cython.final
cdef class Traits:
    cdef readonly bint persistent
    cdef readonly long long ttl
    cdef readonly tuple keys
    cdef readonly bytes properties
    cdef readonly str claimed


@cython.final
cdef class Target:
    cdef readonly object exchange
    cdef readonly Address address
    cdef readonly bint mandatory
    cdef public Route route
    cdef readonly Traffic traffic


@cython.final
cdef class Publishing:
    cdef public Confirms confirms
    cdef public object transaction
    cdef public bint counted
    cdef public long long spread
    cdef readonly Traffic traffic
    cdef object _customs
    cdef Routes _routes
    cdef bytes _arguments
    cdef long long _generation
    cdef Target _target
    cdef object _exchange
    cdef bint _keyed
    cdef bytes _header
    cdef bytes _properties
    cdef Traits _traits

    @cython.locals(target=Target, message=Message, route=Route, confirms=Confirms, traits=Traits, outcome=int)
    cpdef bint publish(self, bytes arguments, bytes header, bytes body) except -1
    @cython.locals(target=Target)
    cdef _look_up(self, customs, bytes arguments)
    @cython.locals(properties=bytes, traits=Traits)
    cdef _look_into(self, customs, bytes header)
