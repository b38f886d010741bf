#include "tnm.h"

#include <math.h>
#include <stdlib.h>

#include "relaxation.h"
#include "tangent.h"

/* The independent variable s of a step is the temperature in a ramp and the time in a hold. In a step T(xi) is the
 * quintic that has T, dT/dxi = q tau and its derivative right at both ends; modes.c solves the modes exactly for it.
 * dxi comes from ln tau by its cubic in s and Simpson's rule. The far end needs Tf and dTf/ds: they are predicted from
 * the last three nodes and corrected until prediction and result agree. The miss of the first prediction controls the
 * step. tau enters as ln tau, and the drive as a change of temperature times numbers of order one: nothing overflows. */

static const double EQUILIBRIUM = 1e-5; /* |CpN - 1| from which a ramp may start or end as a liquid */
static const double FROZEN = 1e-5;      /* |CpN| below which a ramp changes nothing */
static const double LOST = 1e-12;       /* the same for modes that are left behind: a later ramp may be far slower */
static const double SETTLED = 1e-7;     /* K, change of Tf that a hold may leave out */
static const double MAX_EFOLDS = 0.5;   /* largest step in ln(tau), whatever the tolerance */
static const double MIN_EFOLDS = 1e-4;  /* a step as small is taken: where a ramp begins at rest, CpN jumps from 0 */
/* Shares of the tolerance, found by comparison with runs at a hundredth of it (benchmarks/engine.py repeats that). */
static const double PREDICTED_SLOPE = 9.0;    /* miss of the predicted dTf/dT that a step may have */
static const double PREDICTED_LN_TAU = 200.0; /* the same for ln(tau) */
static const double CORRECTED = 0.3;          /* miss that is left when the corrections stop */
static const double QUIET = 1e-4;             /* CpN that a mode may have and yet be at rest */
static const int MAX_CORRECTIONS = 8;
static const size_t MAX_STEPS = 2000000;

typedef struct {
    const tnm_glass *glass;
    double tolerance;
    mode_bank bank;
    tnm_node now;
    double rate;             /* dT/dt of a ramp, K/s, signed; 0 in a hold */
    double speed;            /* dxi/ds at `now` */
    double slope1, slope2;   /* first and second divided differences of dTf/ds, towards the next step */
    double last_h, last_difference;
    double clock;            /* s, at the start of the segment */
    double origin;           /* `s` at the start of the segment */
    tnm_trace *trace;        /* null while nothing is recorded */
    tangent *tangent;        /* null if no derivatives are wanted */
} runner;

/* d ln(tau) / ds along the path; `slope` is dTf/ds */
static double ln_tau_slope(const runner *r, const tnm_node *n, double slope) {
    return relaxation_slope(r->glass, n->temperature, n->fictive, r->rate != 0.0, slope);
}

static int record(runner *r) {
    tnm_trace *t = r->trace;
    if (!t) return TNM_OK;
    if (t->count == t->capacity) {
        const size_t capacity = t->capacity ? 2 * t->capacity : 2048;
        const size_t columns = r->tangent ? TNM_ALL_COLUMNS : TNM_COLUMNS;
        double *grown = malloc(columns * capacity * sizeof(double));
        if (!grown) return TNM_MEMORY;
        for (size_t c = 0; c < columns; c++)
            for (size_t i = 0; i < t->count; i++) grown[c * capacity + i] = t->column[c * t->capacity + i];
        free(t->column);
        t->column = grown;
        t->capacity = capacity;
    }
    const double elapsed = r->rate == 0.0 ? r->now.s - r->origin : (r->now.s - r->origin) / r->rate;
    double *first = t->column + t->count++;
    first[TNM_TIME * t->capacity] = r->clock + elapsed;
    first[TNM_TEMPERATURE * t->capacity] = r->now.temperature;
    first[TNM_FICTIVE * t->capacity] = r->now.fictive;
    first[TNM_CPN * t->capacity] = r->now.slope;
    for (size_t p = 0; r->tangent && p < TNM_PARAMETERS; p++) {
        first[(TNM_FICTIVE_BY + p) * t->capacity] = r->tangent->fictive[p];
        first[(TNM_CPN_BY + p) * t->capacity] = r->tangent->slope[p];
    }
    return TNM_OK;
}

/* Coefficients of the drive from its values and slopes at both ends and its integral, which is 1. change is that of
 * ln(tau), the slopes are its derivatives times the step. Returns the mean of tau0 / tau over the step. */
