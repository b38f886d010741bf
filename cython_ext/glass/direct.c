#include "direct.h"

#include <math.h>
#include <stdlib.h>

#include "relaxation.h"

int tnm_direct(const tnm_glass *glass, double beta, double start, size_t n, const double *jump, const double *hold,
               double *fictive) {
    /* reduced time since each jump, summed forward: a difference of totals would lose its digits far above Tg */
    double *elapsed = calloc(n, sizeof(double));
    if (!elapsed) return TNM_MEMORY;
    double temperature = start, before = start;
    for (size_t i = 0; i < n; i++) {
        temperature += jump[i];
        const double ln_tau = relaxation_ln_tau(glass, temperature, before);
        const double reduced = hold[i] * exp(-ln_tau);
        double departure = 0.0;
        for (size_t j = 0; j <= i; j++) {
            elapsed[j] += reduced;
            departure += jump[j] * exp(-pow(elapsed[j], beta));
        }
        before = fictive[i] = temperature - departure;
    }
    free(elapsed);
    return TNM_OK;
}
