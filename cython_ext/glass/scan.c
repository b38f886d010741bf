#include "tnm.h"

#include <math.h>
#include <stdlib.h>

static const double WINDOW = 2e-3; /* what is left of the transition where a scan ends in a full glass or liquid */

/* Slope of the parabola through three neighbouring nodes at the middle one. */
static double node_slope(const double *x, const double *y, size_t count, size_t i) {
    if (count < 2) return 0.0;
    if (i == 0) return (y[1] - y[0]) / (x[1] - x[0]);
    const double h0 = x[i] - x[i - 1], d0 = (y[i] - y[i - 1]) / h0;
    if (i + 1 == count) return d0;
    const double h1 = x[i + 1] - x[i], d1 = (y[i + 1] - y[i]) / h1;
    return (h1 * d0 + h0 * d1) / (h0 + h1);
}

/* Cubic a0 + t (a1 + t (a2 + t a3)) with values y and slopes m at t = 0 and h. */
static void cubic(double h, double y0, double y1, double m0, double m1, double *a) {
    const double d = (y1 - y0) / h;
    a[0] = y0;
    a[1] = m0;
    a[2] = (3.0 * d - 2.0 * m0 - m1) / h;
    a[3] = (m0 + m1 - 2.0 * d) / (h * h);
}

#define EVALUATE(a, t) ((a)[0] + (t) * ((a)[1] + (t) * ((a)[2] + (t) * (a)[3])))

/* Number of grid points below a temperature. */
static size_t points_below(const tnm_grid *grid, double temperature) {
    const double position = ceil((temperature - grid->first) / grid->step);
    if (!(position > 0.0)) return 0;
    return position < (double)grid->points ? (size_t)position : grid->points;
}

/* Number of grid points up to where a cooling scan starts, 0 for a heating scan. The scan may start in the middle of the
 * transition: at that temperature it is not yet a liquid. */
static size_t points_to_start(const tnm_trace *trace, const tnm_grid *grid) {
    const double *time = trace->column + TNM_TIME * trace->capacity;
    const double end = trace->column[TNM_TEMPERATURE * trace->capacity + trace->count - 1];
    return time[trace->count - 1] < time[0] ? points_below(grid, end + 1e-6 * grid->step) : 0;
}

static void sample(const tnm_trace *trace, const tnm_grid *grid, float *cpn32, double *cpn, double *fictive) {
    const double *x = trace->column + TNM_TEMPERATURE * trace->capacity;
    const double *y = trace->column + TNM_CPN * trace->capacity, *tf = trace->column + TNM_FICTIVE * trace->capacity;
    const size_t last = trace->count - 1, below = points_below(grid, x[0]);
    size_t p = 0;
    for (; p < below; p++) {
        if (cpn32) cpn32[p] = 0.0f;
        if (cpn) cpn[p] = 0.0;
        if (fictive) fictive[p] = tf[0];
    }
    double slope = node_slope(x, y, trace->count, 0);
    const size_t at_end = points_to_start(trace, grid);
    for (size_t i = 0; i < last; i++) {
        const double ahead = node_slope(x, y, trace->count, i + 1);
        const size_t stop = points_below(grid, x[i + 1]);
        double a[4], b[4];
        if (p < stop) {
            cubic(x[i + 1] - x[i], y[i], y[i + 1], slope, ahead, a);
            cubic(x[i + 1] - x[i], tf[i], tf[i + 1], y[i], y[i + 1], b);
        }
        for (; p < stop; p++) {
            const double t = grid->first + (double)p * grid->step - x[i];
            if (cpn32) cpn32[p] = (float)EVALUATE(a, t);
            if (cpn) cpn[p] = EVALUATE(a, t);
            if (fictive) fictive[p] = EVALUATE(b, t);
        }
        slope = ahead;
    }
    if (p < at_end) {
        if (cpn32) cpn32[p] = (float)y[last];
        if (cpn) cpn[p] = y[last];
        if (fictive) fictive[p] = tf[last];
        p++;
    }
    for (; p < grid->points; p++) {
        if (cpn32) cpn32[p] = 1.0f;
        if (cpn) cpn[p] = 1.0;
        if (fictive) fictive[p] = tf[last] + (grid->first + (double)p * grid->step - x[last]);
    }
}

