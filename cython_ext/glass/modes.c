#include "modes.h"

#include <math.h>
#include <stdlib.h>

/* With g = dT/dxi as a quartic in theta, a step is exact:
 *
 *     D' = D exp(-z) + drive sum_k shape_k psi_k(z),   psi_k(z) = integral_0^1 exp(-z (1 - theta)) theta^k.
 *
 * Modes are in order of their rates, so that z grows along the bank, and each range of z has its own way:
 *
 *     [0, begin)     too slow to move: their Tf is kept, and costs nothing
 *     [begin, tiny)  z < 2^-TINY: psi_4 by four terms of its series, the others downwards
 *     [tiny, slow)   z < 1: the same with ten terms
 *     [slow, end)    psi_0 from exp(-z), the others upwards; E = 1 - exp(-z) by E(2z) = E(z) (2 - E(z))
 *     [end, terms)   z > 2^STIFF: D from the end of the step alone; only sums over all of them are needed
 *
 * Loops run in blocks over the end of their range; what they spill there is overwritten by the range that follows. */

static const double TINY = 7.0;
static const double STIFF = 5.0;

int tnm_prepare(tnm_kernel *kernel) {
    const size_t n = kernel->terms, padded = n + BLOCK;
    double *rate = calloc(4 * padded + 6 * (n + 1), sizeof(double));
    double *inverse_rate = rate + padded, *weighted_rate = rate + 2 * padded, *envelope = rate + 3 * padded;
    double *tail = rate + 4 * padded;
    kernel->tables = rate;
    if (!rate) return TNM_MEMORY;
    /* tail[i][j] = sum over modes m >= i of weight[m] (rate[i] / rate[m])^j */
    const double ratio = exp2(-1.0 / (double)kernel->chains);
    const size_t near = 2 * kernel->chains;
    for (size_t i = n; i-- > 0;) {
        rate[i] = kernel->rate[i];
        inverse_rate[i] = 1.0 / kernel->rate[i];
        weighted_rate[i] = kernel->weight[i] * kernel->rate[i];
        double power = 1.0;
        for (size_t j = 0; j < 6; j++, power *= ratio) tail[6 * i + j] = kernel->weight[i] + power * tail[6 * (i + 1) + j];
        for (size_t j = i > near ? i - near : 0; j < n && j <= i + near; j++)
            envelope[i] = fmax(envelope[i], fabs(kernel->weight[j]));
    }
    return TNM_OK;
}

void tnm_release(tnm_kernel *kernel) {
    free(kernel->tables);
    kernel->tables = NULL;
}

int modes_create(mode_bank *bank, const tnm_kernel *kernel) {
    const size_t n = kernel->terms, padded = n + BLOCK;
    double *memory = calloc(4 * padded, sizeof(double));
    if (!memory) return TNM_MEMORY;
    *bank = (mode_bank){.kernel = kernel, .memory = memory, .end = n};
    bank->rate = modes_table(kernel, RATE);
    bank->inverse_rate = modes_table(kernel, INVERSE_RATE);
    bank->weighted_rate = modes_table(kernel, WEIGHTED_RATE);
    bank->envelope = modes_table(kernel, ENVELOPE);
    bank->tail = modes_table(kernel, TAIL);
    bank->departure = memory;
    bank->trial = memory + padded;
    bank->decay = memory + 2 * padded;
    bank->fictive = memory + 3 * padded;
    return TNM_OK;
}

void modes_free(mode_bank *bank) { free(bank->memory); }

void modes_settle(mode_bank *bank, double lag) {
    for (size_t i = 0; i < bank->kernel->terms; i++) bank->departure[i] = lag * bank->inverse_rate[i];
    bank->begin = 0;
    bank->end = bank->kernel->terms;
    bank->frozen_weight = bank->frozen_fictive = 0.0;
}

/* Give the modes up to `end` the values that they have after the last accepted step. */
static void wake_fast(mode_bank *bank, size_t end) {
    double d[5];
    if (bank->end >= end) return;
    modes_end_derivatives(bank->last.shape, d);
    for (size_t i = bank->end; i < end; i++) {
        const double y = bank->inverse_rate[i] / bank->last.dxi;
        bank->departure[i] = bank->last.drive * y * (d[0] + y * (d[1] + y * (d[2] + y * (d[3] + y * d[4]))));
    }
    bank->end = end;
}

