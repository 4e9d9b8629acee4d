/* The activations and their gradients, each pair under its identity. x the input, y the result, g the gradient with respect to the
   result, p and q the parameters. A formula may only be wrong where it is written to be: NaN in gives NaN out, and limits at
   infinity are the mathematical ones.

   Where exp(z) is too small for the format, its product with something large need not be: far below 0 exp(z) is taken as e 2**scale,
   and the result is multiplied by 2**scale in the end. Few vectors hold entries far from 0: WITH_FAR then computes formula(1, z) for
   those below besides formula(0, z), which serves all others, with z no farther from 0 than the limit. */

#if FASTACT_REAL == 32
#define NEAR -80    /* down to here exp(z) and its product with something of its size are normal numbers */
#define BOTTOM -210 /* below, even the largest number times z exp(z) is 0 */
#define SHIFTED 40  /* sigmoid: 2**-SHIFTED exp(x) does not overflow wherever 1 / exp(x) is not 0 */
#define TOP 105
#else
#define NEAR -700
#define BOTTOM -1480
#define SHIFTED 80
#define TOP 747
#endif
#define LARGEST (FASTACT_REAL == 32 ? (real)0x1.fffffep127 : (real)0x1.fffffffffffffp1023)

#define WITH_FAR_IF(any, limit, z, formula) \
    (any ? vless_select(z, vset(limit), formula(1, z), formula(0, within(z, -limit))) : formula(0, z))
#define WITH_FAR_BELOW(limit, z, formula) WITH_FAR_IF(vany_beyond(z, -limit), limit, z, formula)
#define WITH_FAR_CAPPED(limit, z, formula) WITH_FAR_IF(vany_below(z, limit), limit, z, formula) /* for z <= -limit */
#define WITH_FAR(z, formula) WITH_FAR_BELOW(NEAR, z, formula)

/* The nearest number of no more than this magnitude; NaN stays NaN. */
FASTACT_INLINE vec within(vec a, real limit) { return vmax(vset(-limit), vmin(vset(limit), a)); }
FASTACT_INLINE vec finite(vec a) { return within(a, LARGEST); }

/* 2**n for the exponents of normal numbers. */
FASTACT_INLINE vec power(vec n) { return vshift_to_exponent(vadd(n, vset((real)MAGIC + BIAS))); }
/* a 2**n, n down to three times the smallest exponent: the last product alone is rounded, where the result is subnormal. */
FASTACT_INLINE vec scaled_down(vec a, vec n) {
    const vec magic = vset(MAGIC);
    vec third = vsub(vfma(n, vset((real)(1.0 / 3)), magic), magic), s = power(third);
    return vmul(vmul(vmul(a, s), s), power(vsub(n, vadd(third, third))));
}

typedef struct {
    vec e, scale;
} far_exp;
/* exp(z + z_lo) for z <= 0 or NaN, as e 2**scale; scale is 0, and z from NEAR on, where `far` is 0. */
FASTACT_INLINE far_exp exp_far(int far, vec z, int has_lo, vec z_lo) {
    const vec magic = vset(MAGIC);
    far_exp r;
    if (!far) return (far_exp){exp_quarters(z, has_lo, z_lo, magic), vset(0)};
    z = vmax(vset(BOTTOM), z);
    r.scale = vadd(vsub(vfma(z, vset(LOG2E), magic), magic), vset(16)); /* e is near 2**-16: no factor up to 2**15 overflows with it */
    r.e = exp_quarters(z, has_lo, z_lo, vsub(magic, vmul(r.scale, vset(4))));
    return r;
}
FASTACT_INLINE vec rescaled(int far, vec a, vec scale) { return far ? scaled_down(a, scale) : a; }

/* p x for x <= 0 or NaN, and 0 for p = 0 though x be infinite. The limit is a constant of a loop where p is one. */
FASTACT_INLINE vec times(vec p, vec x) { return vmul(p, vmax(vless_select(vset(0), vabs(p), vset(-INFINITY), vset(-LARGEST)), x)); }
/* What rounding took from z = a b; 0 where z is so large that it does not matter. */
FASTACT_INLINE vec product_lo(vec a, vec b, vec z) {
    vec lo = vfma(a, finite(b), vneg(z)), none = vset(0);
    return vless_select(vabs(z), vset(-2 * BOTTOM), lo, none);
}

/* (n + n_lo) / (d + d_lo) for finite n: the quotient's rounding errors are taken back by its remainder. */
FASTACT_INLINE vec divide(vec n, vec n_lo, vec d, vec d_lo) {
    vec r = vdiv(vset(1), d), y = vmul(n, r);
    return vfma(vadd(vfma(vneg(y), d, n), vfma(vneg(y), d_lo, n_lo)), r, y);
}
/* A constant of more digits than a double is a pair, as a long double is another format on every platform. What is left of it beyond a
   number near it; and a c. */
FASTACT_INLINE real rest(fastact_pair c, real hi) { return (real)(c.hi - hi + c.lo); }
FASTACT_INLINE vec times_constant(vec a, fastact_pair c) { return vfma(a, vset((real)c.hi), vmul(a, vset(rest(c, (real)c.hi)))); }
/* What a + b lost in the rounded sum s, for |a| >= |b| */
FASTACT_INLINE vec sum_lo(vec a, vec b, vec s) { return vadd(vsub(a, s), b); }

/* sigmoid(x) = 1 / (1 + exp(-x))          dx = g y (1 - y)
   c / (c + c exp(-x)) with c = UNIT 2**-SHIFTED, the factor of exp_scaled, neither overflows nor loses a subnormal result. */
FASTACT_INLINE vec sigmoid_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    const vec c = vset((real)(UNIT / ((uint64_t)1 << (SHIFTED / 2)) / ((uint64_t)1 << (SHIFTED / 2))));
    vec e = vmin(vset(TOP), vneg(x));
    exp_scaled(&e, 1, vset((real)MAGIC - 4 * SHIFTED), vset((SHIFTED - BIAS + 1) * (real)LN2_HI));
    return vdiv(c, vadd(c, e));
}
FASTACT_INLINE vec sigmoid_backward(vec g, vec y, vec p, vec q) { (void)p; (void)q; return vmul(g, vmul(y, vsub(vset(1), y))); }

#if FASTACT_REAL == 32
/* One of 16 polynomials, for a >= 0, by the quarter of an octave in which a + shift lies: in a less the middle of that quarter, or less
   its beginning (tools/minimax.py). */
FASTACT_INLINE vec piecewise(const real *table, int degree, int from_middle, real shift, vec a) {
    const vec c = vset(shift);
    vec b = vadd(a, c), place = from_middle ? vquarter_middle(b) : vquarter_beginning(b);
    return vpolynomial16(table, degree, b, vsub(a, vsub(place, c)));
}
#endif

/* tanh(x), odd          dx = g (1 - y**2)
   float32: piecewise, relative error 2**-24.1 with rounded coefficients.
   float64: y = m / (m + 1), m = expm1(2 |x|) / 2, less y lo / d for what rounding took from d = m + 1, with 1 / d = 1 - y. d - 1 is exact
   up to 2**53; from there to where y is 1, lo is -1 or 1. */