static double drive_shape(double change, double slope0, double slope1, double *a) {
    const double middle = 0.5 * change + 0.125 * (slope0 - slope1), last = exp(-change);
    const double mean = (1.0 + 4.0 * exp(-middle) + last) / 6.0;
    const double g0 = mean, g1 = mean / last;
    const double s0 = slope0 * g0 * g0, s1 = slope1 * g1 * g1;
    const double value = g1 - g0 - s0, slope = s1 - s0, area = 1.0 - g0 - 0.5 * s0;
    a[0] = g0;
    a[1] = s0;
    a[4] = 30.0 * (area - 0.5 * value) + 2.5 * slope;
    a[3] = slope - 2.0 * value - 2.0 * a[4];
    a[2] = 3.0 * value - slope + a[4];
    return mean;
}

/* Try one step of h in s. On return `end` and `step` are its far end. The result is the miss of the first prediction in
 * units of what is tolerated, infinite if the corrections do not converge. */
static double try_step(runner *r, double h, tnm_node *end, mode_step *step) {
    const tnm_glass *g = r->glass;
    const double slope0 = h * ln_tau_slope(r, &r->now, r->now.slope);
    double first_miss = 0.0;
    tnm_node guess = {
        .s = r->now.s + h,
        .temperature = r->now.temperature + (r->rate == 0.0 ? 0.0 : h),
        .fictive = r->now.fictive + h * (r->now.slope + h * (r->slope1 / 2.0 + h * r->slope2 / 3.0)),
        .slope = r->now.slope + h * (r->slope1 + h * r->slope2),
    };
    step->drive = r->rate == 0.0 ? 0.0 : h;
    for (int correction = 0; correction <= MAX_CORRECTIONS; correction++) {
        guess.ln_tau = relaxation_ln_tau(g, guess.temperature, guess.fictive);
        const double slope1 = h * ln_tau_slope(r, &guess, guess.slope), change = guess.ln_tau - r->now.ln_tau;
        const double mean = drive_shape(change, slope0, slope1, step->shape);
        step->dxi = h * r->speed * mean;
        modes_try(&r->bank, step, guess.temperature);
        *end = guess;
        end->fictive = guess.temperature - step->departure;
        /* dTf/ds = sum weight rate D dxi/ds, without differencing; the sum of the shape is the drive at the end */
        const double *a = step->shape;
        end->slope = step->relaxation / (h * (a[0] + a[1] + a[2] + a[3] + a[4]));
        const double miss = fabs(relaxation_ln_tau(g, end->temperature, end->fictive) - guess.ln_tau) +
                            0.25 * fabs(h * ln_tau_slope(r, end, end->slope) - slope1);
        if (correction == 0) {
            /* In a hold the slope has no scale of its own; times h it is the change of Tf in K. In a ramp an error before a
             * steep peak grows with the peak: the allowance must not. */
            const double scale = r->rate == 0.0 ? 1.0 / fabs(h) : 1.0 + fmin(fabs(end->slope), 2.0);
            const double slope_miss = fabs(end->slope - guess.slope) / scale;
            first_miss = fmax(miss / PREDICTED_LN_TAU, slope_miss / PREDICTED_SLOPE) / r->tolerance;
        }
        if (miss <= CORRECTED * r->tolerance) return first_miss;
        guess = *end;
    }
    return INFINITY;
}

static double speed_at(const runner *r) { return exp(-r->now.ln_tau) / (r->rate == 0.0 ? 1.0 : r->rate); }

/* Take up the state of the bank at a new `s`; all modes must be active. */
static void restart(runner *r) {
    r->now.fictive = r->now.temperature - modes_departure(&r->bank);
    r->now.ln_tau = relaxation_ln_tau(r->glass, r->now.temperature, r->now.fictive);
    r->speed = speed_at(r);
    r->now.slope = modes_relaxation(&r->bank) * r->speed;
    r->slope1 = r->slope2 = r->last_h = 0.0;
    if (r->tangent) tangent_restart(r->tangent, &r->now, r->speed);
}

/* Change of s in which tau changes by a factor e. */
static double efold_length(const runner *r) {
    const tnm_node *n = &r->now;
    return 1.0 / fmax(relaxation_steepness(r->glass, n->temperature, n->fictive, r->rate != 0.0, n->slope), 1e-300);
}

