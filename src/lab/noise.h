// noise.h: how quiet the machine is.
//
// The sentinel is a chase through the second-level cache: on a quiet machine its samples are all
// alike. The grade comes from (median - minimum) / minimum, and from the share of samples that
// were thrown away: A up to 3 %, B up to 10 %, C above. With C, what would differ is inconclusive.
#pragma once

#include "lab/rng.h"

struct noise {
    double spread;   // (median - minimum) / minimum
    double rejected; // share of the samples
    char grade;
};

struct noise noise_measure(struct rng *rng); // about 5 ms
char noise_grade(double spread, double rejected);
