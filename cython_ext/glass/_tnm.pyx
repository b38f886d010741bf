# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Compiled kernel of the TNM model and its relatives: arrays in, arrays out, GIL released. Only lehr.glass.tnm calls it."""

from libc.stddef cimport size_t
from libc.stdlib cimport calloc, free


cdef extern from "tnm.h" nogil:
    ctypedef struct tnm_kernel:
        size_t terms
        size_t chains
        double mean_time
        const double *rate
        const double *weight
        double *tables
    ctypedef struct tnm_glass:
        int model
        size_t first
        double value[7]
    ctypedef struct tnm_segment:
        int kind
        double target
        double amount
    ctypedef struct tnm_program:
        double start
        size_t segments
        const tnm_segment *segment
    enum:
        TNM_TIME
        TNM_TEMPERATURE
        TNM_FICTIVE
        TNM_COLUMNS
    ctypedef struct tnm_trace:
        size_t count
        size_t capacity
        double *column
    ctypedef struct tnm_grid:
        size_t points
        double first
        double step
    int tnm_prepare(tnm_kernel *)
    void tnm_release(tnm_kernel *)
    int tnm_run(const tnm_glass *, const tnm_kernel *, const tnm_kernel *, const tnm_program *, double, size_t,
                tnm_trace *, size_t *)
    int tnm_scan(const tnm_glass *, const tnm_kernel *, const tnm_program *, const tnm_grid *, double, tnm_trace *,
                 float *, double *, double *, double *)
    int tnm_sensitivities(const tnm_glass *, const tnm_kernel *, const tnm_kernel *, const tnm_program *,
                          const tnm_grid *, double, tnm_trace *, double *, double *, double *, double *)
    int tnm_recovery(const tnm_glass *, const tnm_kernel *, const tnm_kernel *, const tnm_program *, size_t, double,
                     double *, double *)


cdef extern from "direct.h" nogil:
    int tnm_direct(const tnm_glass *, double, double, size_t, const double *, const double *, double *)


cdef class Programs:
    """Cycles in the form that the kernel takes: rows of kind, target (K), amount (K/s or s)."""

    cdef tnm_program *program
    cdef tnm_segment *segment
    cdef readonly Py_ssize_t cycles

    def __cinit__(self, const double[::1] start, const long long[::1] count, const double[:, ::1] rows):
        cdef Py_ssize_t i, j, row = 0
        self.cycles = start.shape[0]
        self.program = <tnm_program *> calloc(self.cycles, sizeof(tnm_program))
        self.segment = <tnm_segment *> calloc(rows.shape[0], sizeof(tnm_segment))
        if self.program == NULL or self.segment == NULL:
            raise MemoryError
        for i in range(self.cycles):
            self.program[i] = tnm_program(start[i], count[i], &self.segment[row])
            for j in range(count[i]):
                self.segment[row] = tnm_segment(<int> rows[row, 0], rows[row, 1], rows[row, 2])
                row += 1

    def __dealloc__(self):
        free(self.program)
        free(self.segment)


cdef class Kernel:
    """Exponential sum in the form that the kernel takes."""

    cdef tnm_kernel kernel
    cdef const double[::1] rates
    cdef const double[::1] weights

    def __cinit__(self, const double[::1] rates, const double[::1] weights, size_t chains, double mean_time):
        self.rates = rates
        self.weights = weights
        self.kernel = tnm_kernel(rates.shape[0], chains, mean_time, &rates[0], &weights[0], NULL)
        if tnm_prepare(&self.kernel):
            raise MemoryError

    def __dealloc__(self):
        tnm_release(&self.kernel)


cdef class Glass:
    """Values of a model of the relaxation time, in the order of relaxation.c.

    Derivatives are by value ``first`` and the two after it.
    """

    cdef tnm_glass glass

    def __cinit__(self, int model, values, size_t first=0):
        cdef Py_ssize_t i
        self.glass.model = model
        self.glass.first = first
        for i in range(7):
            self.glass.value[i] = values[i] if i < len(values) else 0.0


