/* The exponential and the logarithm. Polynomials: tools/minimax.py prints them. */

/* The format's constants. LN2_HI + LN2_LO = ln 2, each rounded to nearest. */
#if FASTACT_REAL == 32
#define MAGIC 0x1.8p23f /* 1.5 2**23: a sum with it is rounded to an integer, which stands in its low bits */
#define BIAS 127
#define LOG2E 0x1.715476p+0f
#define LN2_HI 0x1.62e43p-1f
#define LN2_LO -0x1.05c61p-29f
#define OFFSET 60             /* see set_reference */
#define EXACT_LIMIT 0x1p16    /* up to here n ln 2 keeps the digits that the reduction needs */
#else
#define MAGIC 0x1.8p52
#define BIAS 1023
#define LOG2E 0x1.71547652b82fep+0
#define LN2_HI 0x1.62e42fefa39efp-1
#define LN2_LO 0x1.abc9e3b39803fp-56
#define OFFSET 500
#define EXACT_LIMIT 0x1p20
#endif

/* The bits of UNIT 2**(j/4) for j = 0 to 3, less what j adds to them in vadd_quarters. UNIT makes all four lie within 2**-30
   (float32) or 2**-60 (float64) of numbers of the format (tools/minimax.py), and the exponential of a row's largest entry, between
   UNIT 2**(-1/8) and UNIT 2**(1/8), so close below 2 that its rounding is small beside it. LOWEST: UNIT times the smallest normal
   number. */
#if FASTACT_REAL == 32
#define UNIT 0x1.d38d72p+0
#define LOWEST (UNIT * 0x1p-126f)
static const uint32_t quarters[4] = {0x3fe9c6b9, 0x3feb0113, 0x3fe54e06, 0x3fe494e5};
#else
#define UNIT 0x1.ccfa03e6cef47p+0
#define LOWEST (UNIT * 0x1p-1022)
static const uint64_t quarters[4] = {0x3ffccfa03e6cef47, 0x3ffd2192cc51f6d7, 0x3ffc5f5ae9929609, 0x3ffc3a232e33cb10};
#endif

/* exp(r) = 1 + r q(r) for |r| <= ln(2)/8, by Remez exchange. The intervals are wider because n comes from a rounded product.
   float32: [-0.0888, 0.0888], degree 3, relative error of exp 2**-27.3.  float64: [-0.0867, 0.0867], degree 7, 2**-57.6. */
#if FASTACT_REAL == 32
#define QUARTER_DEGREE 3
static const real quarter_coefficient[QUARTER_DEGREE + 1] = {0x1p+0f, 0x1.000008p-1f, 0x1.557342p-3f, 0x1.551e8p-5f};
#else
#define QUARTER_DEGREE 7
static const real quarter_coefficient[QUARTER_DEGREE + 1] = {
    0x1p+0, 0x1.0000000000006p-1, 0x1.5555555557e7ep-3, 0x1.5555555541b22p-5,
    0x1.111110a169641p-7, 0x1.6c16c382b97f9p-10, 0x1.a030ca10f6132p-13, 0x1.a000ade619c0bp-16,
};
#endif

/* x[u] becomes UNIT exp(x[u]) 2**(-exponent/4), for `count` vectors side by side, which hides latency. magic = MAGIC - exponent.
     t = x 4 log2 e + magic             rounded to an integer; its low bits are n - exponent
     n = t - magic
     r = (x - n LN2_HI/4) - n LN2_LO/4  the first step is exact (x and n LN2_HI/4 are multiples of one ULP and cancel)
     s = UNIT 2**((n - exponent)/4)     from the table by the lowest two bits of t; the others are added to its exponent field;
                                        less LOWEST, which changes none that matters
     UNIT exp(x) 2**(-exponent/4) = s + (s r) q(r)
   Subtracting no maximum, it has no rounding error that grows with the distance to the maximum; UNIT is a common factor of a row.
   `floor` is where s is LOWEST, too small to show in any result. There and below (-inf too) the exponential is 0, without passing
   through subnormal numbers, which cost many times what others do; NaN stays NaN.
   Error: 0.5 ULP of the last step, and in units of 2**-24 or 2**-53 of the result 0.06 of r, 0.09 of s r, 0.09 of q, 0.1 of the
   polynomial.
   In two halves, the first of which leaves r and s: see `halfway`. */
