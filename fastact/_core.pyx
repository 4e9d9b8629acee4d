# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The boundary between Python's arrays and the kernels: rows without the GIL, under OpenMP.

It holds no formula. `plain` serves the common array at the least cost; the generalised ufuncs serve every other.
"""

from cpython.long cimport PyLong_AsLong, PyLong_CheckExact
from cython.parallel cimport parallel, prange, threadid
from libc.math cimport INFINITY
from libc.stdlib cimport free, malloc

cimport cython
cimport numpy as cnp

import numpy as np

cnp.import_array()
cnp.import_umath()


cdef extern from "fastact/activations.h" nogil:
    enum: FASTACT_FIRST_GATED_PAIR
    enum: FASTACT_ELEMENTWISE

    ctypedef struct fastact_parameter:
        const char *name
        double standard, low, high

    ctypedef struct fastact_activation:
        const char *name
        char needs
        double ulp, backward_ulp
        fastact_parameter parameter[2]

    const fastact_activation *fastact_activations

    int fastact_parameters(int function)
    int fastact_operands(int function)

cdef extern from "fastact/rows.h" nogil:
    enum: FASTACT_FUNCTIONS
    enum: FASTACT_CHUNK
    enum: FASTACT_HALF_NONE
    enum: FASTACT_HALF_ALL
    enum: FASTACT_HALF_ARRAYS

    ctypedef struct fastact_row_function:
        const char *name
        const char *signature
        double empty
        double ulp

    const fastact_row_function *fastact_row_functions

    ctypedef struct fastact_job:
        Py_ssize_t rows, n
        const char *input[2]
        Py_ssize_t input_row[2]
        Py_ssize_t input_step[2]
        const char *mask
        Py_ssize_t mask_row, mask_step
        char *out
        Py_ssize_t out_row, out_step
        int half
        int stream
        void *kept
        fastact_state *parts

    ctypedef struct fastact_state:
        pass

    int fastact_inputs(int function)
    int fastact_results(int function)
    Py_ssize_t fastact_chunks(Py_ssize_t n)

    ctypedef struct fastact_kernels:
        int (*rows)(int, const fastact_job *, Py_ssize_t, Py_ssize_t) noexcept nogil
        void (*sum)(int, const fastact_job *, Py_ssize_t, Py_ssize_t) noexcept nogil
        void (*finish)(int, const fastact_job *, fastact_state *) noexcept nogil
        void (*map)(int, const fastact_job *, const fastact_state *, Py_ssize_t, Py_ssize_t) noexcept nogil
        void (*write)(int, const fastact_job *, const fastact_state *) noexcept nogil
        int (*is_staged)(int, const fastact_job *) noexcept nogil
        int (*gather)(const fastact_job *, int, Py_ssize_t, Py_ssize_t, Py_ssize_t, void *) noexcept nogil
        void (*scatter)(const fastact_job *, Py_ssize_t, Py_ssize_t, Py_ssize_t, const void *) noexcept nogil
        const fastact_kernels *halves
        void (*elementwise)(int, Py_ssize_t, const char *const *, const Py_ssize_t *, char *, Py_ssize_t, int) noexcept nogil
        size_t size

cdef extern from "fastact/maxout.h" nogil:
    void fastact_maxout_float16(char **, const Py_ssize_t *, const Py_ssize_t *, void *) noexcept
    void fastact_maxout_float32(char **, const Py_ssize_t *, const Py_ssize_t *, void *) noexcept
    void fastact_maxout_float64(char **, const Py_ssize_t *, const Py_ssize_t *, void *) noexcept
    void fastact_maxout_backward_float16(char **, const Py_ssize_t *, const Py_ssize_t *, void *) noexcept
    void fastact_maxout_backward_float32(char **, const Py_ssize_t *, const Py_ssize_t *, void *) noexcept
    void fastact_maxout_backward_float64(char **, const Py_ssize_t *, const Py_ssize_t *, void *) noexcept

cdef extern from "fastact/dispatch.h" nogil:
    enum: FASTACT_MOST_ISAS

    ctypedef struct fastact_isa:
        const char *name
        const fastact_kernels *f32
        const fastact_kernels *f64

    int fastact_available_isas(fastact_isa *)
    const char *FASTACT_COMPILER

cdef extern from *:
    """
    /* A new array of a's type and its first dimensions: what PyArray_EMPTY does, without its questions. */
    #define fastact_new(a, ndim) (PyArrayObject *)PyArray_NewFromDescr( \\
        &PyArray_Type, PyArray_DescrFromType(PyArray_TYPE(a)), ndim, PyArray_DIMS(a), NULL, NULL, 0, NULL)
    """
    cnp.ndarray fastact_new(cnp.ndarray a, int ndim)

cdef extern from "fastact/threads.h" nogil:
    int fastact_thread_limit
    int fastact_serial
    int fastact_openmp_version()
    int fastact_openmp_threads()
    int fastact_in_parallel()
    int fastact_team()
    void fastact_barrier()
    double fastact_waking
    int fastact_is_worth_waking(double work)
    void fastact_end()
    int fastact_enter()
    void fastact_leave()
    void fastact_watch_forks()
    int fastact_raised_flags()
    void fastact_keep_flags(int raised)


# --- instruction sets ---------------------------------------------------------------------------------------------

cdef fastact_isa isas[FASTACT_MOST_ISAS]
cdef int isa_count = fastact_available_isas(isas)
cdef int chosen_isa = 0


def available_isas():
    """Return the instruction sets that this build has and this processor can run, best first."""
    return tuple([isas[i].name.decode() for i in range(isa_count)])


def isa():
    """Return the name of the instruction set in use."""
    return isas[chosen_isa].name.decode()


def set_isa(str name not None):
    """Use another instruction set from now on, in the whole process.

    For tests and measurements; the best one is chosen at import, or the one that the environment variable
    ``FASTACT_ISA`` names.

    Parameters
    ----------
    name : str
        One of `available_isas`.

    Raises
    ------
    ValueError
        If this build or this processor does not have it.
    """
    global chosen_isa
    names = available_isas()
    if name not in names:
        raise ValueError(f"name must be one of {', '.join(map(repr, names))} on this processor, got {name!r}")
    chosen_isa = names.index(name)


# --- threads ------------------------------------------------------------------------------------------------------

cdef int process_limit = 1
# OpenMP's own setting at import: a lower one later is somebody's limit on the calling thread (threadpoolctl).
cdef int openmp_at_import = fastact_openmp_threads()
fastact_watch_forks()

# Nanoseconds. One thread takes so many for a byte of an exponential's argument; an average of functions, types and processors.
cdef double byte_work = 0.1
cdef double grain = 4000  # the work that each thread must find: some times what a region and its barriers take


def _set_process_threads(int count):
    global process_limit
    process_limit = count


def _get_threads():
    """(of the process, of the calling thread or 0)"""
    return process_limit, fastact_thread_limit


def _set_thread_limit(int count):
    global fastact_thread_limit
    fastact_thread_limit = count


def _set_waking(double ns):
    """Return the time that waking OpenMP's threads is taken to cost, and set another one."""
    global fastact_waking
    before, fastact_waking = fastact_waking, ns
    return before


