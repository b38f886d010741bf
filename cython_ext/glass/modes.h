/* The bank of modes: the departures D = T - Tf_mode of all terms of the exponential sum, and how a step moves them. */
#ifndef LEHR_MODES_H
#define LEHR_MODES_H

#include <stddef.h>

#include "tnm.h"

#if defined(DISPATCHED)
/* A test builds every path by itself and compares them. */
#elif defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
/* Run-time dispatch. Contraction to fused multiply-add is off in the build, so every path gives the same bits. */
#define DISPATCHED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DISPATCHED
#endif

/* Loops run in blocks over the end of their range; arrays are that much longer. */
#define BLOCK 8

typedef struct {
    double drive;        /* change of temperature in the step, K; 0 in a hold */
    double dxi;          /* change of reduced time */
    double shape[5];     /* g = drive/dxi * sum_k shape[k] theta^k */
    double departure;    /* sum of weight * D at the end of the step */
    double relaxation;   /* sum of weight * z * D at the end of the step, z = rate * dxi */
    size_t slow, end;    /* z >= 1 from `slow` on; modes from `end` on are in quasi-equilibrium */
} mode_step;

typedef struct {
    const tnm_kernel *kernel;
    const double *rate, *inverse_rate, *weighted_rate;
    const double *envelope; /* largest |weight| nearby */
    const double *tail;     /* sums over faster modes, 6 for each mode */
    double *memory;
    double *departure;   /* D of the active modes, begin <= mode < end */
    double *trial;       /* D at the end of a step that is tried */
    double *decay;       /* 1 - exp(-z) */
    double *fictive;     /* Tf of the frozen modes, mode < begin */
    size_t begin, end;
    double frozen_weight, frozen_fictive;
    mode_step last;      /* the last accepted step: it says where the modes from `end` on are */
} mode_bank;

int modes_create(mode_bank *bank, const tnm_kernel *kernel);
void modes_free(mode_bank *bank);

/* All modes active, in the steady lag of a ramp (lag = q tau, K) or in equilibrium (lag = 0). */
void modes_settle(mode_bank *bank, double lag);

/* All modes active, as they are at this temperature. */
void modes_gather(mode_bank *bank, double temperature);

/* Change the temperature while nothing relaxes; all modes must be active. */
void modes_shift(mode_bank *bank, double change);

double modes_departure(const mode_bank *bank);  /* sum of weight * D; all modes must be active */
double modes_relaxation(const mode_bank *bank); /* sum of weight * rate * D; all modes must be active */

double modes_total_rate(const mode_bank *bank); /* sum of |weight * rate| */

/* Bound of |sum of weight * rate * D| if the temperature were changed; all modes must be active. */
double modes_relaxation_bound(const mode_bank *bank, double change);

/* Move all modes to the end of a step, whose temperature is `temperature`; fills departure, relaxation and end. */
void modes_try(mode_bank *bank, mode_step *step, double temperature);
void modes_accept(mode_bank *bank, const mode_step *step);

/* Let slow modes rest while weight * rate * D < quiet, and wake those that do not. D passes through 0: reach (K) is
 * how far it may come soon, so that a mode on its way through does not hold up the faster or slower ones. */
void modes_rest(mode_bank *bank, double temperature, double reach, double quiet);

/* What follows serves modes.c and the derivatives of the modes, tangent.c. */

/* Tables of tnm_prepare, each of terms + BLOCK values but the last, which has 6 for each mode. */
enum { RATE = 0, INVERSE_RATE = 1, WEIGHTED_RATE = 2, ENVELOPE = 3, TAIL = 4 };
static inline const double *modes_table(const tnm_kernel *kernel, size_t which) {
    return kernel->tables + which * (kernel->terms + BLOCK);
}

static inline size_t modes_whole_blocks(size_t begin, size_t end) {
    return begin + (end - begin + BLOCK - 1) / BLOCK * BLOCK;
}

/* D = drive sum_k d_k / z^(k+1) for modes in quasi-equilibrium: derivatives of the shape at theta = 1, of alternating
 * signs. */
static inline void modes_end_derivatives(const double *shape, double *d) {
    d[0] = shape[0] + shape[1] + shape[2] + shape[3] + shape[4];
    d[1] = -(shape[1] + 2.0 * shape[2] + 3.0 * shape[3] + 4.0 * shape[4]);
    d[2] = 2.0 * shape[2] + 6.0 * shape[3] + 12.0 * shape[4];
    d[3] = -(6.0 * shape[3] + 24.0 * shape[4]);
    d[4] = 24.0 * shape[4];
}

/* What the modes from `end` on add to the sums of weight * D and of weight * z * D, for a drive of this shape. */
void modes_add_fast(const tnm_kernel *kernel, const mode_step *step, const double *shape, double *departure,
                    double *relaxation);

/* sum of weight * value, in a fixed order */
double modes_sum(size_t n, const double *weight, const double *value);

#endif
