/* Derivatives of a solution with respect to three values of the glass and beta, at fixed temperature or time.
 *
 * They are carried along with the modes, on the steps of the solution, and are the exact derivatives of these steps. */
#ifndef LEHR_TANGENT_H
#define LEHR_TANGENT_H

#include "modes.h"

typedef struct {
    double s, temperature, fictive, ln_tau;
    double slope; /* dTf/ds */
} tnm_node;

typedef struct {
    const tnm_glass *glass;
    const mode_bank *bank;
    const tnm_kernel *by_beta; /* weights differentiated by beta, for the same rates */
    double *memory;
    double *weight;                      /* of the bank, in whole blocks */
    double *departure[TNM_PARAMETERS];   /* derivatives of D at fixed temperature, resting modes too */
    double *row;                         /* what the end of a step is made of, see tangent.c */
    size_t stride;                       /* of `row` */
    size_t begin, end;                   /* as in the bank, after the last accepted step */
    double resting[TNM_PARAMETERS];      /* sum of weight * dD over the resting modes */
    double resting_slope, resting_slope_fictive; /* sums of the slope, and of slope * Tf, over the resting modes */
    double dxi, drive, shape[5][TNM_PARAMETERS]; /* of the last step: they say where the modes from `end` on are */
    double fictive[TNM_PARAMETERS], slope[TNM_PARAMETERS]; /* of Tf and of dTf/ds, of the node */
} tangent;

/* `bank` is at rest in equilibrium. From here on it also keeps awake what the derivative by beta needs. */
int tangent_create(tangent *t, const tnm_glass *glass, mode_bank *bank, const tnm_kernel *by_beta);
void tangent_free(tangent *t);

/* To be called after the function of the bank of the same name. */
void tangent_settle(tangent *t, double lag, double temperature);
void tangent_gather(tangent *t);
void tangent_rest(tangent *t);

/* Take up the state of the bank at a node where all modes are active; `speed` is dxi/ds. */
void tangent_restart(tangent *t, const tnm_node *node, double speed);

/* Follow an accepted step of h in s, before the bank tries another. */
void tangent_step(tangent *t, const mode_step *step, const tnm_node *before, const tnm_node *after, double h);

#endif