#if FASTACT_REAL == 32
#define TANH_END 9.02f /* from here on tanh rounds to 1 */
#define TANH_DEGREE 5
#define TANH_PIECES(ROW)                                                                                       \
    ROW(0x1.c278a4p-1f, 0x1.cea9d6p-3f, -0x1.974d92p-3f, 0x1.9c6cb4p-4f, -0x1.ad2566p-6f, 0x1.1df4aap-10f)     \
    ROW(0x1.e8789ep-1f, 0x1.6fcf56p-4f, -0x1.5edc3cp-4f, 0x1.a79faap-5f, -0x1.516c96p-6f, 0x1.23b446p-8f)      \
    ROW(0x1.f73776p-1f, 0x1.16a6f8p-5f, -0x1.11bd22p-5f, 0x1.5e33ccp-6f, -0x1.352e7p-7f, 0x1.3554c8p-9f)       \
    ROW(0x1.fcc04cp-1f, 0x1.9e867cp-7f, -0x1.9ba236p-7f, 0x1.0cc3f6p-7f, -0x1.eac38cp-9f, 0x1.ffd658p-11f)     \
    ROW(0x1.fecd6cp-1f, 0x1.3209bap-8f, -0x1.2f3168p-8f, 0x1.80722ep-9f, -0x1.3851cap-10f, 0x1.f118acp-13f)    \
    ROW(0x1.ffd678p-1f, 0x1.4c0012p-11f, -0x1.498704p-11f, 0x1.a30bc2p-12f, -0x1.559a4cp-13f, 0x1.10cf2p-15f)  \
    ROW(0x1.fffa6p-1f, 0x1.67921p-14f, -0x1.64f44p-14f, 0x1.c61b7p-15f, -0x1.725a7p-16f, 0x1.27e714p-18f)      \
    ROW(0x1.ffff3ep-1f, 0x1.854a84p-17f, -0x1.82801cp-17f, 0x1.ebb6b4p-18f, -0x1.910f0ap-19f, 0x1.40751cp-21f) \
    ROW(0x1.ffffe6p-1f, 0x1.a3dc1p-20f, -0x1.973ad6p-20f, 0x1.de057ep-21f, -0x1.46aceap-22f, 0x1.8a4636p-25f)  \
    ROW(0, 0x1p+0f, 0x1.e0f08ap-22f, -0x1.555c3ep-2f, 0x1.0d424p-11f, 0x1.09eabcp-3f)                          \
    ROW(0x1.fd5992p-4f, 0x1.f81524p-1f, -0x1.f573ap-4f, -0x1.40a4dep-2f, 0x1.51d032p-4f, 0x1.8dbfccp-4f)       \
    ROW(0x1.f597eap-3f, 0x1.e149ap-1f, -0x1.d77dep-3f, -0x1.075b54p-2f, 0x1.259182p-3f, 0x1.783ce2p-5f)        \
    ROW(0x1.6ef53ep-2f, 0x1.be3f88p-1f, -0x1.3fc13p-2f, -0x1.709ccap-3f, 0x1.6fb5dcp-3f, -0x1.a48ce4p-6f)      \
    ROW(0x1.1bf47ep-1f, 0x1.6284c6p-1f, -0x1.8939ep-2f, -0x1.264e4ap-6f, 0x1.1d5e06p-3f, -0x1.039a88p-4f)      \
    ROW(0x1.68665p-1f, 0x1.02502p-1f, -0x1.6baf52p-2f, 0x1.511396p-4f, 0x1.d3b73ep-5f, -0x1.7b5f4cp-5f)        \
    ROW(0x1.9e5cb6p-1f, 0x1.61502p-2f, -0x1.1df61cp-2f, 0x1.c84d66p-4f, -0x1.011336p-13f, -0x1.3d7c88p-6f)
POLYNOMIALS(tanh_pieces, TANH_PIECES);
FASTACT_INLINE vec tanh_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    return vcopysign(piecewise(tanh_pieces, TANH_DEGREE, 0, 0.625f, vmin(vset(TANH_END), vabs(x))), x);
}
#else
FASTACT_INLINE vec tanh_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    const vec one = vset(1);
    vec a = vmin(vset(20), vabs(x)), m = expm1_quarters(vadd(a, a), 0, a, 1), d = vadd(m, one), y = vdiv(m, d);
    vec lo = vmax(vneg(one), vsub(m, vsub(d, one)));
    return vcopysign(vfma(vneg(lo), vfma(vneg(y), y, y), y), x);
}
#endif
FASTACT_INLINE vec tanh_backward(vec g, vec y, vec p, vec q) { (void)p; (void)q; return vmul(g, vfma(vneg(y), y, vset(1))); }

/* relu(x) = max(x, 0)          dx = g for x > 0, else 0 */
FASTACT_INLINE vec relu_forward(vec x, vec p, vec q) { (void)p; (void)q; return vmax(vset(0), x); }
FASTACT_INLINE vec relu_backward(vec g, vec x, vec p, vec q) { (void)p; (void)q; return vnan_select(x, vless_select(vset(0), x, g, vset(0))); }

/* leaky_relu(x) = x for x > 0, else p x          dx = g for x > 0, else p g */
FASTACT_INLINE vec leaky_relu_forward(vec x, vec p, vec q) { (void)q; return vless_select(vset(0), x, x, times(p, x)); }
FASTACT_INLINE vec leaky_relu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    return vnan_select(x, vless_select(vset(0), x, g, vmul(p, g)));
}

/* prelu: leaky_relu with a learned p, of which there may be one for each entry */
FASTACT_INLINE vec prelu_forward(vec x, vec p, vec q) { return leaky_relu_forward(x, p, q); }
FASTACT_INLINE vec prelu_backward(vec g, vec x, vec p, vec q) { return leaky_relu_backward(g, x, p, q); }

/* a b exp(x) for x <= 0; b is at most 1 or a at least 1, so that no product on the way overflows or loses digits that matter */
FASTACT_INLINE vec times_exp(int far, vec a, vec b, vec x, int has_lo, vec x_lo) {
    far_exp r = exp_far(far, x, has_lo, x_lo);
    return rescaled(far, vmul(vmul(a, r.e), b), r.scale);
}
FASTACT_INLINE vec at_most_zero(vec x) { return vmin(vset(0), x); }
FASTACT_INLINE vec expm1_of(vec x, int has_lo, vec x_lo) { return vcopysign(expm1_quarters(vmax(vset(-50), at_most_zero(x)), has_lo, x_lo, 0), x); }

/* elu(x) = x for x > 0, else p expm1(x)          dx = g for x > 0, else g p exp(x) */
FASTACT_INLINE vec elu_forward(vec x, vec p, vec q) { (void)q; return vless_select(vset(0), x, x, vmul(p, expm1_of(x, 0, x))); }
FASTACT_INLINE vec elu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec z = at_most_zero(x), one = vset(1), a = vless_select(vabs(p), one, g, p), b = vless_select(vabs(p), one, p, g);
#define FORMULA(far, z) times_exp(far, a, b, z, 0, z)
    return vnan_select(x, vless_select(vset(0), x, g, WITH_FAR_CAPPED(NEAR, z, FORMULA)));
#undef FORMULA
}

