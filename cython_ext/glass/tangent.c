#include "tangent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "relaxation.h"

/* A step is D' = D exp(-z) + drive sum_k a_k psi_k(z), z = rate dxi (modes.c). Because z psi_k' = k psi_(k-1) -
 * (k + 1) psi_k, and exp(-z) more for k = 0, its derivative is a step of the same kind:
 *
 *     dD' = [dD + (drive a_0 - z D) dln(dxi)] exp(-z) + drive sum_k b_k psi_k(z),
 *     b_k = da_k + (k + 1) (a_(k+1) - a_k) dln(dxi).
 *
 * da_k and dln(dxi) follow from the derivatives of ln(tau) and of its slope at both ends; at the far end these depend on
 * those of Tf and dTf/ds, which are sums over dD'. That makes two linear equations, solved exactly. Their matrix is the
 * same for all parameters. Lanes are what is differentiated by: the parameters, then Tf and dTf/ds of the far end. */

enum { BY_BETA = TNM_LANES, BY_FICTIVE, BY_SLOPE, LANES = 8 };
enum { PSI = 0, KICK = 5, CARRY = 6, ROWS = CARRY + TNM_PARAMETERS };

int tangent_create(tangent *t, const tnm_glass *glass, mode_bank *bank, const tnm_kernel *by_beta) {
    const size_t n = bank->kernel->terms, padded = n + BLOCK;
    double *memory = calloc((2 + TNM_PARAMETERS + ROWS) * padded, sizeof(double));
    if (!memory) return TNM_MEMORY;
    *t = (tangent){.glass = glass, .bank = bank, .by_beta = by_beta, .memory = memory, .weight = memory, .end = n};
    double *envelope = memory + padded;
    for (size_t i = 0; i < n; i++) {
        t->weight[i] = bank->kernel->weight[i];
        /* a mode that is nothing for the signal may be something for its derivative by beta */
        envelope[i] = fmax(bank->envelope[i], modes_table(by_beta, ENVELOPE)[i]);
    }
    bank->envelope = envelope;
    for (size_t p = 0; p < TNM_PARAMETERS; p++) t->departure[p] = memory + (2 + p) * padded;
    t->row = memory + (2 + TNM_PARAMETERS) * padded;
    t->stride = padded;
    return TNM_OK;
}

void tangent_free(tangent *t) { free(t->memory); }

/* Derivatives of ln(tau) and of its slope along the path, by everything that a lane stands for. */
static void differentiate_ln_tau(const tnm_glass *g, const tnm_node *n, int driven, double *ln_tau, double *slope) {
    if (g->model == TNM_MODEL) {
        const double h = g->value[1], x = g->value[2], t = 1.0 / n->temperature, f = 1.0 / n->fictive, m = n->slope;
        const double share = 1.0 - x, square = driven ? t * t : 0.0;
        const double by_ln_tau[LANES] = {1.0, x * t + share * f, h * (t - f), 0.0, -h * share * f * f};
        const double by_slope[LANES] = {
            0.0, -(x * square + share * m * f * f), -h * (square - m * f * f), 0.0,
            2.0 * h * share * m * f * f * f, -h * share * f * f,
        };
        memcpy(ln_tau, by_ln_tau, sizeof by_ln_tau);
        memcpy(slope, by_slope, sizeof by_slope);
        return;
    }
    relaxation_derivatives d;
    relaxation_differentiate(g, n->temperature, n->fictive, &d);
    memset(ln_tau, 0, LANES * sizeof *ln_tau);
    memset(slope, 0, LANES * sizeof *slope);
    for (size_t p = 0; p < TNM_LANES; p++) {
        ln_tau[p] = d.p[p];
        slope[p] = (driven ? d.tp[p] : 0.0) + d.fp[p] * n->slope;
    }
    ln_tau[BY_FICTIVE] = d.f;
    slope[BY_FICTIVE] = (driven ? d.tf : 0.0) + d.ff * n->slope;
    slope[BY_SLOPE] = d.f;
}

void tangent_settle(tangent *t, double lag, double temperature) {
    const tnm_node liquid = {.temperature = temperature, .fictive = temperature};
    double ln_tau[LANES], slope[LANES];
    differentiate_ln_tau(t->glass, &liquid, 1, ln_tau, slope);
    t->begin = 0;
    t->end = t->bank->kernel->terms;
    t->resting_slope = t->resting_slope_fictive = 0.0;
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        t->resting[p] = 0.0;
        for (size_t i = 0; i < t->end; i++) t->departure[p][i] = lag * ln_tau[p] * t->bank->inverse_rate[i];
    }
}

