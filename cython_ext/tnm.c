#include "tnm.h"

#include <math.h>
#include <stdlib.h>

/* Each mode obeys dD/dxi = -rate D + g, g = dT/dxi = q tau, D = T - Tf_mode. In a step of h in temperature, T(xi) is
 * the quintic that has T, g and dg/dxi right at both ends. With theta = (xi - xi0)/dxi and g = (h/dxi) P(theta), P a
 * quartic, the step is exact for that g:
 *
 *     D' = D exp(-z) + h sum_k a_k psi_k(z),   z = rate dxi,   psi_k(z) = integral_0^1 exp(-z (1 - theta)) theta^k.
 *
 * Both limits are exact: a frozen mode (z -> 0) gains h, a fast one (z -> oo) has its quasi-equilibrium value. P is of
 * order one whatever tau is, so nothing overflows where tau does. dxi comes from ln tau by its cubic in T and Simpson's
 * rule. Both ends of the step need Tf and CpN = dTf/dT: at the far end they are predicted from the last three nodes and
 * corrected until prediction and result agree. The miss of the first prediction controls the step. */

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
/* Run-time dispatch. Contraction to fused multiply-add is off in the build, so every path gives the same bits. */
#define DISPATCHED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DISPATCHED
#endif

static const double EQUILIBRIUM = 1e-6; /* |CpN - 1| from which a ramp may start or end as a liquid */
static const double FROZEN = 1e-5;      /* CpN on cooling below which the rest of the ramp changes nothing */
static const double WINDOW = 2e-3;      /* what is left of the transition where a cycle ends in a full glass or liquid */
static const double MAX_EFOLDS = 0.5;   /* largest step in ln(tau), whatever the tolerance */
static const double MIN_EFOLDS = 1e-4;  /* a step as small is taken: where a ramp begins at rest, CpN jumps from 0 */
/* Shares of the tolerance, found by comparison with runs at a hundredth of it (benchmarks/engine.py repeats that). */
static const double PREDICTED_CPN = 3.0;      /* miss of the predicted CpN that a step may have */
static const double PREDICTED_LN_TAU = 200.0; /* the same for ln(tau) */
static const double CORRECTED = 0.1;          /* miss that is left when the corrections stop */
static const int MAX_CORRECTIONS = 8;
static const size_t MAX_STEPS = 2000000;

typedef struct {
    size_t count, capacity;
    double *temperature, *cpn, *fictive;
} trace;

typedef struct {
    double temperature, fictive, ln_tau;
    double cpn; /* dTf/dT */
} node;

typedef struct {
    const tnm_glass *glass;
    const tnm_kernel *kernel;
    double tolerance;
    node now;
    /* CpN ahead by the parabola through the last three nodes */
    double cpn_slope, cpn_curve;
    double *departure; /* D */
    double *trial;     /* D at the end of a step that is tried */
    double *decay;     /* 1 - exp(-z) */
    double *inverse_rate;
    double *weighted_rate;
} integrator;

static double ln_tau(const tnm_glass *g, double temperature, double fictive) {
    return g->ln_a + g->delta_h_over_r * (g->x / temperature + (1.0 - g->x) / fictive);
}

/* d ln(tau) / dT along the path */
static double ln_tau_slope(const tnm_glass *g, const node *n) {
    return -g->delta_h_over_r *
           (g->x / (n->temperature * n->temperature) + (1.0 - g->x) * n->cpn / (n->fictive * n->fictive));
}

static int trace_add(trace *t, const node *n) {
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 4096;
        double *grown = realloc(t->temperature, 3 * capacity * sizeof(double));
        if (!grown) return TNM_MEMORY;
        /* three columns in one block: move the last two, the last one first */
        for (size_t i = t->count; i-- > 0;) grown[2 * capacity + i] = grown[2 * t->capacity + i];
        for (size_t i = t->count; i-- > 0;) grown[capacity + i] = grown[t->capacity + i];
        t->temperature = grown;
        t->cpn = grown + capacity;
        t->fictive = grown + 2 * capacity;
        t->capacity = capacity;
    }
    t->temperature[t->count] = n->temperature;
    t->cpn[t->count] = n->cpn;
    t->fictive[t->count] = n->fictive;
    t->count++;
    return TNM_OK;
}

