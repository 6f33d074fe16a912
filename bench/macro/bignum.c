// bignum: arithmetic on numbers of a few words, each a block of its own (the kind of cfrac).
//
// Every operation makes a new number and frees its operands soon after. A dozen blocks of 20 to 50
// bytes are live at any time, so everything stays in the first-level cache and the length of the
// paths of malloc and free is all that counts.
//
// The work is the Lucas-Lehmer test: M = 2^p - 1 is prime if and only if p - 2 steps of
// s = s * s - 2 mod M lead from 4 to 0. For these p everybody knows the answer.

#include "bench.h"

struct number {
    unsigned length; // words in use, the least significant first
    uint32_t word[];
};

static struct number *number_new(unsigned length)
{
    struct number *n = take(sizeof *n + length * sizeof n->word[0]);
    n->length = length;
    return n;
}

static struct number *number_from(uint32_t value)
{
    struct number *n = number_new(1);
    n->word[0] = value;
    return n;
}

static void trim(struct number *n)
{
    while (n->length > 1 && n->word[n->length - 1] == 0)
        n->length--;
}

static struct number *square(const struct number *a)
{
    struct number *n = number_new(2 * a->length);
    memset(n->word, 0, n->length * sizeof n->word[0]);
    for (unsigned i = 0; i < a->length; i++) {
        uint64_t carry = 0;
        for (unsigned j = 0; j < a->length; j++) {
            carry += n->word[i + j] + (uint64_t)a->word[i] * a->word[j];
            n->word[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        n->word[i + a->length] = (uint32_t)carry;
    }
    trim(n);
    return n;
}

static struct number *add(const struct number *a, const struct number *b)
{
    if (a->length < b->length)
        return add(b, a);
    struct number *n = number_new(a->length + 1);
    uint64_t carry = 0;
    for (unsigned i = 0; i < a->length; i++) {
        carry += (uint64_t)a->word[i] + (i < b->length ? b->word[i] : 0);
        n->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    n->word[a->length] = (uint32_t)carry;
    trim(n);
    return n;
}

static struct number *minus(const struct number *a, uint32_t b) // a >= b
{
    struct number *n = number_new(a->length);
    uint64_t borrow = b;
    for (unsigned i = 0; i < a->length; i++) {
        uint64_t difference = a->word[i] - borrow;
        n->word[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    trim(n);
    return n;
}

static struct number *low_bits(const struct number *a, unsigned bits)
{
    unsigned whole = bits / 32, length = whole + 1 < a->length ? whole + 1 : a->length;
    struct number *n = number_new(length);
    memcpy(n->word, a->word, length * sizeof n->word[0]);
    if (length == whole + 1)
        n->word[whole] &= ((uint32_t)1 << bits % 32) - 1;
    trim(n);
    return n;
}

static struct number *shift_right(const struct number *a, unsigned bits)
{
    unsigned whole = bits / 32, rest = bits % 32;
    if (whole >= a->length)
        return number_from(0);
    struct number *n = number_new(a->length - whole);
    for (unsigned i = 0; i < n->length; i++) {
        uint64_t two = a->word[i + whole];
        if (i + whole + 1 < a->length)
            two |= (uint64_t)a->word[i + whole + 1] << 32;
        n->word[i] = (uint32_t)(two >> rest);
    }
    trim(n);
    return n;
}

static unsigned bit_length(const struct number *a)
{
    uint32_t top = a->word[a->length - 1];
    return 32 * a->length - (top == 0 ? 32 : (unsigned)__builtin_clz(top));
}

// n mod 2^p - 1, in place of n: 2^p is 1, so the high part is added to the low one.
static struct number *reduce(struct number *n, unsigned p)
{
    while (bit_length(n) > p) {
        struct number *low = low_bits(n, p), *high = shift_right(n, p);
        free(n);
        n = add(low, high);
        free(low);
        free(high);
    }
    return n;
}

// Are all of the p low bits set? Then n is 2^p - 1, which is 0 here.
static bool is_zero(const struct number *n, unsigned p)
{
    struct number *one = number_from(1), *next = add(n, one);
    bool zero = (n->length == 1 && n->word[0] == 0) || bit_length(next) == p + 1;
    free(one);
    free(next);
    return zero;
}

// n + 2^p - 1, in place of n, so that 2 can be taken away from it.
static struct number *plus_modulus(struct number *n, unsigned p)
{
    struct number *modulus = number_new(p / 32 + 1);
    memset(modulus->word, 0xff, modulus->length * sizeof modulus->word[0]);
    modulus->word[p / 32] = ((uint32_t)1 << p % 32) - 1;
    struct number *sum = add(modulus, n);
    free(modulus);
    free(n);
    return sum;
}

static bool mersenne_is_prime(unsigned p)
{
    struct number *s = number_from(4);
    for (unsigned step = 0; step < p - 2; step++) {
        struct number *squared = reduce(square(s), p);
        free(s);
        if (squared->length == 1 && squared->word[0] < 2)
            squared = plus_modulus(squared, p);
        s = reduce(minus(squared, 2), p);
        free(squared);
    }
    bool prime = is_zero(s, p);
    free(s);
    return prime;
}

int main(int argc, char **argv)
{
    static const struct {
        unsigned p;
        bool prime;
    } known[] = {{61, true},  {67, false},  {71, false},  {79, false}, {89, true},  {101, false},
                 {107, true}, {109, false}, {113, false}, {127, true}, {139, false}};
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    for (size_t i = 0, n = scaled(&b, 6000); i < n; i++) {
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            check(mersenne_is_prime(known[k].p) == known[k].prime);
    }
    puts("four of eleven are prime");
    return 0;
}