/* Integrate to `end` in s, or until `done` says that nothing more happens; the first step is no longer than `next`. */
static int integrate(runner *r, double end, double next, int (*done)(const runner *, double), double context) {
    const double direction = end > r->now.s ? 1.0 : -1.0;
    for (size_t steps = 0; direction * (end - r->now.s) > 0.0; steps++) {
        if (steps == MAX_STEPS) return TNM_STEPS;
        const double efold = efold_length(r);
        double size = fmin(fmin(next, MAX_EFOLDS * efold), direction * (end - r->now.s));
        tnm_node ahead;
        mode_step step;
        double miss;
        for (;;) {
            if (r->now.s + direction * size == r->now.s) return TNM_STEPS;
            miss = try_step(r, direction * size, &ahead, &step);
            if (miss <= 1.0 || (isfinite(miss) && r->rate != 0.0 && size <= MIN_EFOLDS * efold)) break;
            size *= isfinite(miss) ? fmax(0.2, 0.8 / cbrt(miss)) : 0.2;
            if (!(size > 1e-13 * fmax(r->now.temperature, fabs(r->now.s)))) {
                if (r->rate != 0.0 || !(size > 1e-200)) return TNM_STEPS;
            }
        }
        /* the miss grows with the cube of the step */
        next = size * fmin(2.0, 0.8 / cbrt(fmax(miss, 1e-3)));
        const double h = direction * size, difference = (ahead.slope - r->now.slope) / h;
        r->slope2 = r->last_h == 0.0 ? 0.0 : (difference - r->last_difference) / (h + r->last_h);
        r->slope1 = difference + h * r->slope2;
        r->last_h = h;
        r->last_difference = difference;
        modes_accept(&r->bank, &step);
        if (r->tangent) tangent_step(r->tangent, &step, &r->now, &ahead, h);
        r->now = ahead;
        if (direction * (end - r->now.s) < 1e-12 * fabs(end)) r->now.s = end;
        if (r->rate != 0.0) r->now.temperature = r->now.s;
        r->now.ln_tau = relaxation_ln_tau(r->glass, r->now.temperature, r->now.fictive);
        r->speed = speed_at(r);
        const double span = r->rate == 0.0 ? fabs(end - r->now.s) : 1.0;
        const double reach = relaxation_efold(r->glass, r->now.temperature, r->now.fictive);
        modes_rest(&r->bank, r->now.temperature, reach, QUIET * fmin(r->tolerance, 1e-4) / (span * fabs(r->speed)));
        if (r->tangent) tangent_rest(r->tangent);
        if (record(r)) return TNM_MEMORY;
        if (done(r, context)) break;
    }
    return TNM_OK;
}

/* Temperature above which a ramp at this rate keeps the glass in equilibrium within EQUILIBRIUM: to first order
 * 1 - CpN = q tau <1/rate> energy / T^2. A fixed point in 1/T of the Arrhenius law that touches ln tau; T^2 varies slowly,
 * unless that is at temperatures near the energy: there is no liquid then. */
static double liquid_temperature(const tnm_glass *g, const tnm_kernel *k, double rate) {
    double temperature = relaxation_transition(g);
    for (int i = 0; i < 50; i++) {
        double ln_a, energy;
        const double lowest = relaxation_arrhenius(g, temperature, &ln_a, &energy);
        const double wanted = log(EQUILIBRIUM * temperature * temperature / (energy * rate * k->mean_time));
        double next = energy / fmax(wanted - ln_a, 1e-3 * energy / temperature);
        if (next <= lowest) next = 0.5 * (temperature + lowest);
        if (fabs(next - temperature) < 1e-6 * temperature) return next;
        temperature = next;
    }
    return INFINITY;
}

static void gather(runner *r) {
    modes_gather(&r->bank, r->now.temperature);
    if (r->tangent) tangent_gather(r->tangent);
}

/* Go to a temperature in the frozen glass; all modes must be active. */
static void pass_over(runner *r, double temperature) {
    modes_shift(&r->bank, temperature - r->now.temperature);
    r->now.temperature = r->now.s = temperature;
}

/* Go to a temperature in the steady state of a ramp through the liquid. */
static void pass_liquid(runner *r, double temperature) {
    const double lag = r->rate * exp(relaxation_ln_tau(r->glass, temperature, temperature));
    modes_settle(&r->bank, lag);
    if (r->tangent) tangent_settle(r->tangent, lag, temperature);
    r->now.temperature = r->now.s = temperature;
}