def scans(Glass glass, Kernel kernel, Programs programs, double first, double step, double tolerance, cpn,
          fictive_temperature=None, limiting=None):
    """Simulate all cycles of one glass in place and return the largest status.

    ``cpn`` is float32 or float64, (cycles, points); ``fictive_temperature`` is None or float64 of that shape,
    ``limiting`` is None or float64, (cycles,). The caller has checked the shapes.
    """
    cdef tnm_grid grid = tnm_grid(cpn.shape[1], first, step)
    cdef tnm_trace trace = tnm_trace(0, 0, NULL)
    cdef float[:, ::1] single
    cdef double[:, ::1] double_
    cdef double[:, ::1] fictive
    cdef float *out32 = NULL
    cdef double *out64 = NULL
    cdef double[::1] limits
    cdef double *out_fictive = NULL
    cdef double *out_limiting = NULL
    cdef size_t points = grid.points
    cdef int status = 0, worst = 0
    cdef Py_ssize_t i
    if cpn.dtype == "float32":
        single = cpn
        out32 = &single[0, 0]
    else:
        double_ = cpn
        out64 = &double_[0, 0]
    if fictive_temperature is not None:
        fictive = fictive_temperature
        out_fictive = &fictive[0, 0]
    if limiting is not None:
        limits = limiting
        out_limiting = &limits[0]
    with nogil:
        for i in range(programs.cycles):
            status = tnm_scan(
                &glass.glass, &kernel.kernel, &programs.program[i], &grid, tolerance, &trace,
                out32 + i * points if out32 != NULL else NULL,
                out64 + i * points if out64 != NULL else NULL,
                out_fictive + i * points if out_fictive != NULL else NULL,
                out_limiting + i if out_limiting != NULL else NULL)
            if status > worst:
                worst = status
    free(trace.column)
    return worst


def sensitivities(Glass glass, Kernel kernel, Kernel by_beta, Programs programs, double first, double step,
                  double tolerance, double[:, ::1] cpn, double[:, :, ::1] jacobian, double[::1] limiting,
                  double[:, ::1] limiting_jacobian):
    """Simulate all cycles of one glass and their derivatives in place and return the largest status.

    The shapes are (cycles, points), (cycles, points, 4), (cycles,) and (cycles, 4); the caller has checked them. The
    derivatives are by three values of the glass, as the kernel has them, and beta. ``by_beta`` has the rates of
    ``kernel``, and its weights differentiated by beta.
    """
    cdef tnm_grid grid = tnm_grid(cpn.shape[1], first, step)
    cdef tnm_trace trace = tnm_trace(0, 0, NULL)
    cdef int status = 0, worst = 0
    cdef Py_ssize_t i
    with nogil:
        for i in range(programs.cycles):
            status = tnm_sensitivities(&glass.glass, &kernel.kernel, &by_beta.kernel, &programs.program[i], &grid,
                                       tolerance, &trace, &cpn[i, 0], &jacobian[i, 0, 0], &limiting[i], &limiting_jacobian[i, 0])
            if status > worst:
                worst = status
    free(trace.column)
    return worst


def recovery(Glass glass, Kernel kernel, Kernel by_beta, Programs programs, size_t holds, double tolerance,
             double[::1] fictive_temperature, double[:, ::1] jacobian):
    """Run the first cycle, which ends with so many holds, in place, and return the status.

    Tf (K) and its derivatives, as in `sensitivities`, are those at the start of the first of the holds and at the end of
    each; the shapes are (holds + 1,) and (holds + 1, 4). Without derivatives ``by_beta`` and ``jacobian`` are None.
    """
    cdef int status
    cdef const tnm_kernel *slopes = NULL
    cdef double *out = NULL
    if by_beta is not None:
        slopes = &by_beta.kernel
        out = &jacobian[0, 0]
    with nogil:
        status = tnm_recovery(&glass.glass, &kernel.kernel, slopes, &programs.program[0], holds, tolerance,
                              &fictive_temperature[0], out)
    return status


def history(Glass glass, Kernel kernel, Programs programs, double tolerance):
    """Run the first cycle and return the status and its nodes: lists of time (s), temperature and Tf (K)."""
    cdef tnm_trace trace = tnm_trace(0, 0, NULL)
    cdef int status
    cdef size_t i, c
    with nogil:
        status = tnm_run(&glass.glass, &kernel.kernel, NULL, &programs.program[0], tolerance, 0, &trace, NULL)
    columns = [[trace.column[c * trace.capacity + i] for i in range(trace.count)] for c in range(TNM_FICTIVE + 1)]
    free(trace.column)
    return status, columns


def direct(Glass glass, double beta, double start, const double[::1] jump, const double[::1] hold,
           double[::1] fictive_temperature):
    """Run Eq. 4 of the paper in place and return the status; arrays are (n,), n >= 1."""
    cdef int status
    with nogil:
        status = tnm_direct(&glass.glass, beta, start, jump.shape[0], &jump[0], &hold[0], &fictive_temperature[0])
    return status
