// expo.h: the two functions of mathematics that sampling needs, without libm.
//
// Both are right to some 14 digits.
#pragma once

#include "base/base.h"

// The natural logarithm of x > 0.
double expo_ln(double x);
// 1 - e^-x for x >= 0.
double expo_share(double x);