/* selu(x) = L x for x > 0, else L A expm1(x)          dx = g L for x > 0, else g L A exp(x) */
static const fastact_pair selu_l = {0x1.0cfabd6a91132p+0, 0x1.7p-55}, selu_la = {0x1.c212cc640f031p+0, 0x1.06p-56};
FASTACT_INLINE vec selu_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec m = expm1_of(x, 0, x);
    return vless_select(vset(0), x, times_constant(vmin(vset(LARGEST), x), selu_l), times_constant(m, selu_la));
}
FASTACT_INLINE vec selu_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec z = at_most_zero(x);
#define FORMULA(far, z) times_exp(far, vset((real)selu_la.hi), g, z, 0, z)
    return vnan_select(x, vless_select(vset(0), x, vmul(g, vset((real)selu_l.hi)), WITH_FAR_CAPPED(NEAR, z, FORMULA)));
#undef FORMULA
}

/* x / p for x <= 0, and what rounding took from it; 0 where it does not matter. */
FASTACT_INLINE vec quotient(vec x, vec p, vec *lo) {
    vec z = vdiv(x, p), none = vset(0);
    *lo = vless_select(z, vset(BOTTOM), none, vdiv(vfma(vneg(z), p, x), p));
    return z;
}
/* celu(x) = x for x > 0, else p expm1(x / p)          dx = g for x > 0, else g exp(x / p) */
FASTACT_INLINE vec celu_forward(vec x, vec p, vec q) {
    (void)q;
    vec lo, z = quotient(at_most_zero(x), p, &lo);
    vec small = vset((real)(FASTACT_REAL == 32 ? 0x1p-30 : 0x1p-60)); /* a subnormal quotient would lose digits */
    return vless_select(vneg(small), z, x, vmul(p, expm1_of(z, 1, lo)));
}
FASTACT_INLINE vec celu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec lo, z = quotient(at_most_zero(x), p, &lo);
#define FORMULA(far, z) times_exp(far, g, vset(1), z, 1, lo)
    return vnan_select(x, vless_select(vset(0), x, g, WITH_FAR_CAPPED(NEAR, z, FORMULA)));
#undef FORMULA
}

/* exp(-|z|), with a scale where z is far below 0. */
FASTACT_INLINE far_exp exp_minus_abs(int far, vec z, int has_lo, vec z_lo) {
    return far ? exp_far(1, z, has_lo, z_lo) : exp_far(0, vneg(vabs(z)), has_lo, vless_select(z, vset(0), z_lo, vneg(z_lo)));
}

/* exp(-z) */
FASTACT_INLINE vec exp_minus(vec z, int has_lo, vec z_lo) { return exp_quarters(vneg(z), has_lo, has_lo ? vneg(z_lo) : z_lo, vset(MAGIC)); }
/* a sigmoid(z) = a / (1 + exp(-z)), and a exp(z) far below 0. `limit`: an infinite a belongs to an infinite z. */
FASTACT_INLINE vec gate(int far, int limit, vec a, vec z, int has_lo, vec z_lo) {
    if (far) {
        far_exp r = exp_far(1, z, has_lo, z_lo);
        return scaled_down(vmul(limit ? finite(a) : a, r.e), r.scale);
    }
    return vdiv(a, vadd(vset(1), exp_minus(z, has_lo, z_lo)));
}
/* 1 / (d + d_lo) to nearly twice the digits */
FASTACT_INLINE vec inverse_of(vec d, vec d_lo, vec *lo) {
    vec r = vdiv(vset(1), d), more = vmul(vsub(vfma(vneg(r), d, vset(1)), vmul(r, d_lo)), r), i = vadd(r, more);
    *lo = vsub(more, vsub(i, r));
    return i;
}
/* g (y + y_lo) for a small y_lo; g may be infinite. */
FASTACT_INLINE vec times_pair(vec g, vec y, vec y_lo) { return vfma(g, y, vmul(finite(g), y_lo)); }

/* (hi + lo) 2**scale for a small lo */
typedef struct {
    vec hi, lo, scale;
} scaled_pair;
FASTACT_INLINE vec times_scaled(int far, vec g, scaled_pair y) { return rescaled(far, times_pair(g, y.hi, y.lo), y.scale); }
/* g p (hi + lo) 2**scale for a hi of no more than a few: from g p in two parts or, where that might overflow or lose digits, from the
   product with the factor above 1, if there is one. */
FASTACT_INLINE vec times_both(int far, vec g, vec p, scaled_pair y) {
    const vec one = vset(1), limit = vset(FASTACT_REAL == 32 ? (real)0x1p60f : (real)0x1p500);
    vec c = vmul(g, p), c_lo = vfma(g, p, vneg(c)), size = vabs(c);
    vec a = vless_select(vabs(p), one, g, p), b = vless_select(vabs(p), one, p, g), apart = vmul(times_pair(a, y.hi, y.lo), b);
    vec both = vfma(c, y.hi, vfma(c, y.lo, vmul(c_lo, y.hi)));
    return rescaled(far, vless_select(size, limit, vless_select(vdiv(one, limit), size, both, apart), apart), y.scale);
}

/* Its derivative for a = x, with v = x z'(x) and s = sigmoid(z):  s (1 + v (1 - s)) = n / d with e = exp(-|z|), w = 1 + v,
   d = 1 + e (2 + e), n = 1 + e w above 0 and e (e + w) below;  exp(z) w far below 0. Where e and w cancel, w is exact but for v_lo. */
FASTACT_INLINE scaled_pair gate_slope(int far, vec z, int has_lo, vec z_lo, vec v, vec v_lo) {
    const vec zero = vset(0), one = vset(1), two = vset(2);
    if (far) {
        far_exp r = exp_far(1, z, has_lo, z_lo);
        vec c = vmax(vset(-10000), v), w = vadd(c, one), w_lo = vsub(c, vsub(w, one)), y = vmul(r.e, w);
        if (has_lo) w_lo = vadd(w_lo, v_lo);
        return (scaled_pair){y, vfma(r.e, w_lo, vfma(r.e, w, vneg(y))), r.scale};
    }
    vec e = exp_minus_abs(0, z, has_lo, z_lo).e, a = vless_select(z, zero, e, one), c = has_lo ? vfma(a, a, vmul(e, v_lo)) : vmul(a, a);
    vec d = vfma(e, vadd(e, two), one), n = vfma(e, vadd(v, one), c), r = vdiv(one, d), y = vmul(n, r);
    return (scaled_pair){y, vmul(vfma(vneg(y), d, n), r), zero};
}

/* silu(x) = x sigmoid(x) */
FASTACT_INLINE vec silu_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, z) gate(far, 1, x, z, 0, z)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec silu_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, z) times_scaled(far, g, gate_slope(far, z, 0, z, z, z))
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}