FASTACT_INLINE void exp_begin(const vec *x, int count, vec magic, vec floor, vec *r, vec *s) {
    vec t[4];
    for (int u = 0; u < count; u++) r[u] = vmax(floor, x[u]);
    for (int u = 0; u < count; u++) t[u] = vfma(r[u], vset(4 * LOG2E), magic);
    for (int u = 0; u < count; u++) r[u] = vfma(vsub(t[u], magic), vset(-LN2_HI / 4), r[u]);
    for (int u = 0; u < count; u++) r[u] = vfma(vsub(t[u], magic), vset(-LN2_LO / 4), r[u]);
    for (int u = 0; u < count; u++) s[u] = vsub(vadd_quarters(vlookup(quarters, t[u]), t[u]), vset(LOWEST));
}
FASTACT_INLINE void exp_end(vec *x, int count, const vec *r, const vec *s) {
    vec q[4];
    for (int u = 0; u < count; u++) q[u] = vset(quarter_coefficient[QUARTER_DEGREE]);
    for (int d = QUARTER_DEGREE - 1; d >= 0; d--)
        for (int u = 0; u < count; u++) q[u] = vmadd(q[u], r[u], vset(quarter_coefficient[d]));
    for (int u = 0; u < count; u++) x[u] = vfma(vmul(s[u], r[u]), q[u], s[u]);
}
FASTACT_INLINE void exp_scaled(vec *x, int count, vec magic, vec floor) {
    vec r[4], s[4];
    exp_begin(x, count, magic, floor, r, s);
    exp_end(x, count, r, s);
}

/* The same with UNIT 1, and what rounding took from the table's logarithms. */
#if FASTACT_REAL == 32
static const uint32_t quarters_of_1[4] = {0x3f800000, 0x3f7837f0, 0x3f7504f3, 0x3f7744fd};
static const real quarters_lo[4] = {0, 0x1.12500p-25f, 0x1.26055cp-26f, -0x1.f9c306p-27f};
#else
static const uint64_t quarters_of_1[4] = {0x3ff0000000000000, 0x3fef06fe0a31b715, 0x3feea09e667f3bcd, 0x3feee89f995ad3ad};
static const real quarters_lo[4] = {0, 0x1.34d754db0abb6p-55, -0x1.3b3efbf5e2229p-54, 0x1.c1a7792cb3387p-55};
#endif

/* x + x_lo = (n/4) ln 2 + r + r_lo, and s = 2**(n/4) 2**(-exponent/4), for magic = MAGIC - exponent, exponent a multiple of 4. */
typedef struct {
    vec s, r, r_lo;
} quarter_reduction;
FASTACT_INLINE quarter_reduction reduce_quarters(vec x, int has_lo, vec x_lo, vec magic) {
    vec t = vfma(x, vset(4 * LOG2E), magic), n = vsub(t, magic);
    vec hi = vfma(n, vset(-LN2_HI / 4), x), lo = vfma(n, vset(-LN2_LO / 4), vlookup(quarters_lo, t)), r;
    if (has_lo) lo = vadd(lo, x_lo);
    r = vadd(hi, lo);
    return (quarter_reduction){vadd_quarters(vlookup(quarters_of_1, t), t), r, vadd(vsub(hi, r), lo)};
}

