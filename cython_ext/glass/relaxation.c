#include "relaxation.h"

#include <string.h>

/* Adam and Gibbs as Scherer and Hodge have it, ln tau = ln A + q r / T with r = Tf / (Tf - T2).
 * Values: ln A, q = Q / R (K), T2 (K). */
enum { AG_LN_A, AG_Q, AG_T2 };

static relaxation_slopes adam_gibbs(const double *v, double t, double f) {
    const double distance = f - v[AG_T2], r = f / distance;
    if (!(distance > 0.0)) return (relaxation_slopes){.ln_tau = INFINITY};
    return (relaxation_slopes){
        .ln_tau = v[AG_LN_A] + v[AG_Q] * r / t,
        .t = -v[AG_Q] * r / (t * t),
        .f = -v[AG_Q] * v[AG_T2] / (distance * distance * t),
    };
}

static void differentiate_adam_gibbs(const double *v, double t, double f, relaxation_derivatives *out) {
    const double u = 1.0 / t, u2 = u * u, q = v[AG_Q], d = 1.0 / (f - v[AG_T2]);
    const double r = f * d, r_f = -v[AG_T2] * d * d, r_ff = 2.0 * v[AG_T2] * d * d * d;
    const double r_2 = f * d * d, r_f2 = -(f + v[AG_T2]) * d * d * d;
    *out = (relaxation_derivatives){
        .t = -q * r * u2, .f = q * r_f * u, .tf = -q * r_f * u2, .ff = q * r_ff * u,
        .p = {1.0, r * u, q * r_2 * u}, .tp = {0.0, -r * u2, -q * r_2 * u2}, .fp = {0.0, r_f * u, q * r_f2 * u},
    };
}

/* Mauro, Allan and Potuzak: ln tau = E(Tf) + w (N - E), w = 1 - (min(T, Tf) / max(T, Tf))^p, with h = Tg / Tf and
 *
 *     E = ln A + b h exp[k (h - 1)],    b = ln 100 - ln A,    k = m ln 10 / b - 1    (MYEGA, in equilibrium),
 *     N = n + q / T - s exp(-k h)    (the structure does not change).
 *
 * Values: ln A, Tg (K), m, n, q (K), s, p. At T = Tf, ln tau has a kink; there the derivatives are those of T < Tf. */
enum { MAP_LN_A, MAP_TG, MAP_M, MAP_N, MAP_Q, MAP_S, MAP_P };

typedef struct {
    double b, k, h, rise, fall;   /* rise = exp[k (h - 1)], fall = exp(-k h) */
    double sign, path, w;         /* of ln(T / Tf), its size, the weight of N */
} map_terms;

static map_terms map_prepare(const double *v, double t, double f) {
    map_terms m = {.b = log(100.0) - v[MAP_LN_A], .h = v[MAP_TG] / f};
    m.k = v[MAP_M] * log(10.0) / m.b - 1.0;
    m.rise = exp(m.k * (m.h - 1.0));
    m.fall = exp(-m.k * m.h);
    m.sign = t > f ? 1.0 : -1.0;
    m.path = m.sign * log(t / f);
    m.w = -expm1(-v[MAP_P] * m.path);
    return m;
}

static relaxation_slopes map_first(const double *v, double t, double f) {
    const map_terms m = map_prepare(v, t, f);
    const double liquid = v[MAP_LN_A] + m.b * m.h * m.rise, glass = v[MAP_N] + v[MAP_Q] / t - v[MAP_S] * m.fall;
    const double by_h = m.b * m.rise * (1.0 + m.k * m.h), glass_by_h = v[MAP_S] * m.k * m.fall, h_f = -m.h / f;
    const double gap = glass - liquid, turn = v[MAP_P] * m.sign * (1.0 - m.w);
    return (relaxation_slopes){
        .ln_tau = liquid + m.w * gap,
        .t = turn / t * gap - m.w * v[MAP_Q] / (t * t),
        .f = h_f * (by_h + m.w * (glass_by_h - by_h)) - turn / f * gap,
    };
}

