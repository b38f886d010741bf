# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Compiled TNM kernel: arrays in, arrays out, GIL released. Only lehr.physics calls it."""

from libc.stddef cimport size_t


cdef extern from "tnm.h" nogil:
    ctypedef struct tnm_kernel:
        size_t terms
        size_t chains
        double mean_time
        const double *rate
        const double *weight
    ctypedef struct tnm_glass:
        double ln_a
        double delta_h_over_r
        double x
    ctypedef struct tnm_cycle:
        double cooling_rate
        double heating_rate
        double high
        double low
    ctypedef struct tnm_grid:
        size_t points
        double first
        double step
    int tnm_heating_scan(const tnm_glass *, const tnm_kernel *, const tnm_cycle *, const tnm_grid *,
                         double, double *, double *)


def heating_scans(double ln_a, double delta_h_over_r, double x,
                  const double[::1] rates, const double[::1] weights, size_t chains, double mean_time,
                  const double[:, ::1] cycles, double first, double step, double tolerance,
                  double[:, ::1] cpn, double[:, ::1] fictive_temperature):
    """Simulate all cycles of one glass in place and return the largest status.

    ``cycles`` has the columns cooling rate, heating rate (K/s), high and low temperature (K); ``cpn`` and
    ``fictive_temperature`` are (cycles, points). The caller has checked the shapes.
    """
    cdef tnm_glass glass = tnm_glass(ln_a, delta_h_over_r, x)
    cdef tnm_kernel kernel = tnm_kernel(rates.shape[0], chains, mean_time, &rates[0], &weights[0])
    cdef tnm_grid grid = tnm_grid(cpn.shape[1], first, step)
    cdef tnm_cycle cycle
    cdef int status = 0, worst = 0
    cdef Py_ssize_t i
    with nogil:
        for i in range(cycles.shape[0]):
            cycle = tnm_cycle(cycles[i, 0], cycles[i, 1], cycles[i, 2], cycles[i, 3])
            status = tnm_heating_scan(&glass, &kernel, &cycle, &grid, tolerance, &cpn[i, 0], &fictive_temperature[i, 0])
            if status > worst:
                worst = status
    return worst
