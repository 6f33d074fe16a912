// expo.c: see expo.h.
#include "base/expo.h"

#include <string.h>

#define LN2      0.69314718055994530942
#define LN2_HIGH 0.693147180369123816490 // with zeros at the end: its multiples are exact
#define LN2_LOW  1.90821492927058770002e-10

// x = 2^e * m with m in [1, 2).
static double split(double x, int *ret_e)
{
    u64 bits;
    memcpy(&bits, &x, sizeof bits);
    *ret_e = (int)(bits >> 52) - 1023;
    bits = (bits & (((u64)1 << 52) - 1)) | (u64)1023 << 52;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double expo_ln(double x)
{
    int e;
    double m = split(x, &e);
    if (m > 1.4142135623730951) {
        m /= 2;
        e++;
    }
    // ln m = 2 artanh s; |s| <= 0.172, so that ten terms are enough.
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int n = 21; n >= 1; n -= 2)
        sum = sum * square + 1.0 / n;
    return e * LN2_HIGH + (2 * s * sum + e * LN2_LOW);
}

double expo_share(double x)
{
    if (x >= 40)
        return 1;
    // e^-x = 2^-k * e^-r with |r| <= ln 2 / 2; for small x there is only r, and nothing cancels.
    int k = (int)(x / LN2 + 0.5);
    double r = (x - k * LN2_HIGH) - k * LN2_LOW, term = 1, sum = 0, scale = 1;
    for (int n = 1; n <= 16; n++) {
        term *= -r / n;
        sum += term;
    }
    for (int i = 0; i < k; i++)
        scale /= 2;
    return k == 0 ? -sum : 1 - scale - scale * sum;
}