/* Give the modes up to `end` the derivatives that they have after the last step. */
static void wake_fast(tangent *t, size_t end) {
    for (size_t p = 0; p < TNM_PARAMETERS && t->end < end; p++) {
        double shape[5], d[5];
        for (size_t k = 0; k < 5; k++) shape[k] = t->shape[k][p];
        modes_end_derivatives(shape, d);
        for (size_t i = t->end; i < end; i++) {
            const double y = t->bank->inverse_rate[i] / t->dxi;
            t->departure[p][i] = t->drive * y * (d[0] + y * (d[1] + y * (d[2] + y * (d[3] + y * d[4]))));
        }
    }
    if (t->end < end) t->end = end;
}

void tangent_gather(tangent *t) {
    wake_fast(t, t->bank->kernel->terms);
    t->begin = 0;
    t->resting_slope = t->resting_slope_fictive = 0.0;
    for (size_t p = 0; p < TNM_PARAMETERS; p++) t->resting[p] = 0.0;
}

/* At fixed temperature dD of a mode at rest does not change. */
void tangent_rest(tangent *t) {
    while (t->begin != t->bank->begin) {
        const int rests = t->begin < t->bank->begin;
        const size_t i = rests ? t->begin++ : --t->begin;
        const double sign = rests ? 1.0 : -1.0;
        t->resting_slope += sign * t->by_beta->weight[i];
        t->resting_slope_fictive += sign * t->by_beta->weight[i] * t->bank->fictive[i];
        for (size_t p = 0; p < TNM_PARAMETERS; p++) t->resting[p] += sign * t->weight[i] * t->departure[p][i];
    }
}

void tangent_restart(tangent *t, const tnm_node *node, double speed) {
    const mode_bank *bank = t->bank;
    const size_t n = bank->kernel->terms;
    double ln_tau[LANES], slope[LANES];
    differentiate_ln_tau(t->glass, node, 1, ln_tau, slope);
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        double departure = modes_sum(n, t->weight, t->departure[p]);
        double relaxation = modes_sum(n, bank->weighted_rate, t->departure[p]);
        if (p == BY_BETA) {
            departure += modes_sum(n, t->by_beta->weight, bank->departure);
            relaxation += modes_sum(n, modes_table(t->by_beta, WEIGHTED_RATE), bank->departure);
        }
        t->fictive[p] = -departure;
        t->slope[p] = speed * relaxation - node->slope * (ln_tau[p] - ln_tau[BY_FICTIVE] * departure);
    }
}

/* psi_k, (drive a_0 - z D) exp(-z) and dD exp(-z) of the moving modes, 0 to the end of the last block. `start` is drive
 * a_0, `departure` D and `tangents` dD before the step. */
DISPATCHED
static void fill_rows(size_t begin, size_t slow, size_t end, size_t stride, const double *restrict rate,
                      const double *restrict inverse_rate, double dxi, double start, const double *restrict decay,
                      const double *restrict departure, const double *restrict tangents, double *restrict row) {
    double *restrict p0 = row, *restrict p1 = row + stride, *restrict p2 = row + 2 * stride;
    double *restrict p3 = row + 3 * stride, *restrict p4 = row + 4 * stride, *restrict kick = row + KICK * stride;
    const double inverse_dxi = 1.0 / dxi;
    for (size_t i = begin; i < modes_whole_blocks(begin, slow); i++) {
        const double z = rate[i] * dxi;
        double series = 1.0;
        for (int term = 15; term > 5; term--) series = 1.0 - z * (1.0 / term) * series;
        p4[i] = series * (1.0 / 5.0);
        p3[i] = (1.0 - z * p4[i]) * (1.0 / 4.0);
        p2[i] = (1.0 - z * p3[i]) * (1.0 / 3.0);
        p1[i] = (1.0 - z * p2[i]) * (1.0 / 2.0);
        p0[i] = 1.0 - z * p1[i];
    }
    for (size_t i = slow; i < modes_whole_blocks(slow, end); i++) {
        const double y = inverse_rate[i] * inverse_dxi;
        p0[i] = decay[i] * y;
        p1[i] = (1.0 - p0[i]) * y;
        p2[i] = (1.0 - 2.0 * p1[i]) * y;
        p3[i] = (1.0 - 3.0 * p2[i]) * y;
        p4[i] = (1.0 - 4.0 * p3[i]) * y;
    }
    const size_t whole = modes_whole_blocks(begin, end);
    for (size_t i = begin; i < whole; i++) kick[i] = (start - rate[i] * dxi * departure[i]) * (1.0 - decay[i]);
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        const double *restrict from = tangents + p * stride;
        double *restrict carry = row + (CARRY + p) * stride;
        for (size_t i = begin; i < whole; i++) carry[i] = from[i] * (1.0 - decay[i]);
    }
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = end; i < whole; i++) row[r * stride + i] = 0.0;
}