static void wake_slow(mode_bank *bank, double temperature) {
    const size_t i = --bank->begin;
    bank->departure[i] = temperature - bank->fictive[i];
    bank->frozen_weight -= bank->kernel->weight[i];
    bank->frozen_fictive -= bank->kernel->weight[i] * bank->fictive[i];
}

void modes_gather(mode_bank *bank, double temperature) {
    wake_fast(bank, bank->kernel->terms);
    while (bank->begin > 0) wake_slow(bank, temperature);
}

void modes_shift(mode_bank *bank, double change) {
    for (size_t i = 0; i < bank->kernel->terms; i++) bank->departure[i] += change;
}

void modes_rest(mode_bank *bank, double temperature, double reach, double quiet) {
    while (bank->begin > 0) {
        const size_t i = bank->begin - 1;
        if (bank->envelope[i] * bank->rate[i] * (fabs(temperature - bank->fictive[i]) + reach) < quiet) break;
        wake_slow(bank, temperature);
    }
    /* a quarter of the threshold, so that no mode is sent to rest and woken in turn */
    while (bank->begin < bank->end) {
        const size_t i = bank->begin;
        if (!(bank->envelope[i] * bank->rate[i] * (fabs(bank->departure[i]) + reach) < 0.25 * quiet)) break;
        bank->fictive[i] = temperature - bank->departure[i];
        bank->frozen_weight += bank->kernel->weight[i];
        bank->frozen_fictive += bank->kernel->weight[i] * bank->fictive[i];
        bank->begin++;
    }
}

