/* The one place that knows how the relaxation time depends on temperature and structure: ln tau(T, Tf) and its
 * derivatives, for each model. All else of the engine asks here. */
#ifndef LEHR_RELAXATION_H
#define LEHR_RELAXATION_H

#include <math.h>

#include "tnm.h"

/* Derivatives of ln tau: by T and Tf, and the same of what it changes by for each of three parameters. */
typedef struct {
    double t, f, tf, ff;
    double p[TNM_LANES], tp[TNM_LANES], fp[TNM_LANES];
} relaxation_derivatives;

/* ln tau and its derivatives by T and Tf of the models other than TNM. */
typedef struct {
    double ln_tau, t, f;
} relaxation_slopes;

relaxation_slopes relaxation_first(const tnm_glass *glass, double temperature, double fictive);

/* All derivatives of these models. The parameters are values glass->first and the two after it; what is not there is 0. */
void relaxation_differentiate(const tnm_glass *glass, double temperature, double fictive, relaxation_derivatives *out);

/* Whether the parameters are possible, for a glass that starts in equilibrium at a temperature. */
int relaxation_in_range(const tnm_glass *glass, double start);

/* Temperature where tau = 100 s in equilibrium. */
double relaxation_transition(const tnm_glass *glass);

/* The Arrhenius law that touches ln tau of the equilibrium liquid at a temperature: ln tau = ln_a + energy / T. TNM is one.
 * Returns the temperature down to which there is an equilibrium. */
double relaxation_arrhenius(const tnm_glass *glass, double temperature, double *ln_a, double *energy);

static inline double relaxation_ln_tau(const tnm_glass *g, double temperature, double fictive) {
    const double *v = g->value;
    if (g->model == TNM_MODEL) return v[0] + v[1] * (v[2] / temperature + (1.0 - v[2]) / fictive);
    return relaxation_first(g, temperature, fictive).ln_tau;
}

/* d ln(tau) / ds along a path: `driven` if s is the temperature, not the time; `slope` is dTf/ds. */
static inline double relaxation_slope(const tnm_glass *g, double temperature, double fictive, int driven, double slope) {
    const double *v = g->value;
    if (g->model == TNM_MODEL) {
        const double direct = driven ? v[2] / (temperature * temperature) : 0.0;
        return -v[1] * (direct + (1.0 - v[2]) * slope / (fictive * fictive));
    }
    const relaxation_slopes d = relaxation_first(g, temperature, fictive);
    return (driven ? d.t : 0.0) + d.f * slope;
}

/* The same with both terms as sizes: where they cancel, tau still changes with the structure. */
static inline double relaxation_steepness(const tnm_glass *g, double temperature, double fictive, int driven,
                                          double slope) {
    if (g->model == TNM_MODEL) return -relaxation_slope(g, temperature, fictive, driven, fabs(slope));
    const relaxation_slopes d = relaxation_first(g, temperature, fictive);
    return (driven ? fabs(d.t) : 0.0) + fabs(d.f * slope);
}

/* Change of temperature in which tau changes by a factor e, K. */
static inline double relaxation_efold(const tnm_glass *g, double temperature, double fictive) {
    if (g->model == TNM_MODEL) return temperature * temperature / g->value[1];
    const relaxation_slopes d = relaxation_first(g, temperature, fictive);
    return 1.0 / (fabs(d.t) + fabs(d.f));
}

#endif