/* Sums of each row with the weights and with the weighted rates, over whole blocks. */
DISPATCHED
static void sum_rows(size_t blocks, size_t stride, const double *restrict weight, const double *restrict weighted_rate,
                     const double *restrict row, double *restrict departure, double *restrict relaxation) {
    double one[ROWS][BLOCK] = {{0.0}}, other[ROWS][BLOCK] = {{0.0}};
    for (size_t i = 0; i < blocks * BLOCK; i += BLOCK) {
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t j = 0; j < BLOCK; j++) one[r][j] += weight[i + j] * row[r * stride + i + j];
            for (size_t j = 0; j < BLOCK; j++) other[r][j] += weighted_rate[i + j] * row[r * stride + i + j];
        }
    }
    for (size_t r = 0; r < ROWS; r++) {
        const double *a = one[r], *b = other[r];
        departure[r] = ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]));
        relaxation[r] = ((b[0] + b[4]) + (b[1] + b[5])) + ((b[2] + b[6]) + (b[3] + b[7]));
    }
}

typedef struct {
    double ln_dxi[LANES], last[LANES], shape[5][LANES]; /* `last` of the drive at the far end, shape is the b_k */
} response;

/* The derivative of drive_shape of tnm.c, for all lanes. */
DISPATCHED
static void differentiate_shape(const double *a, const double *ln_tau0, const double *slope0, const double *ln_tau1,
                                const double *slope1, response *out) {
    const double g0 = a[0], g1 = a[0] + a[1] + a[2] + a[3] + a[4], last = g0 / g1;
    const double middle = (6.0 * g0 - 1.0 - last) / 4.0; /* tau0 / tau there */
    const double curve0 = 2.0 * a[1] / g0, curve1 = 2.0 * (a[1] + 2.0 * a[2] + 3.0 * a[3] + 4.0 * a[4]) / g1;
    for (size_t l = 0; l < LANES; l++) {
        const double change = ln_tau1[l] - ln_tau0[l];
        const double mean = -(4.0 * middle * (0.5 * change + 0.125 * (slope0[l] - slope1[l])) + last * change) / 6.0;
        const double end = mean / last + g1 * change;
        const double s0 = slope0[l] * g0 * g0 + curve0 * mean, s1 = slope1[l] * g1 * g1 + curve1 * end;
        const double value = end - mean - s0, slope = s1 - s0, area = -mean - 0.5 * s0;
        const double d4 = 30.0 * (area - 0.5 * value) + 2.5 * slope, d3 = slope - 2.0 * value - 2.0 * d4;
        const double ln_dxi = mean / g0 - ln_tau0[l];
        out->ln_dxi[l] = ln_dxi;
        out->last[l] = end;
        out->shape[0][l] = mean + ln_dxi * (a[1] - a[0]);
        out->shape[1][l] = s0 + 2.0 * ln_dxi * (a[2] - a[1]);
        out->shape[2][l] = 3.0 * value - slope + d4 + 3.0 * ln_dxi * (a[3] - a[2]);
        out->shape[3][l] = d3 + 4.0 * ln_dxi * (a[4] - a[3]);
        out->shape[4][l] = d4 - 5.0 * ln_dxi * a[4];
    }
}

/* dD at the end of the step, to whole blocks. */
DISPATCHED
static void advance(size_t begin, size_t end, size_t stride, double drive, const double *restrict ln_dxi,
                    const double (*restrict shape)[TNM_PARAMETERS], const double *restrict row, double *restrict out) {
    const double *restrict p0 = row, *restrict p1 = row + stride, *restrict p2 = row + 2 * stride;
    const double *restrict p3 = row + 3 * stride, *restrict p4 = row + 4 * stride, *restrict kick = row + KICK * stride;
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        const double *restrict carry = row + (CARRY + p) * stride;
        const double b0 = shape[0][p], b1 = shape[1][p], b2 = shape[2][p], b3 = shape[3][p], b4 = shape[4][p];
        for (size_t i = begin; i < end; i++)
            out[p * stride + i] = carry[i] + ln_dxi[p] * kick[i] +
                                  drive * (b0 * p0[i] + b1 * p1[i] + b2 * p2[i] + b3 * p3[i] + b4 * p4[i]);
    }
}

