/* Tool-Narayanaswamy-Moynihan relaxation of one glass under any program of ramps, holds and jumps. Other models of the
 * relaxation time take the place of that of TNM (relaxation.h).
 *
 * Plain C without Python, NumPy or MPI, so that it can be called without the GIL and tested alone.
 * Units: K, s; energies enter divided by R, in K.
 */
#ifndef LEHR_TNM_H
#define LEHR_TNM_H

#include <stddef.h>

/* exp(-u^beta) ~ sum_i weight[i] exp(-rate[i] u), rate[i] = rate[0] * 2^(i / chains). */
typedef struct {
    size_t terms;
    size_t chains;
    double mean_time; /* integral of exp(-u^beta) over u: Gamma(1 + 1/beta) */
    const double *rate;
    const double *weight;
    double *tables; /* made of these by tnm_prepare */
} tnm_kernel;

/* Models of the relaxation time, and how many values the largest has (relaxation.c says which they are). */
enum { TNM_MODEL = 0, TNM_ADAM_GIBBS = 1, TNM_MAP = 2, TNM_VALUES = 7 };

/* How many values of a model one run differentiates by. */
enum { TNM_LANES = 3 };

typedef struct {
    int model;
    size_t first;             /* derivatives are by this value and the two after it */
    double value[TNM_VALUES]; /* TNM: ln(A / s), delta_h / R in K, x */
} tnm_glass;

enum { TNM_RAMP = 0, TNM_HOLD = 1, TNM_JUMP = 2 };

typedef struct {
    int kind;
    double target; /* K, of a ramp or a jump */
    double amount; /* rate of a ramp, K/s, positive; duration of a hold, s */
} tnm_segment;

/* What the glass does: it starts in equilibrium. */
typedef struct {
    double start; /* K */
    size_t segments;
    const tnm_segment *segment;
} tnm_program;

/* What a run differentiates by: three values of the glass, in their order, then beta. */
enum { TNM_PARAMETERS = TNM_LANES + 1 };

/* Nodes of the integration. The caller frees `column`, a block of columns of `capacity`. The last two kinds are
 * derivatives at fixed temperature, one column for each parameter; they are there only if they were asked for, so that a
 * trace must not be used with and without derivatives in turn. */
enum {
    TNM_TIME = 0,
    TNM_TEMPERATURE = 1,
    TNM_FICTIVE = 2,
    TNM_CPN = 3,
    TNM_COLUMNS = 4,
    TNM_FICTIVE_BY = 4,
    TNM_CPN_BY = TNM_FICTIVE_BY + TNM_PARAMETERS,
    TNM_ALL_COLUMNS = TNM_CPN_BY + TNM_PARAMETERS
};
typedef struct {
    size_t count, capacity;
    double *column;
} tnm_trace;

/* Equidistant temperatures at which a scan is wanted. */
typedef struct {
    size_t points;
    double first; /* K */
    double step;  /* K, positive */
} tnm_grid;

enum {
    TNM_OK = 0,
    TNM_WINDOW = 1,    /* the scan does not reach both glass (CpN = 0) and liquid (CpN = 1) */
    TNM_STEPS = 2,     /* the step control gave up */
    TNM_PARAMETER = 3, /* a parameter is not finite or out of range */
    TNM_MEMORY = 4
};

/* Make the tables of a kernel, once for all glasses of its beta; tnm_release frees them. Returns TNM_OK or TNM_MEMORY. */
int tnm_prepare(tnm_kernel *kernel);
void tnm_release(tnm_kernel *kernel);

/* Run a program and add the nodes of the segments from `record` on to the trace. `ends`, which may be null, gets the
 * number of nodes after each segment.
 *
 * tolerance is the error of CpN = dTf/dT that nearly all points stay below. Ranges of temperature in which the glass
 * is frozen, or a ramp in its steady state, are passed over: the trace has no nodes there. In the column CPN a hold has
 * dTf/dt in K/s. With `by_beta`, the kernel of the same rates whose weights are differentiated by beta, the trace has
 * derivatives too; without (null) it costs nothing.
 */
int tnm_run(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_kernel *by_beta, const tnm_program *program,
            double tolerance, size_t record, tnm_trace *trace, size_t *ends);

/* Write CpN and Tf (K) of the last segment of a program, a ramp, and Tf' (K), the fictive temperature of the glass before
 * that ramp if it heats, after it if it cools; each output may be null.
 *
 * Below the first node the glass is frozen, above the last it is an equilibrium liquid. On any status but TNM_OK and
 * TNM_WINDOW the outputs are filled with NaN.
 */
int tnm_scan(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_program *program,
             const tnm_grid *grid, double tolerance, tnm_trace *trace, float *cpn32, double *cpn, double *fictive,
             double *limiting);

/* The same with derivatives by the parameters at fixed temperature: `jacobian` has TNM_PARAMETERS values for each point,
 * `limiting_jacobian` has as many in all. */
int tnm_sensitivities(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_kernel *by_beta,
                      const tnm_program *program, const tnm_grid *grid, double tolerance, tnm_trace *trace, double *cpn,
                      double *jacobian, double *limiting, double *limiting_jacobian);

/* Write Tf (K) at the start of the first of the last `holds` segments of a program, all of them holds, and at the end of
 * each: holds + 1 values. With `by_beta`, which may be null, `jacobian` gets TNM_PARAMETERS derivatives for each. On any
 * status but TNM_OK the outputs are filled with NaN. */
int tnm_recovery(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_kernel *by_beta, const tnm_program *program,
                 size_t holds, double tolerance, double *fictive, double *jacobian);

#endif