/* swish(x) = x sigmoid(p x), the product in two parts, since exp magnifies its rounding */
FASTACT_INLINE vec swish_argument(vec x, vec p, vec *lo) {
    vec z = vless_select(vset(0), vabs(p), vmul(p, x), vset(0)); /* 0 inf would be NaN */
    *lo = product_lo(p, x, z);
    return vnan_select(x, z);
}
FASTACT_INLINE vec swish_forward(vec x, vec p, vec q) {
    (void)q;
    vec lo, z = swish_argument(x, p, &lo);
#define FORMULA(far, z) gate(far, 1, x, z, 1, lo)
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec swish_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec lo, z = swish_argument(x, p, &lo);
#define FORMULA(far, z) times_scaled(far, g, gate_slope(far, z, 1, lo, z, lo))
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* gelu_tanh(x) = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x**3))) / 2 = x sigmoid(z),  z = x (A + B x**2) */
static const fastact_pair gelu_a = {0x1.9884533d43651p+0, -0x1.ccp-54}, gelu_b = {0x1.2444f2a4d8b4bp-4, -0x1.6cp-61};
static const fastact_pair gelu_3b = {0x1.b6676bf7450fp-3, 0x1.bcp-57};
#if FASTACT_REAL == 32
#define GELU_TANH_NEAR -9.5f /* z = -76 */
#define COARSE 32
#else
#define GELU_TANH_NEAR -21 /* z = -694 */
#define COARSE 128
#endif
/* x (a + b x**2) in two parts, for |x| < COARSE and the first part of a so coarse that it less the sum is exact. */
FASTACT_INLINE vec cubic(vec x, fastact_pair a_pair, fastact_pair b_pair, real coarse, vec *lo) {
    real a = (real)(a_pair.hi + coarse) - coarse, a_lo = rest(a_pair, a), b = (real)b_pair.hi, b_lo = rest(b_pair, b);
    vec w = vmul(x, x), w_lo = vfma(x, x, vneg(w)), s = vfma(vset(b), w, vset(a)), s_lo = vfma(vset(b), w, vsub(vset(a), s));
    s_lo = vadd(vfma(vset(b), w_lo, vfma(vset(b_lo), w, s_lo)), vset(a_lo));
    vec z = vmul(x, s);
    *lo = vfma(x, s_lo, vfma(x, s, vneg(z)));
    return z;
}
FASTACT_INLINE vec gelu_argument(vec x, vec *lo) { return cubic(x, gelu_a, gelu_b, COARSE, lo); }

/* exp(z + z_lo) for z + z_lo in units of ln(2)/4, which saves the reduction: coefficients (ln(2)/4)**(d + 1) quarter_coefficient[d]. */
#if FASTACT_REAL == 32
static const real unit_coefficient[QUARTER_DEGREE + 1] = {0x1.62e43p-3f, 0x1.ebfbfp-7f, 0x1.c6d86ap-11f, 0x1.3af816p-15f};
#else
static const real unit_coefficient[QUARTER_DEGREE + 1] = {
    0x1.62e42fefa39efp-3,  0x1.ebfbdff82c59ap-7,  0x1.c6b08d704d793p-11, 0x1.3b2ab6fb92c5ap-15,
    0x1.5d87fde9baba4p-20, 0x1.430914d2c693fp-25, 0x1.ffe8022256132p-31, 0x1.62aa8a7a7641ep-36,
};
#endif
FASTACT_INLINE vec exp_of_quarters(vec z, vec z_lo) {
    const vec magic = vset(MAGIC);
    vec t = vadd(z, magic), r = vadd(vsub(z, vsub(t, magic)), vfma(vlookup(quarters_lo, t), vset(4 * LOG2E), z_lo));
    vec s = vadd_quarters(vlookup(quarters_of_1, t), t), q = vset(unit_coefficient[QUARTER_DEGREE]);
    for (int d = QUARTER_DEGREE - 1; d >= 0; d--) q = vmadd(q, r, vset(unit_coefficient[d]));
    return vfma(vmul(s, r), q, s);
}
/* -A and -B in these units */
static const fastact_pair gelu_unit_a = {-0x1.26aec21bce759p+3, -0x1.2e8p-51}, gelu_unit_b = {-0x1.a5a7cf7572a98p-2, 0x1.b9p-56};
FASTACT_INLINE vec gelu_tanh_of(int far, vec x, vec near) {
    vec lo, z;
    if (far) {
        z = gelu_argument(vmax(vset(2 - COARSE), near), &lo);
        return gate(1, 1, x, z, 1, lo);
    }
    z = cubic(near, gelu_unit_a, gelu_unit_b, -2 * COARSE, &lo);
    return vdiv(x, vadd(vset(1), exp_of_quarters(z, lo)));
}
FASTACT_INLINE vec gelu_tanh_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, near) gelu_tanh_of(far, x, near)
    return WITH_FAR_CAPPED(GELU_TANH_NEAR, vmin(vset(-GELU_TANH_NEAR), x), FORMULA);
#undef FORMULA
}
typedef struct {
    vec z, z_lo, v, v_lo;
} gelu_terms;
FASTACT_INLINE gelu_terms gelu_terms_of(int far, vec x) {
    gelu_terms k;
    x = far ? vmax(vset(2 - COARSE), x) : x;
    k.z = gelu_argument(x, &k.z_lo);
    k.v = cubic(x, gelu_a, gelu_3b, COARSE, &k.v_lo); /* x z'(x) = x (A + 3 B x**2) */
    return k;
}
FASTACT_INLINE scaled_pair gelu_tanh_slope(int far, vec x) {
    gelu_terms k = gelu_terms_of(far, x);
    return gate_slope(far, k.z, 1, k.z_lo, k.v, k.v_lo);
}
FASTACT_INLINE vec gelu_tanh_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, x) times_scaled(far, g, gelu_tanh_slope(far, x))
    return WITH_FAR_CAPPED(GELU_TANH_NEAR, vmin(vset(-GELU_TANH_NEAR), x), FORMULA);
#undef FORMULA
}

/* gelu(x) = x Phi(x) = max(x, 0) - a T with the tail T = Phi(-a) = E M, E = exp(-a**2/2), a = |x|. The derivative Phi(x) + x phi(x) is
   E N below 0, and 1 - E N above, with N = M - a / sqrt(2 pi). */
#if FASTACT_REAL == 32
/* E as UNIT E, as exp_scaled computes it with -2 r in the place of r; a M / UNIT and N / UNIT piecewise, with relative errors
   2**-23.8, and 2**-24.5 of the larger term, with rounded coefficients. */