/* What each lane changes in the sums of weight * D and of weight * z * D at the end of the step. */
static void sum_lanes(tangent *t, const mode_step *step, double temperature, const response *by, double *departure,
                      double *relaxation) {
    const mode_bank *bank = t->bank;
    const size_t begin = t->begin, n = step->end - begin;
    double one[ROWS], other[ROWS];
    sum_rows((n + BLOCK - 1) / BLOCK, t->stride, t->weight + begin, bank->weighted_rate + begin, t->row + begin, one,
             other);
    for (size_t r = 0; r < ROWS; r++) other[r] *= step->dxi;
    for (size_t k = 0; k < 5; k++) {
        const double unit[5] = {k == 0, k == 1, k == 2, k == 3, k == 4};
        one[PSI + k] *= step->drive;
        other[PSI + k] *= step->drive;
        modes_add_fast(bank->kernel, step, unit, &one[PSI + k], &other[PSI + k]);
    }
    for (size_t l = 0; l < LANES; l++) {
        departure[l] = by->ln_dxi[l] * one[KICK];
        relaxation[l] = by->ln_dxi[l] * (other[KICK] + step->relaxation);
        for (size_t k = 0; k < 5; k++) {
            departure[l] += by->shape[k][l] * one[PSI + k];
            relaxation[l] += by->shape[k][l] * other[PSI + k];
        }
    }
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        departure[p] += one[CARRY + p] + t->resting[p];
        relaxation[p] += other[CARRY + p];
    }
    /* beta changes the weights as well */
    const double *weighted_rate = modes_table(t->by_beta, WEIGHTED_RATE);
    double sum = modes_sum(n, t->by_beta->weight + begin, bank->departure + begin);
    double flow = step->dxi * modes_sum(n, weighted_rate + begin, bank->departure + begin);
    modes_add_fast(t->by_beta, step, step->shape, &sum, &flow);
    departure[BY_BETA] += sum + t->resting_slope * temperature - t->resting_slope_fictive;
    relaxation[BY_BETA] += flow;
}

void tangent_step(tangent *t, const mode_step *step, const tnm_node *before, const tnm_node *after, double h) {
    const mode_bank *bank = t->bank;
    const int driven = step->drive != 0.0;
    double ln_tau0[LANES], slope0[LANES], ln_tau1[LANES], slope1[LANES];
    differentiate_ln_tau(t->glass, before, driven, ln_tau0, slope0);
    differentiate_ln_tau(t->glass, after, driven, ln_tau1, slope1);
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        ln_tau0[p] += ln_tau0[BY_FICTIVE] * t->fictive[p];
        slope0[p] += slope0[BY_FICTIVE] * t->fictive[p] + slope0[BY_SLOPE] * t->slope[p];
    }
    for (size_t l = TNM_PARAMETERS; l < LANES; l++) ln_tau0[l] = slope0[l] = 0.0;
    for (size_t l = 0; l < LANES; l++) {
        slope0[l] *= h;
        slope1[l] *= h;
    }
    response by;
    differentiate_shape(step->shape, ln_tau0, slope0, ln_tau1, slope1, &by);

    wake_fast(t, step->end);
    fill_rows(t->begin, step->slow, step->end, t->stride, bank->rate, bank->inverse_rate, step->dxi,
              step->drive * step->shape[0], bank->decay, bank->trial, t->departure[0], t->row);
    double departure[LANES], slope[LANES];
    sum_lanes(t, step, after->temperature, &by, departure, slope);
    /* dTf/ds = sum of weight * z * D / (h last) */
    const double *a = step->shape, last = a[0] + a[1] + a[2] + a[3] + a[4];
    for (size_t l = 0; l < LANES; l++) slope[l] = (slope[l] / h - after->slope * by.last[l]) / last;

    /* Tf = T - departure: two equations for the derivatives of Tf and dTf/ds at the far end */
    const double ff = 1.0 + departure[BY_FICTIVE], fs = departure[BY_SLOPE];
    const double sf = -slope[BY_FICTIVE], ss = 1.0 - slope[BY_SLOPE], determinant = ff * ss - fs * sf;
    double ln_dxi[TNM_PARAMETERS];
    for (size_t p = 0; p < TNM_PARAMETERS; p++) {
        const double f = t->fictive[p] = -(ss * departure[p] + fs * slope[p]) / determinant;
        const double s = t->slope[p] = (ff * slope[p] + sf * departure[p]) / determinant;
        ln_dxi[p] = by.ln_dxi[p] + f * by.ln_dxi[BY_FICTIVE] + s * by.ln_dxi[BY_SLOPE];
        for (size_t k = 0; k < 5; k++)
            t->shape[k][p] = by.shape[k][p] + f * by.shape[k][BY_FICTIVE] + s * by.shape[k][BY_SLOPE];
    }
    advance(t->begin, modes_whole_blocks(t->begin, step->end), t->stride, step->drive, ln_dxi, t->shape, t->row,
            t->departure[0]);
    t->end = step->end;
    t->dxi = step->dxi;
    t->drive = step->drive;
}