/* exp(x + x_lo) 2**(-exponent/4), for a result and a 2**((n - exponent)/4) that are normal numbers. */
FASTACT_INLINE vec exp_quarters(vec x, int has_lo, vec x_lo, vec magic) {
    quarter_reduction k = reduce_quarters(x, has_lo, x_lo, magic);
    vec q = vset(quarter_coefficient[QUARTER_DEGREE]);
    for (int d = QUARTER_DEGREE - 1; d >= 0; d--) q = vmadd(q, k.r, vset(quarter_coefficient[d]));
    return vfma(vmul(k.s, k.r), q, k.s);
}

/* expm1(r) = r + r**2 h(r) for |r| <= ln(2)/8, by Remez exchange. float32: [-0.0888, 0.0888], degree 3, relative error 2**-29.9.
   float64: [-0.0867, 0.0867], degree 7, 2**-60.7. */
#if FASTACT_REAL == 32
#define EXPM1_DEGREE 3
static const real expm1_coefficient[EXPM1_DEGREE + 1] = {0x1p-1f, 0x1.555558p-3f, 0x1.55694ap-5f, 0x1.110714p-7f};
#else
#define EXPM1_DEGREE 7
static const real expm1_coefficient[EXPM1_DEGREE + 1] = {
    0x1p-1, 0x1.5555555555556p-3, 0x1.55555555565cfp-5, 0x1.111111110daeap-7,
    0x1.6c16c112ba1c8p-10, 0x1.a01a02421796cp-13, 0x1.a02c3c66f4be8p-16, 0x1.71dba474657e2p-19,
};
#endif

/* expm1(x) = (s - 1) + s (r + r**2 h(r)) for x >= -50, s the nearest power of 2**(1/4), or half of it; r_lo goes with the small terms. */
FASTACT_INLINE vec expm1_quarters(vec x, int has_lo, vec x_lo, int halved) {
    quarter_reduction k = reduce_quarters(x, has_lo, x_lo, vset((real)MAGIC - 4 * halved));
    vec h = vset(expm1_coefficient[EXPM1_DEGREE]);
    for (int d = EXPM1_DEGREE - 1; d >= 0; d--) h = vmadd(h, k.r, vset(expm1_coefficient[d]));
    return vfma(k.s, vadd(k.r, vfma(vmul(k.r, k.r), h, k.r_lo)), vsub(k.s, vset(halved ? (real)0.5 : 1)));
}

/* log((1 + s) / (1 - s)) = 2 s + s**3 l(s**2) for s**2 <= 0.02945, by Remez exchange; relative error 2**-31.1 and 2**-58.8. */
#if FASTACT_REAL == 32
#define LOG_DEGREE 3
static const real log_coefficient[LOG_DEGREE + 1] = {0x1.555554p-1f, 0x1.999a7ap-2f, 0x1.2438cap-2f, 0x1.e2f8aep-3f};
#else
#define LOG_DEGREE 6
static const real log_coefficient[LOG_DEGREE + 1] = {
    0x1.5555555555592p-1, 0x1.999999997fcf1p-2, 0x1.24924941fcfb8p-2, 0x1.c71c51ff1665bp-3,
    0x1.74664124f8262p-3, 0x1.39a17dd77476bp-3, 0x1.2f07e7971172cp-3,
};
#endif

/* log(1 + e) for 0 <= e <= 1. With f = e, or (e - 1)/2 above sqrt(2) - 1, and s = f / (2 + f):
     log(1 + f) = f - (f**2/2 - s (f**2/2 + s**2 l(s**2)))          the correction is small beside f */
FASTACT_INLINE vec log1p_fraction(vec e) {
    const vec limit = vset((real)0.41421356), half = vset((real)0.5);
    vec f = vless_select(limit, e, vmul(vsub(e, vset(1)), half), e);
    vec s = vdiv(f, vadd(vset(2), f)), z = vmul(s, s), l = vset(log_coefficient[LOG_DEGREE]);
    for (int d = LOG_DEGREE - 1; d >= 0; d--) l = vmadd(l, z, vset(log_coefficient[d]));
    vec square = vmul(vmul(f, f), half), w = vsub(vmul(s, vfma(z, l, square)), square);
    vec above = vadd(vset(LN2_HI), vadd(f, vadd(w, vset(LN2_LO))));
    return vless_select(limit, e, above, vadd(f, w));
}