static double weighted_sum(size_t n, const double *weight, const double *value) {
    double lane[8] = {0.0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++) lane[j] += weight[i + j] * value[i + j];
    for (size_t j = 0; i + j < n; j++) lane[j] += weight[i + j] * value[i + j];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* Coefficients of P from its values and slopes at both ends and its integral, which is 1. change is that of ln(tau),
 * the slopes are its derivatives times h. Returns the mean of tau0 / tau over the step. */
static double drive(double change, double slope0, double slope1, double *a) {
    const double middle = 0.5 * change + 0.125 * (slope0 - slope1);
    const double mean = (1.0 + 4.0 * exp(-middle) + exp(-change)) / 6.0;
    const double g0 = mean, g1 = mean * exp(change);
    const double s0 = slope0 * g0 * g0, s1 = slope1 * g1 * g1;
    const double value = g1 - g0 - s0, slope = s1 - s0, area = 1.0 - g0 - 0.5 * s0;
    a[0] = g0;
    a[1] = s0;
    a[4] = 30.0 * (area - 0.5 * value) + 2.5 * slope;
    a[3] = slope - 2.0 * value - 2.0 * a[4];
    a[2] = 3.0 * value - slope + a[4];
    return mean;
}

/* psi_4 for z < 1 by its series, the others downwards: psi_{k-1} = (1 - z psi_k) / k. */
DISPATCHED
static void advance_slow(size_t begin, size_t end, const double *rate, double dxi, double h, const double *a,
                         const double *departure, double *decay, double *out) {
    for (size_t i = begin; i < end; i++) {
        const double z = rate[i] * dxi;
        double tail = 1.0;
        for (int term = 15; term > 5; term--) tail = 1.0 - z * (1.0 / term) * tail;
        const double p4 = tail / 5.0, p3 = (1.0 - z * p4) / 4.0, p2 = (1.0 - z * p3) / 3.0;
        const double p1 = (1.0 - z * p2) / 2.0, p0 = 1.0 - z * p1;
        decay[i] = z * p0;
        out[i] = departure[i] - departure[i] * decay[i] +
                 h * (a[0] * p0 + a[1] * p1 + a[2] * p2 + a[3] * p3 + a[4] * p4);
    }
}

/* z >= 1: psi_0 from the decay, the others upwards: psi_k = (1 - k psi_{k-1}) / z. */
DISPATCHED
static void advance_fast(size_t begin, size_t end, const double *inverse_rate, double inverse_dxi, double h,
                         const double *a, const double *departure, const double *decay, double *out) {
    for (size_t i = begin; i < end; i++) {
        const double y = inverse_rate[i] * inverse_dxi;
        const double p0 = decay[i] * y, p1 = (1.0 - p0) * y, p2 = (1.0 - 2.0 * p1) * y;
        const double p3 = (1.0 - 3.0 * p2) * y, p4 = (1.0 - 4.0 * p3) * y;
        out[i] = departure[i] - departure[i] * decay[i] +
                 h * (a[0] * p0 + a[1] * p1 + a[2] * p2 + a[3] * p3 + a[4] * p4);
    }
}

static void advance(integrator *s, double dxi, double h, const double *a) {
    const tnm_kernel *k = s->kernel;
    size_t slow = 0;
    while (slow < k->terms && k->rate[slow] * dxi < 1.0) slow++;
    advance_slow(0, slow, k->rate, dxi, h, a, s->departure, s->decay, s->trial);
    /* With E = 1 - exp(-z), E(2z) = E(z) (2 - E(z)): rates an octave apart need one exponential, and lose no digits. */
    for (size_t i = slow; i < k->terms; i++) {
        if (i < k->chains) {
            s->decay[i] = -expm1(-k->rate[i] * dxi);
        } else {
            const double e = s->decay[i - k->chains];
            s->decay[i] = e * (2.0 - e);
        }
    }
    advance_fast(slow, k->terms, s->inverse_rate, 1.0 / dxi, h, a, s->departure, s->decay, s->trial);
}

/* Try one step of h (signed, K) at the signed rate. On return `end` and s->trial are the far end. The result is the
 * miss of the first prediction in units of what is tolerated, infinite if the corrections do not converge. */
static double try_step(integrator *s, double h, double rate, node *end) {
    const tnm_glass *g = s->glass;
    const double slope0 = h * ln_tau_slope(g, &s->now);
    const double most = CORRECTED * s->tolerance;
    double first_miss = 0.0;
    node guess = {
        .temperature = s->now.temperature + h,
        .fictive = s->now.fictive + h * (s->now.cpn + h * (s->cpn_slope / 2.0 + h * s->cpn_curve / 3.0)),
        .cpn = s->now.cpn + h * (s->cpn_slope + h * s->cpn_curve),
    };
    for (int correction = 0; correction <= MAX_CORRECTIONS; correction++) {
        double a[5];
        guess.ln_tau = ln_tau(g, guess.temperature, guess.fictive);
        const double slope1 = h * ln_tau_slope(g, &guess);
        const double change = guess.ln_tau - s->now.ln_tau;
        const double mean = drive(change, slope0, slope1, a);
        const double dxi = h / rate * exp(-s->now.ln_tau) * mean;
        advance(s, dxi, h, a);
        *end = guess;
        end->fictive = guess.temperature - weighted_sum(s->kernel->terms, s->kernel->weight, s->trial);
        /* CpN = 1 - dD/dT = sum weight rate D / (q tau), without differencing */
        end->cpn = weighted_sum(s->kernel->terms, s->weighted_rate, s->trial) * dxi / (h * mean * exp(change));
        const double miss = fabs(ln_tau(g, end->temperature, end->fictive) - guess.ln_tau) +
                            0.25 * fabs(h * ln_tau_slope(g, end) - slope1);
        if (correction == 0) {
            const double cpn_miss = fabs(end->cpn - guess.cpn) / (1.0 + fabs(end->cpn));
            first_miss = fmax(miss / PREDICTED_LN_TAU, cpn_miss / PREDICTED_CPN) / s->tolerance;
        }
        if (miss <= most) return first_miss;
        guess = *end;
    }
    return INFINITY;
}

/* Integrate to `end` at the signed rate; stop earlier where nothing more happens. */
static int ramp(integrator *s, double end, double rate, double liquid, trace *record) {
    const double direction = rate > 0.0 ? 1.0 : -1.0;
    const tnm_glass *g = s->glass;
    double next = INFINITY, last_h = 0.0, last_slope = 0.0;
    s->now.ln_tau = ln_tau(g, s->now.temperature, s->now.fictive);
    s->now.cpn = weighted_sum(s->kernel->terms, s->weighted_rate, s->departure) * exp(-s->now.ln_tau) / rate;
    s->cpn_slope = s->cpn_curve = 0.0;
    if (record && trace_add(record, &s->now)) return TNM_MEMORY;
    for (size_t step = 0; direction * (end - s->now.temperature) > 0.0; step++) {
        if (step == MAX_STEPS) return TNM_STEPS;
        /* where CpN is negative the two terms of the slope cancel, but tau still changes with the structure */
        const node steepest = {s->now.temperature, s->now.fictive, 0.0, fabs(s->now.cpn)};
        const double efold = -1.0 / ln_tau_slope(g, &steepest);
        double size = fmin(next, MAX_EFOLDS * efold);
        size = fmin(size, direction * (end - s->now.temperature));
        node ahead;
        double miss;
        for (;;) {
            miss = try_step(s, direction * size, rate, &ahead);
            if (miss <= 1.0 || (isfinite(miss) && size <= MIN_EFOLDS * efold)) break;
            size *= isfinite(miss) ? fmax(0.2, 0.8 / cbrt(miss)) : 0.2;
            if (!(size > 1e-13 * s->now.temperature)) return TNM_STEPS;
        }
        /* the miss grows with the cube of the step */
        next = size * fmin(2.0, 0.8 / cbrt(fmax(miss, 1e-3)));
        const double h = direction * size, slope = (ahead.cpn - s->now.cpn) / h;
        s->cpn_curve = last_h == 0.0 ? 0.0 : (slope - last_slope) / (h + last_h);
        s->cpn_slope = slope + h * s->cpn_curve;
        last_h = h;
        last_slope = slope;
        s->now = ahead;
        if (direction * (end - s->now.temperature) < 1e-9) s->now.temperature = end;
        s->now.ln_tau = ln_tau(g, s->now.temperature, s->now.fictive);
        double *swap = s->departure;
        s->departure = s->trial;
        s->trial = swap;
        if (record && trace_add(record, &s->now)) return TNM_MEMORY;
        if (direction > 0.0 && s->now.temperature > liquid && fabs(s->now.cpn - 1.0) < EQUILIBRIUM) break;
        if (direction < 0.0 && s->now.temperature < liquid && s->now.cpn < FROZEN) break;
    }
    return TNM_OK;
}

/* Temperature above which a ramp at this rate keeps the glass in equilibrium within EQUILIBRIUM: to first order
 * 1 - CpN = (q tau) <1/rate> delta_h / (R T^2). Newton in 1/T; T^2 varies slowly. */
static double equilibrium_temperature(const tnm_glass *g, const tnm_kernel *k, double rate) {
    double temperature = g->delta_h_over_r / (log(100.0) - g->ln_a);
    for (int i = 0; i < 50; i++) {
        double wanted = log(EQUILIBRIUM * temperature * temperature / (g->delta_h_over_r * rate * k->mean_time));
        double next = g->delta_h_over_r / fmax(wanted - g->ln_a, 1e-3 * g->delta_h_over_r / temperature);
        if (fabs(next - temperature) < 1e-6 * temperature) return next;
        temperature = next;
    }
    return temperature;
}

/* Slope of the parabola through three neighbouring points of the trace at the middle one. */
static double node_slope(const trace *t, size_t i) {
    if (t->count < 2) return 0.0;
    if (i == 0) return (t->cpn[1] - t->cpn[0]) / (t->temperature[1] - t->temperature[0]);
    double h0 = t->temperature[i] - t->temperature[i - 1], d0 = (t->cpn[i] - t->cpn[i - 1]) / h0;
    if (i + 1 == t->count) return d0;
    double h1 = t->temperature[i + 1] - t->temperature[i], d1 = (t->cpn[i + 1] - t->cpn[i]) / h1;
    return (h1 * d0 + h0 * d1) / (h0 + h1);
}

static double hermite(double u, double h, double y0, double y1, double m0, double m1) {
    double d = y1 - y0;
    return y0 + u * (h * m0 + u * ((3.0 * d - h * (2.0 * m0 + m1)) + u * (h * (m0 + m1) - 2.0 * d)));
}

static void sample_trace(const trace *t, const tnm_grid *grid, double *cpn, double *fictive) {
    size_t node = 0, last = t->count - 1;
    for (size_t p = 0; p < grid->points; p++) {
        double temperature = grid->first + (double)p * grid->step;
        if (temperature < t->temperature[0]) {
            cpn[p] = 0.0;
            fictive[p] = t->fictive[0];
        } else if (temperature >= t->temperature[last]) {
            cpn[p] = 1.0;
            fictive[p] = t->fictive[last] + (temperature - t->temperature[last]);
        } else {
            while (t->temperature[node + 1] <= temperature) node++;
            double h = t->temperature[node + 1] - t->temperature[node];
            double u = (temperature - t->temperature[node]) / h;
            cpn[p] = hermite(u, h, t->cpn[node], t->cpn[node + 1], node_slope(t, node), node_slope(t, node + 1));
            fictive[p] = hermite(u, h, t->fictive[node], t->fictive[node + 1], t->cpn[node], t->cpn[node + 1]);
        }
    }
}

static int in_range(const tnm_glass *g, const tnm_cycle *c, double tolerance) {
    return isfinite(g->ln_a) && isfinite(g->delta_h_over_r) && g->delta_h_over_r > 0.0 && g->ln_a < log(100.0) &&
           g->x > 0.0 && g->x <= 1.0 && c->cooling_rate > 0.0 && isfinite(c->cooling_rate) && c->heating_rate > 0.0 &&
           isfinite(c->heating_rate) && c->low > 0.0 && c->high > c->low && isfinite(c->high) && tolerance > 0.0;
}

int tnm_heating_scan(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_cycle *cycle, const tnm_grid *grid,
                     double tolerance, double *cpn, double *fictive_temperature) {
    int status = TNM_PARAMETER;
    trace record = {0};
    double *work = NULL;
    if (in_range(glass, cycle, tolerance)) {
        const size_t n = kernel->terms;
        const double liquid = equilibrium_temperature(glass, kernel, fmax(cycle->cooling_rate, cycle->heating_rate));
        work = malloc(5 * n * sizeof(double));
        status = work ? TNM_OK : TNM_MEMORY;
        if (work) {
            integrator s = {.glass = glass, .kernel = kernel, .tolerance = tolerance};
            s.departure = work;
            s.trial = work + n;
            s.decay = work + 2 * n;
            s.inverse_rate = work + 3 * n;
            s.weighted_rate = work + 4 * n;
            const double start = fmin(cycle->high, liquid);
            /* from `high` the ramp starts at rest; at a lower `liquid` it has long reached its steady lag */
            const double lag = start < cycle->high ? -cycle->cooling_rate * exp(ln_tau(glass, start, start)) : 0.0;
            for (size_t i = 0; i < n; i++) {
                s.inverse_rate[i] = 1.0 / kernel->rate[i];
                s.weighted_rate[i] = kernel->weight[i] * kernel->rate[i];
                s.departure[i] = lag * s.inverse_rate[i];
            }
            s.now.temperature = start;
            s.now.fictive = start - weighted_sum(n, kernel->weight, s.departure);
            status = ramp(&s, cycle->low, -cycle->cooling_rate, liquid, NULL);
            const int glassy = s.now.cpn < WINDOW;
            if (status == TNM_OK) status = ramp(&s, cycle->high, cycle->heating_rate, liquid, &record);
            if (status == TNM_OK && !(glassy && fabs(s.now.cpn - 1.0) < WINDOW)) status = TNM_WINDOW;
        }
    }
    if (status == TNM_OK || status == TNM_WINDOW) {
        sample_trace(&record, grid, cpn, fictive_temperature);
    } else {
        for (size_t p = 0; p < grid->points; p++) cpn[p] = fictive_temperature[p] = NAN;
    }
    free(record.temperature);
    free(work);
    return status;
}