#define GELU_END 13       /* down to here E is a normal number */
#define GELU_BOTTOM 20.5f /* below, even the largest number times a T is 0 */
#define GELU_DEGREE 5
#define GELU_PIECES(ROW)                                                                                       \
    ROW(0x1.357d2cp-3f, 0x1.e0055p-5f, -0x1.196d4ap-5f, 0x1.0ce77cp-6f, -0x1.c569f8p-8f, 0x1.5669fcp-9f)       \
    ROW(0x1.635e58p-3f, 0x1.14dc02p-5f, -0x1.1df712p-6f, 0x1.e7cb24p-8f, -0x1.71eeeap-9f, 0x1.fa5e68p-11f)     \
    ROW(0x1.7ea3ccp-3f, 0x1.546a82p-6f, -0x1.380242p-7f, 0x1.dd9a4ap-9f, -0x1.474c5p-10f, 0x1.97e1c6p-12f)     \
    ROW(0x1.8fd624p-3f, 0x1.b97048p-7f, -0x1.69b816p-8f, 0x1.f3b1fap-10f, -0x1.36eadep-11f, 0x1.62397cp-13f)   \
    ROW(0x1.9f80eap-3f, 0x1.f3f07ep-8f, -0x1.5ef522p-9f, 0x1.a40dbp-11f, -0x1.d02788p-13f, 0x1.d39614p-15f)    \
    ROW(0x1.aaeep-3f, 0x1.07882cp-8f, -0x1.34281p-10f, 0x1.367ccap-12f, -0x1.21ba4ap-14f, 0x1.f30808p-17f)     \
    ROW(0x1.b13fep-3f, 0x1.335c76p-9f, -0x1.32262p-11f, 0x1.08b71ep-13f, -0x1.a903a6p-16f, 0x1.3daf5ap-18f)    \
    ROW(0x1.b5124cp-3f, 0x1.82a0e8p-10f, -0x1.4e37cp-12f, 0x1.f83b18p-15f, -0x1.61ccb2p-17f, 0x1.d15564p-20f)  \
    ROW(0x1.b87656p-3f, 0x1.ac67c6p-11f, -0x1.33d61p-13f, 0x1.84203p-16f, -0x1.d1ef1ap-19f, 0x1.03a3eap-21f)   \
    ROW(0x1.bae62ap-3f, 0x1.c07e66p-12f, -0x1.0636ap-14f, 0x1.0e1df6p-17f, -0x1.078f14p-20f, 0x1.e2b0dep-24f)  \
    ROW(0x1.bc3ebcp-3f, 0x1.067fccp-12f, -0x1.022b9ep-15f, 0x1.c07d6ep-19f, -0x1.6fe50ep-22f, 0x1.1d04cep-25f) \
    ROW(0x1.bd1054p-3f, 0x1.4cb3bp-13f, -0x1.19be5p-16f, 0x1.ad1dc6p-20f, -0x1.0215c8p-23f, 0x1.3c72cp-26f)    \
    ROW(0, 0x1.18562p-2f, -0x1.bf5a0ap-3f, 0x1.184b34p-3f, -0x1.285d02p-4f, 0x1.eb8b48p-6f)                    \
    ROW(0x1.d045eap-5f, 0x1.7d73cp-3f, -0x1.1b99b4p-3f, 0x1.4e2a6ep-4f, -0x1.51c724p-5f, 0x1.316204p-6f)       \
    ROW(0x1.880b28p-4f, 0x1.0a60dep-3f, -0x1.717874p-4f, 0x1.9996b6p-5f, -0x1.87bbb6p-6f, 0x1.4e64aep-7f)      \
    ROW(0x1.f8ff1ep-4f, 0x1.7d0c4p-4f, -0x1.eda012p-5f, 0x1.01a322p-5f, -0x1.d29104p-7f, 0x1.7a196cp-8f)
POLYNOMIALS(gelu_pieces, GELU_PIECES);
#define GELU_SLOPE_DEGREE 5
#define GELU_SLOPE_PIECES(ROW)                                                                                  \
    ROW(-0x1.2c6d9cp-3f, -0x1.1da03cp-2f, 0x1.9f8a02p-6f, -0x1.3a7804p-7f, 0x1.ba07f2p-9f, -0x1.218e5ap-10f)    \
    ROW(-0x1.1f942ep-2f, -0x1.099b6ap-2f, 0x1.e79906p-7f, -0x1.45a2bp-8f, 0x1.986404p-10f, -0x1.e16ab8p-12f)    \
    ROW(-0x1.a11f6ep-2f, -0x1.fb094cp-3f, 0x1.300feap-7f, -0x1.690f44p-9f, 0x1.965ccep-11f, -0x1.b156bcp-13f)   \
    ROW(-0x1.0ee862p-1f, -0x1.eb96a6p-3f, 0x1.8f02p-8f, -0x1.a86136p-10f, 0x1.af364ep-12f, -0x1.a21daep-14f)    \
    ROW(-0x1.699eeap-1f, -0x1.dd54ap-3f, 0x1.ca6268p-9f, -0x1.a2c448p-11f, 0x1.759e1ep-13f, -0x1.3fbb6cp-15f)   \
    ROW(-0x1.df7f6cp-1f, -0x1.d2c822p-3f, 0x1.ea4518p-10f, -0x1.762cf4p-12f, 0x1.1879b8p-14f, -0x1.975072p-17f) \
    ROW(-0x1.29b1ep+0f, -0x1.ccdf6ep-3f, 0x1.20f762p-10f, -0x1.78acb6p-13f, 0x1.e436bp-16f, -0x1.2fa71p-18f)    \
    ROW(-0x1.630fb6p+0f, -0x1.c943ecp-3f, 0x1.6e72cep-11f, -0x1.9f6c3cp-14f, 0x1.d1cb44p-17f, -0x1.0021ecp-19f) \
    ROW(-0x1.b8778p+0f, -0x1.c609ap-3f, 0x1.99ad9ep-12f, -0x1.830444p-15f, 0x1.7051e2p-18f, -0x1.57ca4p-21f)    \
    ROW(-0x1.14d38ap+1f, -0x1.c3b2a2p-3f, 0x1.b0777cp-13f, -0x1.4d36e8p-16f, 0x1.01f4dp-19f, -0x1.8a351ep-23f)  \
    ROW(-0x1.4d3336p+1f, -0x1.c2657p-3f, 0x1.fd2b4cp-14f, -0x1.4a8b9ep-17f, 0x1.ae9888p-21f, -0x1.15d38p-24f)   \
    ROW(-0x1.6955ep+1f, 0, 0, 0, 0, 0)                                                                          \
    ROW(0x1.c4f0a6p-3f, -0x1.9f8c6ap-2f, 0x1.cce42ap-4f, -0x1.d940f6p-5f, 0x1.b0e684p-6f, -0x1.65bc4p-7f)       \
    ROW(0x1.01e924p-3f, -0x1.6f8a1cp-2f, 0x1.3dc522p-4f, -0x1.3031ap-5f, 0x1.0598dep-6f, -0x1.994944p-8f)       \
    ROW(0x1.4bfee4p-5f, -0x1.4e0aa4p-2f, 0x1.c145e4p-5f, -0x1.916ae6p-6f, 0x1.44cdc2p-7f, -0x1.e14246p-9f)      \
    ROW(-0x1.36dac8p-5f, -0x1.361994p-2f, 0x1.44f40cp-5f, -0x1.0f5d84p-6f, 0x1.9d926cp-8f, -0x1.239382p-9f)