/* Derivatives of CpN in the same way; below the first node and above the last they are 0. */
static void sample_derivatives(const tnm_trace *trace, const tnm_grid *grid, double *jacobian) {
    const double *x = trace->column + TNM_TEMPERATURE * trace->capacity;
    const double *y = trace->column + TNM_CPN_BY * trace->capacity;
    const size_t last = trace->count - 1, below = points_below(grid, x[0]);
    double slope[TNM_PARAMETERS];
    size_t p = below;
    for (size_t i = 0; i < TNM_PARAMETERS * below; i++) jacobian[i] = 0.0;
    for (size_t k = 0; k < TNM_PARAMETERS; k++) slope[k] = node_slope(x, y + k * trace->capacity, trace->count, 0);
    for (size_t i = 0; i < last; i++) {
        const size_t stop = points_below(grid, x[i + 1]);
        double a[4][TNM_PARAMETERS];
        for (size_t k = 0; k < TNM_PARAMETERS; k++) {
            const double *value = y + k * trace->capacity;
            const double ahead = node_slope(x, value, trace->count, i + 1);
            double one[4];
            cubic(x[i + 1] - x[i], value[i], value[i + 1], slope[k], ahead, one);
            for (size_t c = 0; c < 4; c++) a[c][k] = one[c];
            slope[k] = ahead;
        }
        for (; p < stop; p++) {
            const double t = grid->first + (double)p * grid->step - x[i];
            for (size_t k = 0; k < TNM_PARAMETERS; k++)
                jacobian[TNM_PARAMETERS * p + k] = a[0][k] + t * (a[1][k] + t * (a[2][k] + t * a[3][k]));
        }
    }
    if (p < points_to_start(trace, grid)) {
        for (size_t k = 0; k < TNM_PARAMETERS; k++) jacobian[TNM_PARAMETERS * p + k] = y[k * trace->capacity + last];
        p++;
    }
    for (size_t i = TNM_PARAMETERS * p; i < TNM_PARAMETERS * grid->points; i++) jacobian[i] = 0.0;
}

/* Let the nodes of a cooling scan ascend in temperature, as those of a heating scan do. */
static void ascend(tnm_trace *trace, size_t columns) {
    const double *x = trace->column + TNM_TEMPERATURE * trace->capacity;
    if (x[trace->count - 1] >= x[0]) return;
    for (size_t c = 0; c < columns; c++) {
        double *value = trace->column + c * trace->capacity;
        for (size_t i = 0, j = trace->count - 1; i < j; i++, j--) {
            const double swap = value[i];
            value[i] = value[j];
            value[j] = swap;
        }
    }
}

/* Whether a finished scan reaches both glass and liquid. */
static int window(const tnm_trace *trace) {
    const double *y = trace->column + TNM_CPN * trace->capacity;
    return fabs(y[0]) < WINDOW && fabs(y[trace->count - 1] - 1.0) < WINDOW ? TNM_OK : TNM_WINDOW;
}

int tnm_scan(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_program *program, const tnm_grid *grid,
             double tolerance, tnm_trace *trace, float *cpn32, double *cpn, double *fictive, double *limiting) {
    trace->count = 0;
    const int status = tnm_run(glass, kernel, NULL, program, tolerance, program->segments - 1, trace, NULL);
    if (status == TNM_OK) {
        ascend(trace, TNM_COLUMNS);
        sample(trace, grid, cpn32, cpn, fictive);
        if (limiting) *limiting = trace->column[TNM_FICTIVE * trace->capacity];
        return window(trace);
    }
    for (size_t p = 0; p < grid->points; p++) {
        if (cpn32) cpn32[p] = NAN;
        if (cpn) cpn[p] = NAN;
        if (fictive) fictive[p] = NAN;
    }
    if (limiting) *limiting = NAN;
    return status;
}

int tnm_sensitivities(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_kernel *by_beta,
                      const tnm_program *program, const tnm_grid *grid, double tolerance, tnm_trace *trace, double *cpn,
                      double *jacobian, double *limiting, double *limiting_jacobian) {
    trace->count = 0;
    const int status = tnm_run(glass, kernel, by_beta, program, tolerance, program->segments - 1, trace, NULL);
    if (status == TNM_OK) {
        ascend(trace, TNM_ALL_COLUMNS);
        sample(trace, grid, NULL, cpn, NULL);
        sample_derivatives(trace, grid, jacobian);
        *limiting = trace->column[TNM_FICTIVE * trace->capacity];
        for (size_t k = 0; k < TNM_PARAMETERS; k++)
            limiting_jacobian[k] = trace->column[(TNM_FICTIVE_BY + k) * trace->capacity];
        return window(trace);
    }
    for (size_t p = 0; p < grid->points; p++) cpn[p] = NAN;
    for (size_t i = 0; i < TNM_PARAMETERS * grid->points; i++) jacobian[i] = NAN;
    for (size_t k = 0; k < TNM_PARAMETERS; k++) limiting_jacobian[k] = NAN;
    *limiting = NAN;
    return status;
}

int tnm_recovery(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_kernel *by_beta, const tnm_program *program,
                 size_t holds, double tolerance, double *fictive, double *jacobian) {
    const size_t before = program->segments - holds;
    tnm_trace trace = {.count = 0};
    size_t *ends = malloc(program->segments * sizeof *ends);
    const int status =
        ends ? tnm_run(glass, kernel, by_beta, program, tolerance, before, &trace, ends) : TNM_MEMORY;
    for (size_t i = 0; i <= holds; i++) {
        const size_t node = status != TNM_OK || i == 0 ? 0 : ends[before + i - 1] - 1;
        fictive[i] = status == TNM_OK ? trace.column[TNM_FICTIVE * trace.capacity + node] : NAN;
        for (size_t k = 0; by_beta && k < TNM_PARAMETERS; k++)
            jacobian[TNM_PARAMETERS * i + k] =
                status == TNM_OK ? trace.column[(TNM_FICTIVE_BY + k) * trace.capacity + node] : NAN;
    }
    free(trace.column);
    free(ends);
    return status;
}