def compiler():
    """Return the name and version of the compiler that built the kernels."""
    return FASTACT_COMPILER.decode()


def openmp_version():
    """Return the date (yyyymm) of the OpenMP version compiled in, or 0."""
    return fastact_openmp_version()


cdef int threads_for(double bytes) noexcept nogil:
    """THE policy: how many threads a call uses on so many bytes of an exponential's arguments, or on as much other work.

    More than 1 obliges to fastact_leave().
    """
    cdef int limit, now, callers
    cdef double work = bytes * byte_work
    if work < 2 * grain:
        return 1
    limit = fastact_thread_limit if fastact_thread_limit else process_limit
    if limit <= 1 or fastact_serial or fastact_in_parallel() or not fastact_is_worth_waking(work):
        return 1
    now = fastact_openmp_threads()
    if now < openmp_at_import and now < limit:
        limit = now
    if work < limit * grain:
        limit = <int>(work / grain)
    if limit <= 1:
        return 1
    # Each calling thread has an OpenMP team of its own: they share the processors.
    callers = fastact_enter()
    limit = limit // callers
    if limit <= 1:
        fastact_leave()
        return 1
    return limit


# --- rows ---------------------------------------------------------------------------------------------------------

cdef double cache_bytes = 0  # of the last-level cache
# Larger new arrays are pages that the system clears as they are touched, which brings them into the cache; malloc keeps smaller ones.
cdef double kept_bytes = 32 << 20


def _set_cache_bytes(double count):
    global cache_bytes
    cache_bytes = count