POLYNOMIALS(gelu_slope_pieces, GELU_SLOPE_PIECES);
/* a up to GELU_END or, with a scale, GELU_BOTTOM; E */
FASTACT_INLINE far_exp gelu_exp(int far, vec *a) {
    vec magic = vset(MAGIC), scale = vset(0);
    *a = far ? vmin(vset(GELU_BOTTOM), vabs(*a)) : vabs(*a);
    vec w = vmul(*a, *a), w_lo = vfma(*a, *a, vneg(w));
    if (far) {
        scale = vadd(vsub(vfma(w, vset(-LOG2E / 2), magic), magic), vset(16));
        magic = vsub(magic, vmul(scale, vset(4)));
    }
    vec t = vfma(w, vset(-2 * LOG2E), magic), n = vsub(t, magic);
    vec r = vfma(n, vset(LN2_LO / 2), vadd(vfma(n, vset(LN2_HI / 2), w), w_lo)), s = vadd_quarters(vlookup(quarters, t), t);
    vec q = vset(quarter_coefficient[3] / 16);
    for (int d = 2; d >= 0; d--) q = vmadd(q, r, vset(quarter_coefficient[d] * (d % 2 ? 0.5f : -0.5f) / (1 << d)));
    return (far_exp){vfma(vmul(s, r), q, s), scale};
}
/* a M / UNIT for a >= GELU_END: (1 - y + 3 y**2 - 15 y**3 + 105 y**4) / sqrt(2 pi) with y = 1 / a**2 */
#define DENSITY_BY_UNIT (0.39894228040143268 / UNIT)
FASTACT_INLINE vec gelu_series(vec a) {
    vec y = vdiv(vset(1), vmul(a, a)), m = vset((real)(105 * DENSITY_BY_UNIT));
    m = vfma(vfma(m, y, vset((real)(-15 * DENSITY_BY_UNIT))), y, vset((real)(3 * DENSITY_BY_UNIT)));
    return vfma(vfma(m, y, vset((real)-DENSITY_BY_UNIT)), y, vset((real)DENSITY_BY_UNIT));
}
FASTACT_INLINE scaled_pair gelu_tail(int far, vec x) {
    vec a = x;
    far_exp k = gelu_exp(far, &a);
    vec m = far ? gelu_series(a) : piecewise(gelu_pieces, GELU_DEGREE, 1, 1.125f, a), y = vmul(k.e, m);
    return (scaled_pair){y, vfma(k.e, m, vneg(y)), k.scale};
}
FASTACT_INLINE scaled_pair gelu_slope_tail(int far, vec x) {
    vec a = x;
    far_exp k = gelu_exp(far, &a);
    vec m = far ? vdiv(vfma(vmul(a, a), vset((real)-DENSITY_BY_UNIT), gelu_series(a)), a)
                : piecewise(gelu_slope_pieces, GELU_SLOPE_DEGREE, 1, 1, a);
    vec y = vmul(k.e, m);
    return (scaled_pair){y, vfma(k.e, m, vneg(y)), k.scale};
}
#else
/* M(a) = t m(t - MILLS_CENTRE), t = 1 / (1 + a / MILLS_SCALE), for a up to MILLS_END. */
#define GELU_END 37 /* here E passes exp(NEAR) */
#define MILLS_SCALE 4.5
#define MILLS_CENTRE 0.5615234375
#define MILLS_END 54
#define MILLS_DEGREE 23 /* by interpolation at Chebyshev's points; relative error 2**-56.2, 2**-54.5 with rounded coefficients */
static const real mills_coefficient[MILLS_DEGREE + 1] = {
    0x1.82831ccd84c66p-3, 0x1.5b050de34ec4bp-2, 0x1.f5392107950d7p-2, 0x1.1d1c9b29ba1e1p-1, 0x1.e46d60872b157p-2,
    0x1.089ba868d222fp-2, 0x1.0fca12c531123p-5, -0x1.3264b5b228044p-4, -0x1.89ee8342134f2p-5, 0x1.02394b8c1602bp-6,
    0x1.b8b41f2928f71p-6, -0x1.b314a3b1d84eap-9, -0x1.e0fa0b626bc92p-7, 0x1.a661d29a7de14p-10, 0x1.17d5b6be7c748p-7,
    -0x1.02da9798fdc48p-9, -0x1.4cc9c5f828ecep-8, 0x1.41bdade0f75a3p-9, 0x1.6b48365e4c96ep-9, -0x1.4a7ceb8061179p-9,
    -0x1.2d5a3d880f562p-10, 0x1.fd5beb0c6893bp-10, 0x1.f38d1f0c1cacbp-13, -0x1.b6fc133b37e8ep-11,
};
typedef struct {
    vec t, t_lo, m, m_lo; /* M = (t + t_lo) (m + m_lo); near a = 0 an error of t counts more than threefold */
} mills_ratio;
FASTACT_INLINE mills_ratio mills(vec a) {
    const vec scale = vset(MILLS_SCALE);
    vec d = vadd(scale, a), t = vdiv(scale, d), rest = vfma(vneg(t), sum_lo(scale, a, d), vfma(vneg(t), d, scale));
    vec t_lo = vmul(vmul(rest, t), vset((real)(1.0 / MILLS_SCALE)));
    vec d0 = vsub(t, vset((real)MILLS_CENTRE)), u = vadd(d0, t_lo), u_lo = vadd(vsub(d0, u), t_lo), h = vset(mills_coefficient[MILLS_DEGREE]);
    for (int k = MILLS_DEGREE - 1; k >= 2; k--) h = vmadd(h, u, vset(mills_coefficient[k]));
    const vec c1 = vset(mills_coefficient[1]), c0 = vset(mills_coefficient[0]);
    vec h1 = vfma(h, u, c1), h1_lo = vfma(h, u, vsub(c1, h1)), m = vfma(h1, u, c0), m_lo = vfma(h1, u, vsub(c0, m));
    m_lo = vfma(vfma(h, u, h1), u_lo, m_lo); /* h u + h1 is the derivative, nearly */
    return (mills_ratio){t, t_lo, m, vfma(h1_lo, u, m_lo)};
}
FASTACT_INLINE far_exp gelu_exp(int far, vec a) {
    vec w = vmul(a, a), w_lo = vfma(a, a, vneg(w)), half = vset((real)-0.5);
    return exp_far(far, vmul(w, half), 1, vmul(w_lo, half));
}
/* a T in two parts */
FASTACT_INLINE scaled_pair gelu_tail(int far, vec x) {
    vec a = far ? vmin(vset(MILLS_END), vabs(x)) : vabs(x);
    far_exp r = gelu_exp(far, a);
    mills_ratio k = mills(a);
    vec n = vmul(a, r.e), n_lo = vfma(a, r.e, vneg(n)), y = vmul(n, k.t), y_lo = vfma(n, k.t, vneg(y));
    y_lo = vadd(y_lo, vfma(n, k.t_lo, vmul(n_lo, k.t)));
    vec t = vfma(y, k.m, vmul(y_lo, k.m));
    return (scaled_pair){t, vfma(y_lo, k.m, vfma(y, k.m, vneg(t))), r.scale};
}
/* The derivative's tail T - a E / sqrt(2 pi) = E (M - a / sqrt(2 pi)) in two parts */
FASTACT_INLINE scaled_pair gelu_slope_tail(int far, vec x) {
    const fastact_pair density = {0x1.9884533d43651p-2, -0x1.ccp-56}; /* 1 / sqrt(2 pi) */
    vec a = far ? vmin(vset(MILLS_END), vabs(x)) : vabs(x), phi = vset(-(real)density.hi);
    far_exp r = gelu_exp(far, a);
    mills_ratio k = mills(a);
    vec b = vmul(a, phi), b_lo = vfma(a, vset(-(real)density.lo), vfma(a, phi, vneg(b)));
    vec c = vfma(k.t, k.m, b), c_lo = vadd(vfma(k.t, k.m, vsub(b, c)), vfma(k.t_lo, k.m, vfma(k.t, k.m_lo, b_lo))), y = vmul(r.e, c);
    return (scaled_pair){y, vfma(r.e, c_lo, vfma(r.e, c, vneg(y))), r.scale};
}

#endif

#define WITH_GELU_FAR(x, formula) WITH_FAR_BELOW(-GELU_END, x, formula)

