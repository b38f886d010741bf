/* The paper's own algorithm (its Eq. 4), O(N^2): the independent check of the engine. */
#ifndef LEHR_DIRECT_H
#define LEHR_DIRECT_H

#include <stddef.h>

#include "tnm.h"

/* Temperature jumps from `start`, each followed by an isothermal hold.
 *
 * jump (K) and hold (s) have n entries; fictive gets Tf in K at the end of each hold. tau of a hold is taken at the Tf
 * before it. Returns TNM_OK or TNM_MEMORY. */
int tnm_direct(const tnm_glass *glass, double beta, double start, size_t n, const double *jump, const double *hold,
               double *fictive);

#endif