/* exp(r) = 1 + r q(r) for |r| <= ln(2)/2, by Remez exchange.
   float32: [-0.351, 0.351], degree 5, relative error of exp 2**-27.6.  float64: [-0.3467, 0.3467], degree 10, 2**-56.4. */
#define Q_DEGREE_DOUBLE 10
static const double q_double[Q_DEGREE_DOUBLE + 1] = {
    0x1p+0, 0x1.000000000000ap-1, 0x1.55555555554fap-3, 0x1.555555555087ap-5, 0x1.1111111127bfp-7, 0x1.6c16c1842a9a7p-10,
    0x1.a01a012a54fa7p-13, 0x1.a0199a0ade617p-16, 0x1.71df2555f7a5cp-19, 0x1.28ad744983270p-22, 0x1.ad7f6ceb53c72p-26,
};
#if FASTACT_REAL == 32
#define Q_DEGREE 5
static const real q_coefficient[Q_DEGREE + 1] = {
    0x1p+0f, 0x1.fffffcp-2f, 0x1.555488p-3f, 0x1.55592p-5f, 0x1.124148p-7f, 0x1.6a17f4p-10f,
};
#else
#define Q_DEGREE Q_DEGREE_DOUBLE
#define q_coefficient q_double
#endif

/* a 2**n in one rounding, for a near 1 and integers n of up to twice the exponents of normal numbers. */
FASTACT_INLINE vec vscale(vec a, vec n) {
#ifdef FASTACT_OWN_SCALE
    EACH a.v[k] = nscale(a.v[k], n.v[k]);
    return a;
#else
    const vec magic = vset(MAGIC), bias = vset(MAGIC + BIAS);
    vec half = vsub(vfma(n, vset((real)0.5), magic), magic);
    return vmul(vmul(a, vshift_to_exponent(vadd(half, bias))), vshift_to_exponent(vadd(vsub(n, half), bias)));
#endif
}

/* exp(x) for the whole range, down to the subnormal numbers and up to infinity. At the bottom (-inf too) n is -2 BIAS, and both factors
   of vscale are 0: no product there passes through subnormal numbers, which cost many times what others do. */
FASTACT_INLINE vec vexp(vec x) {
    const real top = FASTACT_REAL == 32 ? 89 : 710, bottom = -2 * BIAS * LN2_HI;
    const vec magic = vset(MAGIC);
    x = vmin(vset(top), vmax(vset(bottom), x));
    vec n = vsub(vfma(x, vset(LOG2E), magic), magic);
    vec r = vfma(n, vset(-LN2_LO), vfma(n, vset(-LN2_HI), x)), q = vset(q_coefficient[Q_DEGREE]);
    for (int d = Q_DEGREE - 1; d >= 0; d--) q = vmadd(q, r, vset(q_coefficient[d]));
    return vscale(vfma(r, q, vset(1)), n);
}

#define LN2_HI_DOUBLE 0x1.62e42fefa39efp-1
#define LN2_LO_DOUBLE 0x1.abc9e3b39803fp-56

/* 2**n for a normal result. */
FASTACT_INLINE double power_of_two(int64_t n) {
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double p;
    memcpy(&p, &bits, sizeof p);
    return p;
}

