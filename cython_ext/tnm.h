/* Tool-Narayanaswamy-Moynihan relaxation of one glass, one cooling and heating cycle at a time.
 *
 * Plain C without Python, NumPy or MPI, so that it can be called without the GIL and tested alone.
 * Units: K, s; the activation energy enters as delta_h / R in K.
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
} tnm_kernel;

typedef struct {
    double ln_a;          /* ln(A / s) */
    double delta_h_over_r; /* K */
    double x;
} tnm_glass;

typedef struct {
    double cooling_rate; /* K/s, positive */
    double heating_rate; /* K/s, positive */
    double high;         /* K, cooling starts here in equilibrium */
    double low;          /* K, heating starts here */
} tnm_cycle;

/* Equidistant temperatures at which the heating scan is wanted. */
typedef struct {
    size_t points;
    double first; /* K */
    double step;  /* K, positive */
} tnm_grid;

enum {
    TNM_OK = 0,
    TNM_WINDOW = 1,   /* the cycle does not reach both glass (CpN = 0) and liquid (CpN = 1) */
    TNM_STEPS = 2,    /* the step control gave up */
    TNM_PARAMETER = 3, /* a parameter is not finite or out of range */
    TNM_MEMORY = 4
};

/* Simulate one cycle and write CpN and Tf (K) of the heating scan, grid->points each.
 *
 * tolerance bounds the error of CpN, relative where CpN is above 1. Points of the grid below the first and above the
 * last computed temperature are the frozen glass and the equilibrium liquid.
 * On any status but TNM_OK and TNM_WINDOW both outputs are filled with NaN.
 */
int tnm_heating_scan(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_cycle *cycle,
                     const tnm_grid *grid, double tolerance, double *cpn, double *fictive_temperature);

#endif