FASTACT_INLINE scaled_pair gelu_of(int far, vec x, vec near) {
    scaled_pair t = gelu_tail(far, near);
    if (far) return (scaled_pair){vneg(t.hi), vneg(t.lo), t.scale};
    vec r = vmax(vset(0), x), y = vsub(r, t.hi), y_lo = vsub(vsub(vsub(r, y), t.hi), t.lo);
    return (scaled_pair){y, vless_select(x, vset(LARGEST), y_lo, vset(0)), vset(0)};
}
FASTACT_INLINE scaled_pair gelu_slope(int far, vec x) {
    if (far) return gelu_slope_tail(1, x);
    scaled_pair t = gelu_slope_tail(0, x);
    vec zero = vset(0), one = vset(1), above = vsub(one, t.hi), above_lo = vsub(vsub(vsub(one, above), t.hi), t.lo);
    return (scaled_pair){vless_select(x, zero, t.hi, above), vless_select(x, zero, t.lo, above_lo), zero};
}
FASTACT_INLINE vec gelu_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, near) rescaled(far, gelu_of(far, x, near).hi, gelu_of(far, x, near).scale)
    return vcopysign(WITH_GELU_FAR(x, FORMULA), x);
#undef FORMULA
}
/* dx = g (Phi(x) + x phi(x)) */
FASTACT_INLINE vec gelu_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, x) times_scaled(far, g, gelu_slope(far, x))
    return WITH_GELU_FAR(x, FORMULA);
#undef FORMULA
}

/* log(1 + exp(z)) = max(z, 0) + log1p(exp(-|z|)), divided by p; near, which may be within a limit, stands for z in the logarithm. */
FASTACT_INLINE vec log1p_exp(int far, vec z, vec near, int has_lo, vec z_lo, int has_p, vec p) {
    far_exp r = exp_minus_abs(far, near, has_lo, z_lo);
    vec y = far ? r.e : vadd(vmax(vset(0), z), log1p_fraction(r.e));
    if (has_p) y = far ? finite(vdiv(y, p)) : vdiv(y, p); /* an infinite quotient belongs to an infinite z */
    return rescaled(far, y, r.scale);
}

/* softplus(x) = log(1 + exp(p x)) / p          dx = g sigmoid(p x) */
FASTACT_INLINE vec softplus_forward(vec x, vec p, vec q) {
    (void)q;
    vec z = vmul(p, x), lo = product_lo(p, x, z);
#define FORMULA(far, near) log1p_exp(far, z, near, 1, lo, 1, p)
    vec y = WITH_FAR(z, FORMULA);
#undef FORMULA
    return vless_select(vset(40), z, x, y); /* there the logarithm is below half an ULP, and p x may overflow */
}
FASTACT_INLINE vec softplus_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec z = vmul(p, x), lo = product_lo(p, x, z);
#define FORMULA(far, z) gate(far, 0, g, z, 1, lo)
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* log_sigmoid(x) = -log(1 + exp(-x))          dx = g sigmoid(-x) */
FASTACT_INLINE vec log_sigmoid_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec z = vneg(x);
#define FORMULA(far, near) log1p_exp(far, z, near, 0, z, 0, z)
    return vneg(WITH_FAR(z, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec log_sigmoid_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec z = vneg(x);
#define FORMULA(far, z) gate(far, 0, g, z, 0, z)
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* mish(x) = x tanh(log(1 + exp(x))) = x n / d with e = exp(-|x|):
     n = e**2 + 2 e, d = n + 2 for x < 0;  n = 1 + 2 e, d = n + 2 e**2 for x >= 0 */
FASTACT_INLINE vec mish_ratio(vec x, vec e, vec *d) {
    vec twice = vadd(e, e), n = vless_select(x, vset(0), vfma(e, e, twice), vadd(vset(1), twice));
    *d = vless_select(x, vset(0), vadd(n, vset(2)), vfma(twice, e, n));
    return n;
}
FASTACT_INLINE vec mish_of(int far, vec x, vec near) {
    far_exp r = exp_minus_abs(far, near, 0, near);
    vec a = vmax(vset(-LARGEST), x);
    if (far) return scaled_down(vmul(a, r.e), r.scale);
    vec d, n = mish_ratio(x, r.e, &d), y = vmul(a, n);
    y = divide(y, vfma(a, n, vneg(y)), d, vset(0));
    return vless_select(vset(100), x, x, vcopysign(y, x));
}
FASTACT_INLINE vec mish_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, near) mish_of(far, x, near)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
/* With i = 1 / d and c = 4 x (1 + e):  dx = g e i (e + 2 + c i) for x < 0, g i (n + c i e**2) for x >= 0;  g e (1 + x) far below 0.
   Below 0 the terms cancel, and low parts count. */
FASTACT_INLINE vec mish_backward_of(int far, vec g, vec x) {
    far_exp r = exp_minus_abs(far, x, 0, x);
    vec e = r.e, zero = vset(0), two = vset(2), v = far ? vmax(vset(BOTTOM), x) : x;
    if (far) return scaled_down(vmul(g, vfma(e, v, e)), r.scale);
    vec d, n = mish_ratio(x, e, &d), n_lo = vfma(e, e, vsub(vadd(e, e), n)), i_lo;
    vec d_lo = vless_select(x, zero, vadd(sum_lo(two, n, d), n_lo), zero), i = inverse_of(d, d_lo, &i_lo);
    vec u = vmul(vset(4), v), c = vfma(u, e, u), c_lo = vfma(u, e, vsub(u, c));
    vec m = vadd(two, e), m_lo = sum_lo(two, e, m), h = vfma(c, i, m), h_lo = vfma(c, i, vsub(m, h));
    h_lo = vadd(vadd(h_lo, m_lo), vfma(c, i_lo, vmul(c_lo, i)));
    vec s = vmul(e, i), s_lo = vfma(e, i_lo, vfma(e, i, vneg(s)));
    vec below = vmul(s, h), below_lo = vadd(vfma(s, h, vneg(below)), vfma(s_lo, h, vmul(s, h_lo)));
    vec k = vfma(vmul(c, i), vmul(e, e), n), above = vmul(i, k), above_lo = vfma(i, k, vneg(above));
    return times_pair(g, vless_select(x, zero, below, above), vless_select(x, zero, below_lo, above_lo));
}
FASTACT_INLINE vec mish_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far, x) mish_backward_of(far, g, x)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}

/* softsign(x) = x / (1 + |x|)          dx = g / (1 + |x|)**2 */
FASTACT_INLINE vec softsign_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec a = vmin(vset(LARGEST), vabs(x));
    return vcopysign(vdiv(a, vadd(vset(1), a)), x);
}
FASTACT_INLINE vec softsign_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec d = vadd(vset(1), vabs(x));
    return vdiv(vdiv(g, d), d);
}

/* relu6(x) = min(max(x, 0), 6)          dx = g for 0 < x < 6, else 0 */
FASTACT_INLINE vec between(vec g, vec x, vec low, vec high) { return vnan_select(x, vless_select(low, x, vless_select(x, high, g, vset(0)), vset(0))); }
FASTACT_INLINE vec relu6_forward(vec x, vec p, vec q) { (void)p; (void)q; return vmin(vset(6), vmax(vset(0), x)); }
FASTACT_INLINE vec relu6_backward(vec g, vec x, vec p, vec q) { (void)p; (void)q; return between(g, x, vset(0), vset(6)); }