/* Temperature, within 1 K, up to which a heating ramp changes nothing; all modes must be active. */
static double frozen_until(const runner *r, double end) {
    double low = r->now.temperature, high = end;
    while (high - low > 1.0) {
        const double middle = 0.5 * (low + high);
        const double speed = exp(-relaxation_ln_tau(r->glass, middle, r->now.fictive)) / fabs(r->rate);
        if (modes_relaxation_bound(&r->bank, middle - r->now.temperature) * speed < FROZEN) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Whether the ramp may pass over all that is left of it. CpN must have fallen to nothing: at rest, and where it changes its
 * sign, it is nothing too, but rises. Modes that have left equilibrium do even less where it is colder. Others are fast, with
 * too little weight to show in CpN: they still follow the temperature, and passing over leaves them behind by its whole
 * change. At the target they must be frozen too, or they would relax there all at once. */
static int cooling_is_done(const runner *r, double target) {
    if (!(fabs(r->now.slope) < FROZEN && r->last_difference >= 0.0)) return 0;
    const double speed = exp(-relaxation_ln_tau(r->glass, target, r->now.fictive)) / fabs(r->rate);
    return modes_total_rate(&r->bank) * (r->now.temperature - target) * speed < LOST;
}

static int heating_is_done(const runner *r, double liquid) {
    return r->now.temperature > liquid && fabs(r->now.slope - 1.0) < EQUILIBRIUM;
}

static int ramp(runner *r, double target) {
    const double liquid = liquid_temperature(r->glass, r->bank.kernel, fabs(r->rate));
    const double start = r->now.temperature;
    if (r->rate > 0.0) {
        pass_over(r, frozen_until(r, target));
    } else if (start > liquid) {
        pass_liquid(r, fmax(target, liquid));
    }
    restart(r);
    if (record(r)) return TNM_MEMORY;
    /* Where a ramp begins in the middle of relaxation, modes turn one after the other, the fast ones at once. CpN may be back
     * where it was at the end of a long step, which then misses nothing and has left all of it out. From rest, CpN does not
     * come back. */
    const int turns = r->now.temperature == start && r->now.slope != 0.0;
    const double first = turns ? MIN_EFOLDS * efold_length(r) : INFINITY;
    const int status = r->rate > 0.0 ? integrate(r, target, first, heating_is_done, liquid)
                                     : integrate(r, target, first, cooling_is_done, target);
    if (status != TNM_OK) return status;
    gather(r);
    if (r->rate > 0.0 && r->now.temperature < target) {
        pass_liquid(r, target);
    } else {
        pass_over(r, target);
    }
    return TNM_OK;
}

/* Both conditions: Tf may cross T while single modes are still on their way (the memory effect). */
static int hold_is_done(const runner *r, double end) {
    return fabs(r->now.temperature - r->now.fictive) < SETTLED && fabs(r->now.slope) * (end - r->now.s) < SETTLED;
}

static int hold(runner *r, double duration) {
    restart(r);
    if (record(r)) return TNM_MEMORY;
    const int status = integrate(r, duration, INFINITY, hold_is_done, duration);
    if (status != TNM_OK) return status;
    gather(r);
    if (r->now.s < duration) {
        r->now.s = duration;
        return record(r);
    }
    return TNM_OK;
}

static int run_segment(runner *r, const tnm_segment *segment) {
    const double before = r->now.temperature;
    int status = TNM_OK;
    r->rate = 0.0;
    r->now.s = r->origin = 0.0;
    if (segment->kind == TNM_HOLD) {
        status = hold(r, segment->amount);
        r->clock += segment->amount;
    } else if (segment->kind == TNM_JUMP) {
        modes_shift(&r->bank, segment->target - before);
        r->now.temperature = segment->target;
        restart(r);
        status = record(r);
    } else if (segment->target != before) {
        r->rate = segment->target > before ? segment->amount : -segment->amount;
        r->now.s = r->origin = before;
        status = ramp(r, segment->target);
        r->clock += fabs(segment->target - before) / segment->amount;
    }
    return status;
}

static int in_range(const tnm_glass *g, const tnm_program *p, double tolerance) {
    if (!(relaxation_in_range(g, p->start) && tolerance > 0.0)) return 0;
    for (size_t i = 0; i < p->segments; i++) {
        const tnm_segment *segment = &p->segment[i];
        if (segment->kind != TNM_HOLD && !(segment->target > 0.0 && isfinite(segment->target))) return 0;
        if (segment->kind != TNM_JUMP && !(segment->amount > 0.0 && isfinite(segment->amount))) return 0;
    }
    return 1;
}

int tnm_run(const tnm_glass *glass, const tnm_kernel *kernel, const tnm_kernel *slope, const tnm_program *program,
            double tolerance, size_t recorded, tnm_trace *trace, size_t *ends) {
    runner r = {.glass = glass, .tolerance = tolerance};
    tangent derivatives = {.memory = NULL};
    if (!in_range(glass, program, tolerance)) return TNM_PARAMETER;
    if (modes_create(&r.bank, kernel)) return TNM_MEMORY;
    r.now.temperature = r.now.fictive = program->start;
    int status = TNM_OK;
    if (slope) {
        status = tangent_create(&derivatives, glass, &r.bank, slope);
        r.tangent = &derivatives;
    }
    for (size_t i = 0; i < program->segments && status == TNM_OK; i++) {
        r.trace = i >= recorded ? trace : NULL;
        status = run_segment(&r, &program->segment[i]);
        if (ends) ends[i] = trace->count;
    }
    tangent_free(&derivatives);
    modes_free(&r.bank);
    return status;
}