/* The nearest integer, for |x| < 2**51. */
FASTACT_INLINE double nearest(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

/* exp(x) for x <= 0 in plain double arithmetic, as exp_scaled computes it; too small a result is 2**-1000. */
FASTACT_INLINE double exp_double(double x) {
    x = x > -693 ? x : -693;
    double t = __builtin_fma(x, 0x1.71547652b82fep+0, 0x1.8p52), n = t - 0x1.8p52, q = q_double[Q_DEGREE_DOUBLE], p;
    double r = __builtin_fma(n, -LN2_LO_DOUBLE, __builtin_fma(n, -LN2_HI_DOUBLE, x));
    for (int d = Q_DEGREE_DOUBLE - 1; d >= 0; d--) q = __builtin_fma(q, r, q_double[d]);
    uint64_t bits;
    memcpy(&bits, &t, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&p, &bits, sizeof p);
    return __builtin_fma(r, q, 1) * p;
}

/* exp(x) 2**-n for |x - n ln 2| <= ln(2)/2 to 2**-68, where a row's result lies far below its terms and digits come before speed.
   With r = x - n ln 2 in two parts, the Taylor series to degree 14 leaves 0.3466**15 / 15! < 2**-63; its first terms are pairs. */
FASTACT_INLINE fastact_pair exp_pair(double x, double n) {
    double p = n * LN2_HI_DOUBLE;
    fastact_pair d = two_sum(x, -p), r = two_sum(d.hi, d.lo - __builtin_fma(n, LN2_HI_DOUBLE, -p) - n * LN2_LO_DOUBLE);
    /* Odd and even terms apart: half the latency. */
    static const double inverse_factorial[] = {
        1.0 / 24.0,     1.0 / 120.0,     1.0 / 720.0,      1.0 / 5040.0,      1.0 / 40320.0,      1.0 / 362880.0,
        1.0 / 3628800.0, 1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0, 1.0 / 87178291200.0,
    };
    double w = r.hi * r.hi, even = inverse_factorial[10], odd = inverse_factorial[9];
    for (int d = 8; d >= 0; d -= 2) even = __builtin_fma(even, w, inverse_factorial[d]);
    for (int d = 7; d >= 1; d -= 2) odd = __builtin_fma(odd, w, inverse_factorial[d]);
    double fourth = w * w * __builtin_fma(odd, r.hi, even); /* r**4/24 + r**5/120 + ... */
    double w_lo = __builtin_fma(r.hi, r.hi, -w), cube = w * r.hi, cube_lo = __builtin_fma(w, r.hi, -cube) + w_lo * r.hi;
    double third = cube / 6, third_lo = (__builtin_fma(-6, third, cube) + cube_lo) / 6;
    double slope = __builtin_fma(r.hi, 1 + r.hi / 2, 1); /* what r.lo is worth */
    fastact_pair sum = two_sum(1, r.hi), more = two_sum(sum.hi, w / 2), all = two_sum(more.hi, third);
    return renormalise(all.hi, all.lo + (more.lo + (sum.lo + (w_lo / 2 + third_lo + __builtin_fma(r.lo, slope, fourth)))));
}

/* a / b */
FASTACT_INLINE fastact_pair pair_divide(fastact_pair a, fastact_pair b) {
    double q = a.hi / b.hi;
    return renormalise(q, (__builtin_fma(-q, b.hi, a.hi) + a.lo - q * b.lo) / b.hi);
}

/* 1 / a, to twice the digits of an entry */
FASTACT_INLINE fastact_pair inverse(fastact_pair a) {
    return FASTACT_REAL == 32 ? (fastact_pair){1 / a.hi, 0} : pair_divide((fastact_pair){1, 0}, a);
}

/* log(1 + t) for t > -1, as a pair. With 1 + t = 2**k f, f in [sqrt(1/2), sqrt(2)), and z = (f - 1) / (f + 1):
     log(1 + t) = k ln 2 + 2 (z + z**3/3 + z**5/5 + ...), |z| < 0.1716; the term z**23/23 is below 2**-59 of z.
   f - 1 is t itself where k = 0, so small t keep all their digits. The first two terms are pairs:
   the error is below 2**-65. */
FASTACT_INLINE fastact_pair log1p_pair(fastact_pair t) {
    fastact_pair s = pair_add((fastact_pair){1, 0}, t), over, under;
    uint64_t bits;
    memcpy(&bits, &s.hi, sizeof bits);
    /* Adding the distance of sqrt(1/2) to 1 carries into the exponent for f >= sqrt(2). */
    int k = (int)((bits + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu)) >> 52) - 1023;
    if (k == 0) {
        over = renormalise(t.hi, t.lo);
    } else {
        double scale = power_of_two(-k);
        over = renormalise(s.hi * scale - 1, s.lo * scale);
    }
    under = pair_add((fastact_pair){2, 0}, over);
    fastact_pair z = pair_divide(over, under);
    static const double inverse_odd[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                         1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
    double w = z.hi * z.hi, v = w * w, even = inverse_odd[8], odd = inverse_odd[9];
    for (int d = 6; d >= 2; d -= 2) even = __builtin_fma(even, v, inverse_odd[d]);
    for (int d = 7; d >= 1; d -= 2) odd = __builtin_fma(odd, v, inverse_odd[d]);
    double fifth = z.hi * v * __builtin_fma(even, w, odd); /* z**5/5 + z**7/7 + ... */
    double w_lo = __builtin_fma(z.hi, z.hi, -w) + 2 * z.hi * z.lo, cube = z.hi * w;
    double cube_lo = __builtin_fma(z.hi, w, -cube) + z.hi * w_lo + z.lo * w;
    double third = cube / 3, third_lo = (__builtin_fma(-3, third, cube) + cube_lo) / 3;
    fastact_pair sum = two_sum(k * LN2_HI_DOUBLE, 2 * z.hi), more = two_sum(sum.hi, 2 * third);
    double error = __builtin_fma(k, LN2_HI_DOUBLE, -(k * LN2_HI_DOUBLE)) + k * LN2_LO_DOUBLE;
    return renormalise(more.hi, more.lo + (sum.lo + (error + 2 * (z.lo + third_lo + fifth))));
}

/* log(sum_j exp(x_j - m)) = log(1 + t), t = ties - 1 + sum / e(m), for LANES rows: m their largest entries, n / 4 the multiples of 1/4
   nearest to m log2 e, sum the exponentials below as exp_scaled gives them, e(m) = UNIT 2**OFFSET exp(m - (n/4) ln 2) that of m.
   With 1 + t = 2**k (1 + u), 1 + u in [sqrt(1/2), sqrt(2)), and z = u / (2 + u):
     log(1 + t) = k ln 2 + 2 (z + z**3/3 + z**5/5 + ...), |z| < 0.1716
   where u is t itself for k = 0, so that small t keep all their digits. Both series are Taylor's. */
#define LOG_OF_SUM_SCALE (UNIT * (FASTACT_REAL == 32 ? 0x1p60 : 0x1p500)) /* 2**OFFSET */
static const double inverse_factorial[] = {1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,     1.0 / 720,
                                           1.0 / 5040,  1.0 / 40320,  1.0 / 362880,  1.0 / 3628800};
static const double two_by_odd[] = {2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
/* k and 2**-k of 1 + t */
FASTACT_INLINE vec binary_exponent(vec t, vec *power) {
    vec k = vexponent(vmul(t, vset((real)1.4142135623730951)));
    *power = vshift_to_exponent(vsub(vset((real)MAGIC + BIAS), k));
    return k;
}
#if FASTACT_REAL == 32
/* In double: relative error below 2**-40. */
FASTACT_INLINE wide wide_log_of_sum(vec m, vec n, wide sum, vec ties) {
    wide x = wide_of(m), quarter = wide_of(n), others = wide_of(vsub(ties, vset(1))), t = others, over;
    vec power, k;
    for (int d = 0; d < 2 * PARTS; d++) {
        dvec r = dfma(quarter.v[d], dset(-LN2_HI_DOUBLE / 4), x.v[d]), p = dset(inverse_factorial[5]);
        for (int i = 4; i >= 0; i--) p = dfma(p, r, dset(inverse_factorial[i]));
        p = dfma(dfma(p, r, dset(1)), r, dset(1));
        t.v[d] = sum.v[d] / (p * dset(LOG_OF_SUM_SCALE)) + others.v[d];
        over.v[d] = t.v[d] + dset(1);
    }
    k = binary_exponent(wide_rounded(over), &power);
    wide whole = wide_of(k), scale = wide_of(power);
    for (int d = 0; d < 2 * PARTS; d++) {
        dvec u = dfma(t.v[d], scale.v[d], scale.v[d] - dset(1)), z = u / (u + dset(2)), w = z * z, q = dset(two_by_odd[6]);
        for (int i = 5; i >= 0; i--) q = dfma(q, w, dset(two_by_odd[i]));
        t.v[d] = dfma(whole.v[d], dset(LN2_HI_DOUBLE), dfma(z * w, q, z + z));
    }
    return t;
}
#else
/* As pairs: relative error below 2**-58. */
FASTACT_INLINE wide wide_log_of_sum(vec m, vec n, wide sum, vec ties) {
    const vec one = vset(1), two = vset(2), unit = vset(LOG_OF_SUM_SCALE);
    /* e(m) */
    vec step = vfma(n, vset(-LN2_HI / 4), m), r = vfma(n, vset(-LN2_LO / 4), step), r_lo = vfma(n, vset(-LN2_LO / 4), vsub(step, r));
    vec h = vset(inverse_factorial[8]);
    for (int i = 7; i >= 0; i--) h = vfma(h, r, vset(inverse_factorial[i]));
    vec p = vadd(one, r), p_lo = vadd(vadd(vsub(one, p), r), vfma(vmul(r, r), h, vfma(r_lo, r, r_lo)));
    vec e = vadd(p, p_lo), e_lo = vadd(vsub(p, e), p_lo), d = vmul(e, unit), d_lo = vfma(e_lo, unit, vfma(e, unit, vneg(d)));
    /* t */
    vec q = vdiv(sum.hi, d), q_lo = vdiv(vadd(vfma(vneg(q), d, sum.hi), vsub(sum.lo, vmul(q, d_lo))), d);
    vec others = vsub(ties, one), t = vadd(q, others), v = vsub(t, q);
    vec t_lo = vadd(vadd(vsub(q, vsub(t, v)), vsub(others, v)), q_lo);
    /* u, z */
    vec power, k = binary_exponent(vadd(one, t), &power), less = vsub(power, one), scaled_t = vmul(t, power), u = vadd(scaled_t, less);
    v = vsub(u, scaled_t);
    vec u_lo = vfma(t_lo, power, vadd(vsub(scaled_t, vsub(u, v)), vsub(less, v)));
    vec over = vadd(two, u), over_lo = vadd(vadd(vsub(two, over), u), u_lo), z = vdiv(u, over);
    vec z_lo = vdiv(vadd(vfma(vneg(z), over, u), vsub(u_lo, vmul(z, over_lo))), over);
    vec w = vmul(z, z), tail = vset(two_by_odd[9]);
    for (int i = 8; i >= 0; i--) tail = vfma(tail, w, vset(two_by_odd[i]));
    tail = vfma(vmul(z, w), tail, vadd(z_lo, z_lo));
    vec whole = vmul(k, vset(LN2_HI)), first = vadd(z, z), hi = vadd(whole, first);
    v = vsub(hi, whole);
    vec lost = vadd(vsub(whole, vsub(hi, v)), vsub(first, v));
    vec whole_lo = vfma(k, vset(LN2_LO), vfma(k, vset(LN2_HI), vneg(whole)));
    return (wide){hi, vadd(vadd(lost, whole_lo), tail)};
}
#endif