static void differentiate_map(const double *v, size_t first, double t, double f, relaxation_derivatives *out) {
    const map_terms m = map_prepare(v, t, f);
    const double b = m.b, k = m.k, h = m.h, y = 1.0 - m.w, w = m.w, p = v[MAP_P], s = v[MAP_S];
    const double h_f = -h / f, h_ff = 2.0 * h / (f * f);
    const double gap = v[MAP_N] + v[MAP_Q] / t - s * m.fall - v[MAP_LN_A] - b * h * m.rise;
    const double gap_t = -v[MAP_Q] / (t * t);
    /* derivatives of E and of N - E by h */
    const double e_h = b * m.rise * (1.0 + k * h), e_hh = b * m.rise * k * (2.0 + k * h);
    const double g_h = s * k * m.fall - e_h, g_hh = -s * k * k * m.fall - e_hh;
    const double w_t = p * m.sign * y / t, w_f = -p * m.sign * y / f, w_tf = p * p * y / (t * f);
    const double w_ff = (p * m.sign * y - p * p * y) / (f * f);
    memset(out, 0, sizeof *out);
    out->t = w_t * gap + w * gap_t;
    out->f = e_h * h_f + w_f * gap + w * g_h * h_f;
    out->tf = w_tf * gap + w_t * g_h * h_f + w_f * gap_t;
    out->ff = (e_hh + w * g_hh) * h_f * h_f + (e_h + w * g_h) * h_ff + w_ff * gap + 2.0 * w_f * g_h * h_f;
    for (size_t lane = 0; lane < TNM_LANES && first + lane <= MAP_P; lane++) {
        /* E, N - E and what they change by with h, by the parameter */
        double e = 0.0, g = 0.0, eh = 0.0, gh = 0.0, h_p = 0.0, k_p = 0.0, gt = 0.0;
        const size_t which = first + lane;
        if (which == MAP_P) {
            const double grow = m.path * y, bend = 1.0 - p * m.path;
            out->p[lane] = grow * gap;
            out->tp[lane] = m.sign * y / t * bend * gap + grow * gap_t;
            out->fp[lane] = -m.sign * y / f * bend * gap + grow * g_h * h_f;
            continue;
        }
        if (which == MAP_LN_A) {
            e = 1.0 - h * m.rise;
            eh = -m.rise * (1.0 + k * h);
            g = -e;
            gh = -eh;
            k_p = (k + 1.0) / b;
        } else if (which == MAP_TG) {
            h_p = 1.0 / f;
        } else if (which == MAP_M) {
            k_p = log(10.0) / b;
        } else if (which == MAP_N) {
            g = 1.0;
        } else if (which == MAP_Q) {
            g = 1.0 / t;
            gt = -1.0 / (t * t);
        } else {
            g = -m.fall;
            gh = k * m.fall;
        }
        const double e_k = b * h * (h - 1.0) * m.rise, e_hk = b * m.rise * ((h - 1.0) * (1.0 + k * h) + h);
        const double n_k = s * h * m.fall, n_hk = s * m.fall * (1.0 - k * h);
        e += e_k * k_p + e_h * h_p;
        g += (n_k - e_k) * k_p + g_h * h_p;
        eh += e_hk * k_p + e_hh * h_p;
        gh += (n_hk - e_hk) * k_p + g_hh * h_p;
        /* Tg changes how far h goes with Tf: h_f = -Tg / Tf^2 */
        const double h_fp = -h_p / f;
        out->p[lane] = e + w * g;
        out->tp[lane] = w_t * g + w * gt;
        out->fp[lane] = (eh + w * gh) * h_f + (e_h + w * g_h) * h_fp + w_f * g;
    }
}

relaxation_slopes relaxation_first(const tnm_glass *g, double t, double f) {
    return g->model == TNM_ADAM_GIBBS ? adam_gibbs(g->value, t, f) : map_first(g->value, t, f);
}

void relaxation_differentiate(const tnm_glass *g, double temperature, double fictive, relaxation_derivatives *out) {
    if (g->model == TNM_ADAM_GIBBS) {
        differentiate_adam_gibbs(g->value, temperature, fictive, out);
    } else {
        differentiate_map(g->value, g->first, temperature, fictive, out);
    }
}

int relaxation_in_range(const tnm_glass *g, double start) {
    const double *v = g->value;
    const size_t values = g->model == TNM_MAP ? MAP_P + 1 : 3;
    for (size_t i = 0; i < values; i++)
        if (!isfinite(v[i])) return 0;
    if (!(v[0] < log(100.0) && start > 0.0 && isfinite(start))) return 0;
    if (g->model == TNM_MODEL) return v[1] > 0.0 && v[2] > 0.0 && v[2] <= 1.0;
    if (g->model == TNM_ADAM_GIBBS) return v[AG_Q] > 0.0 && v[AG_T2] >= 0.0 && v[AG_T2] < start;
    return v[MAP_TG] > 0.0 && v[MAP_M] > 0.0 && v[MAP_Q] > 0.0 && v[MAP_S] >= 0.0 && v[MAP_P] >= 0.0;
}

double relaxation_transition(const tnm_glass *g) {
    const double *v = g->value, arrhenius = v[1] / (log(100.0) - v[0]);
    if (g->model == TNM_MODEL) return arrhenius;
    return g->model == TNM_ADAM_GIBBS ? v[AG_T2] + arrhenius : v[MAP_TG];
}

double relaxation_arrhenius(const tnm_glass *g, double temperature, double *ln_a, double *energy) {
    *ln_a = g->value[0];
    *energy = g->value[1];
    if (g->model == TNM_MODEL) return 0.0;
    const relaxation_slopes d = relaxation_first(g, temperature, temperature);
    *energy = -temperature * temperature * (d.t + d.f);
    *ln_a = d.ln_tau - *energy / temperature;
    return g->model == TNM_ADAM_GIBBS ? g->value[AG_T2] : 0.0;
}