/* hard_tanh(x) = min(max(x, p), q)          dx = g for p < x < q, else 0 */
FASTACT_INLINE vec hard_tanh_forward(vec x, vec p, vec q) { return vmin(q, vmax(p, x)); }
FASTACT_INLINE vec hard_tanh_backward(vec g, vec x, vec p, vec q) { return between(g, x, p, q); }

/* hard_sigmoid(x) = min(max(p x + q, 0), 1)          dx = p g for 0 < p x + q < 1, else 0
   With q = 1/2, the p nearest to 1/6 stands for 1/6, so that the kinks lie at -3 and 3: min(max(x + 3, 0), 6) / 6. */
static const fastact_pair sixth = {0x1.5555555555555p-3, 0x1.558p-57};
/* 0 where p and q say so, -1 elsewhere */
FASTACT_INLINE vec not_sixth(vec p, vec q) {
    vec off = vadd(vabs(vsub(p, vset((real)sixth.hi))), vabs(vsub(q, vset((real)0.5))));
    return vless_select(off, vset((real)0x1p-60), vset(0), vset(-1));
}
FASTACT_INLINE vec hard_sigmoid_forward(vec x, vec p, vec q) {
    const vec zero = vset(0), one = vset(1);
    vec other = not_sixth(p, q), y = times_constant(vmin(vset(6), vmax(zero, vadd(x, vset(3)))), sixth);
    if (!vany_below(other, 0)) return y;
    vec limit = vless_select(zero, vabs(p), vset(INFINITY), vset(LARGEST)); /* p = 0 makes 0 of an infinite x */
    return vless_select(other, zero, vmin(one, vmax(zero, vfma(p, vmin(limit, vmax(vneg(limit), x)), q))), y);
}
FASTACT_INLINE vec hard_sigmoid_backward(vec g, vec x, vec p, vec q) {
    const vec zero = vset(0), one = vset(1);
    vec other = not_sixth(p, q), y = between(times_constant(g, sixth), x, vset(-3), vset(3));
    if (!vany_below(other, 0)) return y;
    vec t = vsub(q, one), above = vadd(vfma(p, x, t), sum_lo(vneg(one), q, t)); /* p x + q itself might round to 1 */
    vec inside = vless_select(above, zero, vless_select(zero, vfma(p, x, q), vmul(p, g), zero), zero);
    return vless_select(other, zero, vnan_select(x, inside), y);
}

/* hard_swish(x) = x min(max(x + 3, 0), 6) / 6          dx = g (2 x + 3) / 6 for -3 < x < 3, 0 below, g above */
FASTACT_INLINE vec hard_swish_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec y = times_constant(vmul(x, vadd(x, vset(3))), sixth);
    return vless_select(vset(-3), x, vless_select(x, vset(3), y, x), vnan_select(x, vset((real)-0.0)));
}
FASTACT_INLINE vec hard_swish_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec y = vmul(g, times_constant(vfma(vset(2), x, vset(3)), sixth));
    return vnan_select(x, vless_select(vset(-3), x, vless_select(x, vset(3), y, g), vset(0)));
}

/* threshold(x) = x for x > p, else q          dx = g for x > p, else 0 */
FASTACT_INLINE vec threshold_forward(vec x, vec p, vec q) { return vnan_select(x, vless_select(p, x, x, q)); }
FASTACT_INLINE vec threshold_backward(vec g, vec x, vec p, vec q) { (void)q; return vnan_select(x, vless_select(p, x, g, vset(0))); }

/* The gated pairs: an activation of x times an entry p of the other half. The gradient with respect to p is the function itself with g
   in the place of p.

   glu(x) = p sigmoid(x)          dx = g p e / (1 + e (2 + e)), e = exp(-|x|) */
FASTACT_INLINE scaled_pair sigmoid_slope(int far, vec x) {
    far_exp k = exp_far(far, vneg(vabs(x)), 0, x);
    if (far) return (scaled_pair){k.e, vset(0), k.scale};
    vec one = vset(1), d = vfma(k.e, vadd(k.e, vset(2)), one), r = vdiv(one, d), y = vmul(k.e, r);
    return (scaled_pair){y, vmul(vfma(vneg(y), d, k.e), r), vset(0)};
}
FASTACT_INLINE vec glu_forward(vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, x) gate(far, 0, p, x, 0, x)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec glu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec z = vneg(vabs(x));
#define FORMULA(far, x) times_both(far, g, p, sigmoid_slope(far, x))
    return WITH_FAR_CAPPED(NEAR, z, FORMULA);
#undef FORMULA
}

/* x sigmoid(z), in two parts */
FASTACT_INLINE scaled_pair gated(int far, vec x, vec z, int has_lo, vec z_lo) {
    if (far) {
        far_exp k = exp_far(1, z, has_lo, z_lo);
        vec a = vmax(vset(BOTTOM), x), y = vmul(a, k.e);
        return (scaled_pair){y, vfma(a, k.e, vneg(y)), k.scale};
    }
    vec one = vset(1), d = vadd(one, exp_minus(z, has_lo, z_lo)), r = vdiv(one, d), y = vmul(x, r), lo = vmul(vfma(vneg(y), d, x), r);
    return (scaled_pair){y, vless_select(vabs(y), vset(LARGEST), lo, vset(0)), vset(0)};
}
/* y, or p x / 2 for an x so small that its activation is x / 2: rounded once, though x / 2 be subnormal. */
FASTACT_INLINE vec near_0(vec x, vec p, vec y) {
    return vless_select(vabs(x), vset((real)0x1p-64), vmul(vmul(p, vset((real)0.5)), x), y);
}
/* swiglu(x) = p silu(x) */
FASTACT_INLINE vec swiglu_forward(vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, near) times_scaled(far, p, gated(far, x, near, 0, near))
    return near_0(x, p, WITH_FAR(x, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec swiglu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, x) times_both(far, g, p, gate_slope(far, x, 0, x, x, x))
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
/* geglu(x) = p gelu(x) */
FASTACT_INLINE vec geglu_forward(vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, near) times_scaled(far, p, gelu_of(far, x, near))
    return near_0(x, p, WITH_GELU_FAR(x, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec geglu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, x) times_both(far, g, p, gelu_slope(far, x))
    return WITH_GELU_FAR(x, FORMULA);
#undef FORMULA
}
/* geglu_tanh(x) = p gelu_tanh(x) */
FASTACT_INLINE scaled_pair gated_gelu_tanh(int far, vec x, vec near) {
    vec lo, z = gelu_argument(far ? vmax(vset(2 - COARSE), near) : near, &lo);
    return gated(far, x, z, 1, lo);
}
FASTACT_INLINE vec geglu_tanh_forward(vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, near) times_scaled(far, p, gated_gelu_tanh(far, x, near))
    return near_0(x, p, WITH_FAR_CAPPED(GELU_TANH_NEAR, vmin(vset(-GELU_TANH_NEAR), x), FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec geglu_tanh_backward(vec g, vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far, x) times_both(far, g, p, gelu_tanh_slope(far, x))
    return WITH_FAR_CAPPED(GELU_TANH_NEAR, vmin(vset(-GELU_TANH_NEAR), x), FORMULA);
#undef FORMULA
}