cdef int run(int function, bint double_precision, bint is_new, fastact_job *job) noexcept nogil:
    """All rows of the job; is_new: the output is. Returns 0, or -1 for want of memory."""
    cdef const fastact_kernels *kernels = isas[chosen_isa].f64 if double_precision else isas[chosen_isa].f32
    cdef double bytes = <double>job.rows * <double>job.n * <double>kernels.size
    cdef int threads = threads_for(bytes)
    cdef int failed = 0
    cdef Py_ssize_t part, row
    # Input and output cannot both stay in the cache, and the output does not take the input's place there. Softmax's gradient, which
    # computes little, gains where the output alone exceeds it, measured.
    job.stream = (bytes * (1 if function == FASTACT_softmax_backward else 2) >= cache_bytes
                  and not (is_new and bytes > kept_bytes)
                  and job.out != job.input[0] and job.out != job.input[fastact_inputs(function) - 1])
    job.kept = NULL
    if threads == 1:
        return kernels.rows(function, job, 0, job.rows)
    if job.rows < 4 * threads and job.n >= 2 * FASTACT_CHUNK:
        for row in range(job.rows):
            failed |= run_one_row(function, kernels, job, row, threads)
    else:
        for part in prange(threads, num_threads=threads, schedule="static"):
            failed |= kernels.rows(function, job, job.rows * part // threads, job.rows * (part + 1) // threads)
    fastact_leave()
    return failed


cdef int run_one_row(int function, const fastact_kernels *kernels, const fastact_job *job, Py_ssize_t row,
                     int threads) noexcept nogil:
    """One long row on several threads, in the fixed chunks that one thread takes in turn."""
    cdef Py_ssize_t n = job.n, chunks = fastact_chunks(n), c
    cdef fastact_state *parts = <fastact_state *>malloc(chunks * sizeof(fastact_state))
    cdef fastact_job one = job[0]
    cdef char *buffer = NULL
    cdef size_t room = 0
    cdef int k, inputs = fastact_inputs(function), staged, kept = 0
    if kernels.halves != NULL and not kernels.halves.is_staged(function, job):
        kernels = kernels.halves
        room = n if function == FASTACT_softmax else 0
    staged = kernels.is_staged(function, job)
    if staged:
        room = inputs * n + 2
    one.rows = 1
    one.parts = parts
    one.out = job.out + row * job.out_row
    for k in range(inputs):
        one.input[k] = job.input[k] + row * job.input_row[k]
    if room:
        buffer = <char *>malloc(room * kernels.size)
    if parts == NULL or (room and buffer == NULL):
        free(parts)
        free(buffer)
        return -1
    one.kept = NULL if staged else buffer
    if staged:
        one.out = buffer
        for k in range(inputs):
            one.input[k] = buffer + k * n * kernels.size
            for c in prange(chunks, num_threads=threads, schedule="static"):
                kept |= kernels.gather(job, k, row, c * FASTACT_CHUNK, min(n, (c + 1) * FASTACT_CHUNK),
                                       buffer + (k * n + c * FASTACT_CHUNK) * kernels.size)
        one.mask = NULL
        one.half = 0
        if kept == 0:
            free(parts)
            free(buffer)
            return kernels.rows(function, job, row, row + 1)
    with parallel(num_threads=threads):
        run_passes(function, kernels, &one, chunks, threadid(), fastact_team())
    if staged and fastact_results(function):
        kernels.scatter(job, row, 0, fastact_results(function), buffer)
    elif staged:
        for c in prange(chunks, num_threads=threads, schedule="static"):
            kernels.scatter(job, row, c * FASTACT_CHUNK, min(n, (c + 1) * FASTACT_CHUNK),
                            buffer + c * FASTACT_CHUNK * kernels.size)
    free(parts)
    free(buffer)
    return 0


cdef void run_passes(int function, const fastact_kernels *kernels, const fastact_job *job, Py_ssize_t chunks, int thread,
                     int threads) noexcept nogil:
    """What one of the threads does: its chunks of each pass. All of them fold all parts: that spares a second barrier."""
    cdef Py_ssize_t first = chunks * thread // threads, last = chunks * (thread + 1) // threads
    cdef fastact_state row
    kernels.sum(function, job, first, last)
    fastact_barrier()
    if not fastact_results(function):
        kernels.finish(function, job, &row)
        kernels.map(function, job, &row, first, last)
    elif thread == 0:
        kernels.finish(function, job, &row)
        kernels.write(function, job, &row)


# --- the plain array ----------------------------------------------------------------------------------------------

cdef inline bint is_plain(object a) noexcept:
    """A contiguous, aligned, native array of a type the kernels have, and no subclass."""
    if not cnp.PyArray_CheckExact(a) or not cnp.PyArray_ISCARRAY_RO(a):
        return False
    return cnp.PyArray_TYPE(a) in (cnp.NPY_FLOAT32, cnp.NPY_FLOAT64, cnp.NPY_FLOAT16)


cdef inline bint are_apart(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether two plain arrays begin at the same place or share no memory at all."""
    cdef char *p = <char *>cnp.PyArray_DATA(a)
    cdef char *q = <char *>cnp.PyArray_DATA(b)
    return p == q or p + cnp.PyArray_NBYTES(a) <= q or q + cnp.PyArray_NBYTES(b) <= p


cdef inline bint is_like(cnp.ndarray a, int ndim, object b) noexcept:
    """Whether b is plain, of a's type and its first ndim dimensions."""
    cdef int i
    if not is_plain(b) or cnp.PyArray_NDIM(<cnp.ndarray>b) != ndim or cnp.PyArray_TYPE(<cnp.ndarray>b) != cnp.PyArray_TYPE(a):
        return False
    for i in range(ndim):
        if cnp.PyArray_DIM(a, i) != cnp.PyArray_DIM(<cnp.ndarray>b, i):
            return False
    return True


cdef inline bint can_be_out(object out, cnp.ndarray a, int ndim, object second) noexcept:
    """Whether a result of a's type and its first ndim dimensions, of a and perhaps a second array, can go straight to out."""
    return (is_like(a, ndim, out) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray>out) and are_apart(a, <cnp.ndarray>out)
            and (second is None or are_apart(<cnp.ndarray>second, <cnp.ndarray>out)))


cdef object plain(int function, object x, object second, object axis, object out):
    """The function's result for plain arrays along their last axis (or all of it, axis None); None for anything else."""
    cdef int ndim, type_number, failed, k
    cdef long number
    cdef fastact_job job
    cdef Py_ssize_t n, itemsize, size
    cdef double value = 0
    cdef bint is_new
    cdef cnp.ndarray a, y
    if not is_plain(x):
        return None
    a = <cnp.ndarray>x
    ndim = cnp.PyArray_NDIM(a)
    if ndim == 0:
        return None
    size = cnp.PyArray_SIZE(a)
    if axis is None:
        n = size
        if fastact_results(function):
            ndim = 1
    else:
        if not PyLong_CheckExact(axis):
            return None
        number = PyLong_AsLong(axis)
        if number != -1 and number != ndim - 1:
            return None
        n = cnp.PyArray_DIM(a, ndim - 1)
    if size == 0:
        return None
    type_number = cnp.PyArray_TYPE(a)
    itemsize = cnp.PyArray_ITEMSIZE(a)
    if second is not None:
        if not is_like(a, cnp.PyArray_NDIM(a), second):
            return None
        job.input[1] = <const char *>cnp.PyArray_DATA(<cnp.ndarray>second)
        job.input_row[1] = n * itemsize
        job.input_step[1] = itemsize
    if fastact_results(function):
        ndim -= 1
        job.out_row = itemsize
    else:
        job.out_row = n * itemsize
    if out is None:
        if ndim == 0:
            y = None
            job.out = <char *>&value
        else:
            y = fastact_new(a, ndim)
            job.out = <char *>cnp.PyArray_DATA(y)
    elif can_be_out(out, a, ndim, second):
        y = <cnp.ndarray>out
        job.out = <char *>cnp.PyArray_DATA(y)
    else:
        return None
    job.rows = 1 if size == n else size // n
    job.n = n
    job.input[0] = <const char *>cnp.PyArray_DATA(a)
    job.input_row[0] = n * itemsize
    job.input_step[0] = itemsize
    job.mask = NULL
    job.out_step = itemsize
    job.half = type_number == cnp.NPY_FLOAT16
    is_new = out is None
    if size * itemsize < 16384:
        # A few microseconds: less than it takes other threads to make use of the GIL.
        failed = run(function, type_number == cnp.NPY_FLOAT64, is_new, &job)
    else:
        with nogil:
            failed = run(function, type_number == cnp.NPY_FLOAT64, is_new, &job)
            fastact_end()
    if failed:
        raise MemoryError("no memory for the rows' buffer")
    if y is None:
        return cnp.PyArray_ToScalar(&value, a)
    return y


# --- generalised ufuncs -------------------------------------------------------------------------------------------

cdef struct Loop:
    int function
    int type_number
    int masked

cdef Loop loops[FASTACT_FUNCTIONS * 2 * 3]
cdef cnp.PyUFuncGenericFunction loop_functions[3]
cdef void *loop_data[FASTACT_FUNCTIONS * 2][3]
cdef char loop_types[FASTACT_FUNCTIONS * 2][3 * 4]


cdef void ufunc_loop(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef Loop *loop = <Loop *>data
    cdef fastact_job job
    cdef int inputs = fastact_inputs(loop.function), operands = inputs + loop.masked + 1, k, raised
    job.rows = dims[0]
    job.n = dims[1]
    for k in range(inputs):
        job.input[k] = args[k]
        job.input_row[k] = steps[k]
        job.input_step[k] = steps[operands + k]
    job.mask = NULL
    if loop.masked:
        job.mask = args[inputs]
        job.mask_row = steps[inputs]
        job.mask_step = steps[operands + inputs]
    job.out = args[operands - 1]
    job.out_row = steps[operands - 1]
    job.out_step = steps[2 * operands - 1] if fastact_results(loop.function) != 1 else 0
    job.half = loop.type_number == cnp.NPY_FLOAT16
    # NumPy would warn of the flags that the kernels raise in passing.
    raised = fastact_raised_flags()
    if run(loop.function, loop.type_number == cnp.NPY_FLOAT64, False, &job):
        with gil:
            raise_memory_error()
    fastact_end()
    fastact_keep_flags(raised)


cdef int raise_memory_error() except -1:
    raise MemoryError("no memory for the rows' buffer")


cdef object make_ufunc(int function, bint masked):
    """The generalised ufunc of one row function, with an operand for `where` or without."""
    cdef int which = 2 * function + masked, inputs = fastact_inputs(function), t, k, j = 0
    cdef const fastact_row_function *row = &fastact_row_functions[function]
    cdef int *types = [cnp.NPY_FLOAT16, cnp.NPY_FLOAT32, cnp.NPY_FLOAT64]
    signature = row.signature.decode()
    name = row.name.decode()
    if masked:
        signature = signature.replace("->", ",(n)->")
        name += "_where"
    for t in range(3):
        loops[3 * which + t] = Loop(function, types[t], masked)
        loop_data[which][t] = &loops[3 * which + t]
        loop_functions[t] = <cnp.PyUFuncGenericFunction>ufunc_loop
        for k in range(inputs):
            loop_types[which][j] = types[t]
            j += 1
        if masked:
            loop_types[which][j] = cnp.NPY_BOOL
            j += 1
        loop_types[which][j] = types[t]
        j += 1
    name, signature = name.encode(), signature.encode()
    kept_alive.append((name, signature))
    return cnp.PyUFunc_FromFuncAndDataAndSignature(
        loop_functions, loop_data[which], loop_types[which], 3, inputs + masked, 1, cnp.PyUFunc_None,
        name, b"", 0, signature)


# --- activations --------------------------------------------------------------------------------------------------

cdef inline bint is_cheap(int function) noexcept nogil:
    """Whether the function needs no exponential: a quarter of the work."""
    return function in (FASTACT_sigmoid_backward, FASTACT_tanh_backward) or function - function % 2 in (
        FASTACT_relu, FASTACT_leaky_relu, FASTACT_prelu, FASTACT_softsign, FASTACT_relu6, FASTACT_hard_tanh,
        FASTACT_hard_sigmoid, FASTACT_hard_swish, FASTACT_threshold)


cdef void run_elementwise(int function, bint double_precision, Py_ssize_t n, const char **args, const Py_ssize_t *steps,
                          char *out, Py_ssize_t out_step, int half) noexcept nogil:
    """All n entries, in one piece for each thread."""
    cdef const fastact_kernels *kernels = isas[chosen_isa].f64 if double_precision else isas[chosen_isa].f32
    cdef int threads = threads_for((0.25 if is_cheap(function) else 1) * <double>(n * kernels.size)), part
    if threads == 1:
        kernels.elementwise(function, n, args, steps, out, out_step, half)
        return
    for part in prange(threads, num_threads=threads, schedule="static"):
        run_part(kernels, function, n * part // threads, n * (part + 1) // threads, args, steps, out, out_step, half)
    fastact_leave()


cdef void run_part(const fastact_kernels *kernels, int function, Py_ssize_t begin, Py_ssize_t end, const char **args,
                   const Py_ssize_t *steps, char *out, Py_ssize_t out_step, int half) noexcept nogil:
    cdef const char *moved[4]
    cdef int k
    for k in range(fastact_operands(function)):
        moved[k] = args[k] + begin * steps[k]
    kernels.elementwise(function, end - begin, moved, steps, out + begin * out_step, out_step, half)


cdef inline int check_range(const fastact_parameter *parameter, double number, object value, str type_name) except -1:
    if parameter.low <= number <= parameter.high or parameter.low == -INFINITY:
        return 0
    needed = "greater than 0" if parameter.low > 0 else "finite"
    raise ValueError(f"{parameter.name.decode()} must be {needed}{type_name}, got {value!r}")


cdef object parameter_value(int function, int k, object value):
    """A scalar parameter as a float in its range; an array (one value for each entry) as it is."""
    cdef const fastact_parameter *parameter = &fastact_activations[function // 2].parameter[k]
    if isinstance(value, cnp.ndarray) and value.ndim:
        return value
    number = value
    if type(value) is not float:
        try:
            # Complex numbers, dates, text, objects and masked values have a float() of their own.
            if type(value) is not int and isinstance(value, (np.ndarray, np.generic)) and (
                    value.dtype.kind not in "biuf" or isinstance(value, np.ma.MaskedArray)):
                raise TypeError
            number = float("" if isinstance(value, (str, bytes)) else value)
        except OverflowError:
            number = INFINITY
        except (TypeError, ValueError):
            raise TypeError(f"{parameter.name.decode()} must be a number, got {value!r}") from None
    check_range(parameter, number, value, "")
    return number


cdef object elementwise(int function, object a, object b, object p, object q, object out, object where, object dtype):
    """The activation or gradient of a (and b), with the parameters p and q."""
    cdef int type_number, half, operands = 1, parameters = fastact_parameters(function), k
    cdef Py_ssize_t n, itemsize
    cdef cnp.ndarray x, y
    cdef const char *args[4]
    cdef Py_ssize_t steps[4]
    cdef double doubles[2]
    cdef float floats[2]
    if parameters > 0:
        p = parameter_value(function, 0, p)
    if parameters > 1:
        q = parameter_value(function, 1, q)
    if (where is not True or dtype is not None or not is_plain(a) or cnp.PyArray_NDIM(<cnp.ndarray>a) == 0
            or (parameters > 0 and type(p) is not float)):
        return general(function, a, b, p, q, out, where, dtype)
    x = <cnp.ndarray>a
    n = cnp.PyArray_SIZE(x)
    type_number = cnp.PyArray_TYPE(x)
    itemsize = cnp.PyArray_ITEMSIZE(x)
    if (function % 2 and not is_like(x, cnp.PyArray_NDIM(x), b)
            or out is not None and not can_be_out(out, x, cnp.PyArray_NDIM(x), b)):
        return general(function, a, b, p, q, out, where, dtype)
    args[0] = <const char *>cnp.PyArray_DATA(x)
    steps[0] = itemsize
    if function % 2:
        args[1] = <const char *>cnp.PyArray_DATA(<cnp.ndarray>b)
        steps[1] = itemsize
        operands = 2
    for k in range(parameters):
        value = q if k else p
        doubles[k] = value
        floats[k] = <float>doubles[k]
        if type_number != cnp.NPY_FLOAT64:
            check_range(&fastact_activations[function // 2].parameter[k], floats[k], value, " in float32")
        args[operands] = <const char *>&doubles[k] if type_number == cnp.NPY_FLOAT64 else <const char *>&floats[k]
        steps[operands] = 0
        operands += 1
    y = fastact_new(x, cnp.PyArray_NDIM(x)) if out is None else <cnp.ndarray>out
    half = FASTACT_HALF_ARRAYS if type_number == cnp.NPY_FLOAT16 else FASTACT_HALF_NONE
    if n * itemsize < 16384:
        run_elementwise(function, type_number == cnp.NPY_FLOAT64, n, args, steps, <char *>cnp.PyArray_DATA(y), itemsize, half)
    else:
        with nogil:
            run_elementwise(function, type_number == cnp.NPY_FLOAT64, n, args, steps, <char *>cnp.PyArray_DATA(y), itemsize, half)
            fastact_end()
    return y


cdef object general(int function, object a, object b, object p, object q, object out, object where, object dtype):
    from fastact import _arrays

    cdef int parameters = fastact_parameters(function)
    cdef const fastact_activation *activation = &fastact_activations[function // 2]
    name, needs = activation.name.decode(), chr(activation.needs)
    operands = {"grad": a, needs: b} if function % 2 else {"x": a}
    for k in range(parameters):
        operands[activation.parameter[k].name.decode()] = q if k else p
    return _arrays.elementwise(name + "_backward" * (function % 2), operands, parameters, out, where, dtype)


cdef struct ElementwiseLoop:
    int function
    bint double_precision
    int half

cdef ElementwiseLoop elementwise_loops[FASTACT_ELEMENTWISE * 4]
cdef void *elementwise_data[FASTACT_ELEMENTWISE][4]
cdef char elementwise_types[FASTACT_ELEMENTWISE][4 * 5]
cdef cnp.PyUFuncGenericFunction elementwise_functions[4]


cdef void elementwise_loop(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef ElementwiseLoop *loop = <ElementwiseLoop *>data
    cdef int operands = fastact_operands(loop.function)
    # NumPy would warn of the flags that the kernels raise in passing.
    cdef int raised = fastact_raised_flags()
    run_elementwise(loop.function, loop.double_precision, dims[0], <const char **>args, <const Py_ssize_t *>steps,
                    args[operands], steps[operands], loop.half)
    fastact_end()
    fastact_keep_flags(raised)


cdef object make_elementwise_ufunc(int function, str name):
    """Parameters of float16 arrays may be float32, which NumPy prefers for numbers: it takes the first loop that fits."""
    cdef int *types = [cnp.NPY_FLOAT16, cnp.NPY_FLOAT16, cnp.NPY_FLOAT32, cnp.NPY_FLOAT64]
    cdef int *halves = [FASTACT_HALF_ARRAYS, FASTACT_HALF_ALL, FASTACT_HALF_NONE, FASTACT_HALF_NONE]
    cdef int t, k, operands = fastact_operands(function), parameters = fastact_parameters(function)
    for t in range(4):
        elementwise_loops[4 * function + t] = ElementwiseLoop(function, types[t] == cnp.NPY_FLOAT64, halves[t])
        elementwise_data[function][t] = &elementwise_loops[4 * function + t]
        elementwise_functions[t] = <cnp.PyUFuncGenericFunction>elementwise_loop
        for k in range(operands + 1):
            of_parameter = operands - parameters <= k < operands
            elementwise_types[function][t * (operands + 1) + k] = (
                cnp.NPY_FLOAT32 if of_parameter and halves[t] == FASTACT_HALF_ARRAYS else types[t])
    encoded = name.encode()
    kept_alive.append(encoded)
    k = parameters == 0  # no use for the first loop
    return cnp.PyUFunc_FromFuncAndData(elementwise_functions + k, elementwise_data[function] + k,
                                       elementwise_types[function] + k * (operands + 1), 4 - k,
                                       operands, 1, cnp.PyUFunc_None, encoded, b"", 0)


cdef cnp.PyUFuncGenericFunction maxout_functions[3][3]
cdef void *maxout_data[3][3]
cdef char maxout_types[3][3 * 4]


cdef object make_maxout(int which, int outputs, bytes signature, str types, void *of_float16, void *of_float32, void *of_float64):
    """One of maxout's generalised ufuncs from its loops. `types`: of its operands, f for each of the three, i for their numbers."""
    cdef int *floats = [cnp.NPY_FLOAT16, cnp.NPY_FLOAT32, cnp.NPY_FLOAT64]
    cdef void **loop = [of_float16, of_float32, of_float64]
    cdef int t, k, operands = len(types)
    for t in range(3):
        maxout_functions[which][t] = <cnp.PyUFuncGenericFunction>loop[t]
        maxout_data[which][t] = <void *>maxout_types if outputs == 2 else NULL  # not NULL: the numbers are a result too
        for k in range(operands):
            maxout_types[which][t * operands + k] = floats[t] if types[k] == "f" else cnp.NPY_INTP
    kept_alive.append(signature)
    return cnp.PyUFunc_FromFuncAndDataAndSignature(
        maxout_functions[which], maxout_data[which], maxout_types[which], 3, operands - outputs, outputs, cnp.PyUFunc_None,
        b"maxout", b"", 0, signature)


# --- activations as objects ---------------------------------------------------------------------------------------

@cython.auto_pickle(False)
cdef class Call:
    """The call of an Activation, without a Python frame or a dictionary each time.

    `needs` is the array that the gradient takes, x or y, or None. An elementwise function is called by its number; the others, by
    number -1, take an array, the gradient `needs`, and the one parameter, their axis.
    """

    cdef readonly object name, parameters, _forward
    cdef object backward_function, needs, p, q
    cdef int function

    def __init__(self, name, parameters, forward, backward, needs, int function):
        self.name, self.parameters, self._forward = name, parameters, forward
        self.backward_function, self.needs, self.function = backward, needs, function
        self.p, self.q = (*parameters.values(), None, None)[:2]

    def __call__(self, x, out=None):
        """The activation of x."""
        if self.function < 0:
            return self._forward(x, self.p, out=out)
        return elementwise(self.function, x, None, self.p, self.q, out, True, None)

    def backward(self, grad, x=None, y=None, out=None):
        """Return the gradient of a loss with respect to x, given that with respect to the result.

        Parameters
        ----------
        grad : array_like
            Gradient with respect to the result.
        x, y : array_like, optional
            The input and the result. Each activation needs one of them, hardmax none, and says which if it is missing.
        out : ndarray, optional
            Where the result is written.

        Returns
        -------
        ndarray or scalar
            Gradient with respect to x; `out` if it was given.

        Raises
        ------
        TypeError
            If what it needs is missing.
        """
        operand = y if self.needs == "y" else x
        if operand is None and self.needs is not None:
            what = "x, the input" if self.needs == "x" else "y, the result"
            raise TypeError(f"the gradient of {self.name} needs {what}: act.backward(grad, {self.needs}=...)")
        if self.function < 0:
            return self.backward_function(grad, operand, self.p, out=out)
        return elementwise(self.function + 1, grad, operand, self.p, self.q, out, True, None)


cdef list kept_alive = []  # NumPy keeps the pointers to a ufunc's name and signature

#: name -> generalised ufunc
ufuncs = {}
#: name -> generalised ufunc with a further operand for `where`
masked_ufuncs = {}
#: name -> error bound in ULP
error_bounds = {}


cdef int make_ufuncs() except -1:
    cdef int f
    for f in range(FASTACT_FUNCTIONS):
        name = fastact_row_functions[f].name.decode()
        ufuncs[name] = make_ufunc(f, False)
        if fastact_row_functions[f].empty == fastact_row_functions[f].empty:  # not NaN
            masked_ufuncs[name] = make_ufunc(f, True)
        error_bounds[name] = fastact_row_functions[f].ulp
    return 0


#: The largest along an axis; that and its number; the gradient from one with respect to the largest, its number, and all numbers.
maxout = make_maxout(0, 1, b"(n)->()", "ff",
                     <void *>fastact_maxout_float16, <void *>fastact_maxout_float32, <void *>fastact_maxout_float64)
maxout_index = make_maxout(1, 2, b"(n)->(),()", "ffi",
                           <void *>fastact_maxout_float16, <void *>fastact_maxout_float32, <void *>fastact_maxout_float64)
maxout_backward = make_maxout(2, 1, b"(),(),(n)->(n)", "fiif", <void *>fastact_maxout_backward_float16,
                              <void *>fastact_maxout_backward_float32, <void *>fastact_maxout_backward_float64)
#: name -> its line of the list of activations
activations = {}
#: the same of the gated pairs
gated_pairs = {}
#: name of either, or of its gradient with "_backward" -> ufunc
elementwise_ufuncs = {}


cdef int make_elementwise_ufuncs() except -1:
    cdef int f, k
    cdef const fastact_activation *activation
    for f in range(0, FASTACT_ELEMENTWISE, 2):
        activation = &fastact_activations[f // 2]
        name = activation.name.decode()
        parameters = []
        for k in range(fastact_parameters(f)):
            standard = activation.parameter[k].standard
            parameters.append((activation.parameter[k].name.decode(), standard if standard == standard else None,
                               activation.parameter[k].low, activation.parameter[k].high))
        (activations if f < FASTACT_FIRST_GATED_PAIR else gated_pairs)[name] = {
            "parameters": tuple(parameters),
            "needs": chr(activation.needs),
            "ulp": activation.ulp,
            "backward_ulp": activation.backward_ulp,
        }
        elementwise_ufuncs[name] = make_elementwise_ufunc(f, name)
        elementwise_ufuncs[name + "_backward"] = make_elementwise_ufunc(f + 1, name + "_backward")
    return 0


make_ufuncs()
make_elementwise_ufuncs()