DISPATCHED
double modes_sum(size_t n, const double *weight, const double *value) {
    double lane[BLOCK] = {0.0};
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        for (size_t j = 0; j < BLOCK; j++) lane[j] += weight[i + j] * value[i + j];
    for (size_t j = 0; i + j < n; j++) lane[j] += weight[i + j] * value[i + j];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

double modes_departure(const mode_bank *bank) {
    return modes_sum(bank->kernel->terms, bank->kernel->weight, bank->departure);
}

double modes_relaxation(const mode_bank *bank) {
    return modes_sum(bank->kernel->terms, bank->weighted_rate, bank->departure);
}

double modes_total_rate(const mode_bank *bank) {
    double sum = 0.0;
    for (size_t i = 0; i < bank->kernel->terms; i++) sum += fabs(bank->weighted_rate[i]);
    return sum;
}

DISPATCHED
double modes_relaxation_bound(const mode_bank *bank, double change) {
    const size_t n = (bank->kernel->terms + BLOCK - 1) / BLOCK * BLOCK; /* weighted rates are 0 in the padding */
    double lane[BLOCK] = {0.0};
    for (size_t i = 0; i < n; i += BLOCK)
        for (size_t j = 0; j < BLOCK; j++) lane[j] += fabs(bank->weighted_rate[i + j] * (bank->departure[i + j] + change));
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* z < 1: psi_4 by `terms` of its series, the others downwards, psi_{k-1} = (1 - z psi_k) / k. */
#define ADVANCE_SLOW(NAME, TERMS)                                                                               \
    DISPATCHED static void NAME(size_t begin, size_t end, const double *restrict rate, double dxi, double drive, \
                                const double *a, const double *restrict departure, double *restrict decay,     \
                                double *restrict out) {                                                        \
        for (size_t i = begin; i < end; i++) {                                                                 \
            const double z = rate[i] * dxi;                                                                    \
            double series = 1.0;                                                                               \
            for (int term = 5 + (TERMS); term > 5; term--) series = 1.0 - z * (1.0 / term) * series;           \
            const double p4 = series * (1.0 / 5.0), p3 = (1.0 - z * p4) * (1.0 / 4.0);                         \
            const double p2 = (1.0 - z * p3) * (1.0 / 3.0), p1 = (1.0 - z * p2) * (1.0 / 2.0);                 \
            const double p0 = 1.0 - z * p1;                                                                    \
            decay[i] = z * p0;                                                                                 \
            out[i] = departure[i] - departure[i] * decay[i] +                                                  \
                     drive * (a[0] * p0 + a[1] * p1 + a[2] * p2 + a[3] * p3 + a[4] * p4);                      \
        }                                                                                                      \
    }

ADVANCE_SLOW(advance_tiny, 4)
ADVANCE_SLOW(advance_slow, 10)

/* z >= 1: psi_k = (1 - k psi_{k-1}) / z loses no more than a digit or two. */
DISPATCHED
static void advance_fast(size_t begin, size_t end, const double *restrict inverse_rate, double inverse_dxi,
                         double drive, const double *a, const double *restrict departure,
                         const double *restrict decay, double *restrict out) {
    for (size_t i = begin; i < end; i++) {
        const double y = inverse_rate[i] * inverse_dxi;
        const double p0 = decay[i] * y, p1 = (1.0 - p0) * y, p2 = (1.0 - 2.0 * p1) * y;
        const double p3 = (1.0 - 3.0 * p2) * y, p4 = (1.0 - 4.0 * p3) * y;
        out[i] = departure[i] - departure[i] * decay[i] +
                 drive * (a[0] * p0 + a[1] * p1 + a[2] * p2 + a[3] * p3 + a[4] * p4);
    }
}

/* First mode whose rate is `octaves` above the slowest, within [low, high]. */
static size_t first_mode(const mode_bank *bank, double octaves, size_t low, size_t high) {
    const double mode = ceil(octaves * (double)bank->kernel->chains);
    if (!(mode > (double)low)) return low;
    return mode < (double)high ? (size_t)mode : high;
}

/* `sum` are the tails of the first such mode, `y` is its 1/z. */
static inline void add_fast(const double *sum, double y, double drive, const double *shape, double *departure,
                            double *relaxation) {
    double d[5], one = 0.0, other = 0.0;
    modes_end_derivatives(shape, d);
    for (size_t k = 5; k-- > 0;) {
        one = d[k] * sum[k + 1] + y * one;
        other = d[k] * sum[k] + y * other;
    }
    *departure += drive * y * one;
    *relaxation += drive * other;
}

void modes_add_fast(const tnm_kernel *kernel, const mode_step *step, const double *shape, double *departure,
                    double *relaxation) {
    if (step->end == kernel->terms) return;
    const double y = modes_table(kernel, INVERSE_RATE)[step->end] / step->dxi;
    add_fast(modes_table(kernel, TAIL) + 6 * step->end, y, step->drive, shape, departure, relaxation);
}

void modes_try(mode_bank *bank, mode_step *step, double temperature) {
    const size_t chains = bank->kernel->chains, terms = bank->kernel->terms, begin = bank->begin;
    const double dxi = step->dxi, drive = step->drive;
    const double unit = -log2(bank->rate[0] * dxi); /* octaves from the slowest mode to z = 1 */
    const size_t end = first_mode(bank, unit + STIFF, begin, terms);
    const size_t slow = first_mode(bank, unit, begin, end), tiny = first_mode(bank, unit - TINY, begin, slow);
    wake_fast(bank, end);
    advance_tiny(begin, modes_whole_blocks(begin, tiny), bank->rate, dxi, drive, step->shape, bank->departure,
                 bank->decay, bank->trial);
    advance_slow(tiny, modes_whole_blocks(tiny, slow), bank->rate, dxi, drive, step->shape, bank->departure,
                 bank->decay, bank->trial);
    for (size_t i = slow; i < end; i++) {
        if (i < begin + chains) {
            bank->decay[i] = -expm1(-bank->rate[i] * dxi);
        } else {
            const double e = bank->decay[i - chains];
            bank->decay[i] = e * (2.0 - e);
        }
    }
    advance_fast(slow, modes_whole_blocks(slow, end), bank->inverse_rate, 1.0 / dxi, drive, step->shape,
                 bank->departure, bank->decay, bank->trial);
    step->slow = slow;
    step->end = end;
    step->departure = modes_sum(end - begin, bank->kernel->weight + begin, bank->trial + begin) +
                      bank->frozen_weight * temperature - bank->frozen_fictive;
    step->relaxation = dxi * modes_sum(end - begin, bank->weighted_rate + begin, bank->trial + begin);
    if (end < terms)
        add_fast(bank->tail + 6 * end, bank->inverse_rate[end] / dxi, drive, step->shape, &step->departure,
                 &step->relaxation);
}

void modes_accept(mode_bank *bank, const mode_step *step) {
    double *swap = bank->departure;
    bank->departure = bank->trial;
    bank->trial = swap;
    bank->end = step->end;
    bank->last = *step;
}
