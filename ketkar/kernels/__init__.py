"""The hot loops, once a backend; `backend` is the one door that chooses between them.

``reference``
    NumPy, written as the equations read: the oracle of the tests, and what runs where Numba is not.
``cpu``
    Numba: the same functions, compiled on first use and cached on disk.
``cuda``
    Numba for graphics processors: the same functions, on arrays of a device or of NumPy. Without a
    device they run in the simulation of `simulation`.

The contract of a kernel, the same for every backend: it takes arrays and numbers, fills the arrays
it is given for output, checks nothing and has no default. Its arrays are C-contiguous, of one type
(float32 or float64; labels, widths and codes are int64), writeable, and do not overlap; their
shapes agree. All this is the duty of the chapter function that calls it; `backend.ready` brings an
array into this form. Sizes may be any, from one up.
"""
