/* The activations and their gradients, each pair under its identity. x the input, y the result, g the gradient with respect to the
   result, p and q the parameters. A formula may only be wrong where it is written to be: NaN in gives NaN out, and limits at
   infinity are the mathematical ones.

   Where exp(z) is too small for the format, its product with something large need not be: far below 0 exp(z) is taken as e 2**scale,
   and the result is multiplied by 2**scale in the end. Few vectors hold such entries: WITH_FAR then computes formula(1) for them
   besides formula(0), which serves all others. */

#if FASTACT_REAL == 32
#define NEAR -42    /* down to here exp(-z)**2 does not overflow, and below it is nothing beside 1 */
#define BOTTOM -210 /* below, even the largest number times z exp(z) is 0 */
#define FLOOR -86   /* exp(z) is a normal number, and nothing beside 1 */
#define SHIFTED 40  /* sigmoid: 2**-SHIFTED exp(x) does not overflow wherever 1 / exp(x) is not 0 */
#define TOP 105
#else
#define NEAR -350
#define BOTTOM -1480
#define FLOOR -700
#define SHIFTED 80
#define TOP 747
#endif
#define LARGEST (FASTACT_REAL == 32 ? (real)0x1.fffffep127 : (real)0x1.fffffffffffffp1023)

#define WITH_FAR(z, formula) (vany_less(z, vset(NEAR)) ? vless_select(z, vset(NEAR), formula(1), formula(0)) : formula(0))

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
/* exp(z + z_lo) for z <= 0 or NaN, as e 2**scale; scale is 0 where `far` is. */
FASTACT_INLINE far_exp exp_far(int far, vec z, int has_lo, vec z_lo) {
    const vec magic = vset(MAGIC);
    far_exp r;
    if (!far) return (far_exp){exp_quarters(vmax(vset(NEAR), z), has_lo, z_lo, magic), vset(0)};
    z = vmax(vset(BOTTOM), z);
    r.scale = vadd(vsub(vfma(z, vset(LOG2E), magic), magic), vset(16)); /* e is near 2**-16: no factor up to 2**15 overflows with it */
    r.e = exp_quarters(z, has_lo, z_lo, vsub(magic, vmul(r.scale, vset(4))));
    return r;
}
FASTACT_INLINE vec rescaled(int far, vec a, vec scale) { return far ? scaled_down(a, scale) : a; }

/* The nearest finite number; NaN stays NaN. */
FASTACT_INLINE vec finite(vec a) { return vmax(vset(-LARGEST), vmin(vset(LARGEST), a)); }
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
/* What a + b lost in the rounded sum s, for |a| >= |b| */
FASTACT_INLINE vec sum_lo(vec a, vec b, vec s) { return vadd(vsub(a, s), b); }

/* sigmoid(x) = 1 / (1 + exp(-x))          dx = g y (1 - y)
   2**-SHIFTED / (2**-SHIFTED + 2**-SHIFTED exp(-x)) neither overflows nor loses a subnormal result. */
FASTACT_INLINE vec sigmoid_of(vec x, int has_lo, vec x_lo) {
    const vec one = vset((real)(1.0 / ((uint64_t)1 << (SHIFTED / 2)) / ((uint64_t)1 << (SHIFTED / 2))));
    vec z = vmin(vset(TOP), vmax(vset((SHIFTED - BIAS + 2) * (real)LN2_HI), vneg(x)));
    vec e = exp_quarters(z, has_lo, has_lo ? vneg(x_lo) : x_lo, vset((real)MAGIC - 4 * SHIFTED));
    return vdiv(one, vadd(one, e));
}
FASTACT_INLINE vec sigmoid_forward(vec x, vec p, vec q) { (void)p; (void)q; return sigmoid_of(x, 0, vset(0)); }
FASTACT_INLINE vec sigmoid_backward(vec g, vec y, vec p, vec q) { (void)p; (void)q; return vmul(g, vmul(y, vsub(vset(1), y))); }

/* tanh(x), odd          dx = g (1 - y**2)
   float32: from 16 polynomials in |x| - centre, one for each quarter octave of |x| + 9/8, of which a row holds one coefficient
   (tools/minimax.py); relative error 2**-24.8 with rounded coefficients.
   float64: m / (m + 2), m = expm1(2 |x|), and y - y lo/d for what rounding took from d = m + 2, as 1/d = (1 - y)/2. */
#if FASTACT_REAL == 32
#define TANH_END 9.02f /* from here on tanh rounds to 1 */
#define TANH_DEGREE 6
static const real tanh_pieces[TANH_DEGREE + 1][16] = {
    {0x1.9e5cb6p-1f, 0x1.d9c6fap-1f, 0x1.f1994ep-1f, 0x1.faa794p-1f, 0x1.fecd6cp-1f, 0x1.ffd678p-1f, 0x1.fffa6p-1f, 0x1.ffff3ep-1f,
     0x1.fffff6p-1f, 0x1p+0f, 0x1p+0f, 0x1p+0f, 0x0p+0f, 0x1.f597eap-3f, 0x1.d9353ep-2f, 0x1.45323ep-1f},
    {0x1.614ffep-2f, 0x1.265e28p-3f, 0x1.c65b18p-5f, 0x1.545204p-6f, 0x1.323a2ap-8f, 0x1.4c3826p-11f, 0x1.67c964p-14f, 0x1.858c94p-17f,
     0x1.36c75cp-21f, 0x1.0500a6p-27f, 0x0p+0f, 0x0p+0f, 0x1p+0f, 0x1.e149ap-1f, 0x1.92a948p-1f, 0x1.3173b2p-1f},
    {-0x1.1defc2p-2f, -0x1.106456p-3f, -0x1.b99374p-5f, -0x1.50c472p-6f, -0x1.318272p-8f, -0x1.4c1cfap-11f, -0x1.67c52ep-14f, -0x1.858bc4p-17f,
     -0x1.36b99cp-21f, -0x1.565b46p-26f, 0x0p+0f, 0x0p+0f, -0x1.4cc642p-25f, -0x1.d78144p-3f, -0x1.74274ap-2f, -0x1.8403dp-2f},
    {0x1.c6953ep-4f, 0x1.33e8d8p-4f, 0x1.15b66ep-5f, 0x1.b79c78p-7f, 0x1.9511dp-9f, 0x1.ba1224p-12f, 0x1.df2368p-15f, 0x1.036a48p-17f,
     0x1.963d52p-22f, -0x1.327878p-27f, 0x0p+0f, 0x0p+0f, -0x1.55542ep-2f, -0x1.071d8p-2f, -0x1.81dfc2p-4f, 0x1.5676c2p-5f},
    {0x1.ae9c06p-9f, -0x1.9d4a38p-6f, -0x1.eadc7p-7f, -0x1.a50c0ep-8f, -0x1.9159f6p-10f, -0x1.b98db6p-13f, -0x1.df189ap-16f, -0x1.036e24p-18f,
     -0x1.96ce88p-23f, -0x1.4f4ed2p-26f, 0x0p+0f, 0x0p+0f, -0x1.56b64cp-13f, 0x1.1e017ap-3f, 0x1.51447cp-3f, 0x1.989d8p-4f},
    {-0x1.0808cp-5f, 0x1.2f68bp-10f, 0x1.23f66p-8f, 0x1.35142ep-9f, 0x1.46ec0ep-11f, 0x1.6f50f4p-14f, 0x1.8faa7ap-17f, 0x1.b1006ap-20f,
     0x1.85f1a2p-24f, -0x1.0940eap-27f, 0x0p+0f, 0x0p+0f, 0x1.167bdap-3f, 0x1.26a61ap-4f, -0x1.b163c8p-6f, -0x1.03e2dep-4f},
    {0x1.28ff84p-6f, 0x1.162ca2p-8f, -0x1.15abecp-11f, -0x1.4d8446p-11f, -0x1.a0a4c8p-13f, -0x1.e6394ep-16f, -0x1.09d3bp-18f, -0x1.20309cp-21f,
     -0x1.027324p-25f, -0x1.9daacep-29f, 0x0p+0f, 0x0p+0f, -0x1.3f8878p-6f, -0x1.15dfe4p-4f, -0x1.9d8d24p-5f, -0x1.8dbea2p-10f},
};
FASTACT_INLINE vec tanh_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    const vec shift = vset(1.125f);
    vec a = vmin(vset(TANH_END), vabs(x)), b = vadd(a, shift), j = vquarter_octave(b), u = vsub(a, vsub(vquarter_centre(b), shift));
    vec y = vlookup16(tanh_pieces[TANH_DEGREE], j);
    for (int k = TANH_DEGREE - 1; k >= 0; k--) y = vmadd(y, u, vlookup16(tanh_pieces[k], j));
    return vcopysign(y, x);
}
#else
FASTACT_INLINE vec tanh_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    const vec two = vset(2), half = vset(0.5);
    vec a = vmin(vset(20), vabs(x)), m = expm1_quarters(vadd(a, a), 0, a), d = vadd(m, two), y = vdiv(m, d);
    vec lo = sum_lo(vmax(m, two), vmin(m, two), d);
    return vcopysign(vfma(vmul(y, lo), vfma(y, half, vneg(half)), y), x);
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
FASTACT_INLINE vec expm1_of(vec x, int has_lo, vec x_lo) { return vcopysign(expm1_quarters(vmax(vset(-50), at_most_zero(x)), has_lo, x_lo), x); }

/* elu(x) = x for x > 0, else p expm1(x)          dx = g for x > 0, else g p exp(x) */
FASTACT_INLINE vec elu_forward(vec x, vec p, vec q) { (void)q; return vless_select(vset(0), x, x, vmul(p, expm1_of(x, 0, x))); }
FASTACT_INLINE vec elu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec z = at_most_zero(x), one = vset(1), a = vless_select(vabs(p), one, g, p), b = vless_select(vabs(p), one, p, g);
#define FORMULA(far) times_exp(far, a, b, z, 0, z)
    return vnan_select(x, vless_select(vset(0), x, g, WITH_FAR(z, FORMULA)));
#undef FORMULA
}

/* selu(x) = L x for x > 0, else L A expm1(x)          dx = g L for x > 0, else g L A exp(x) */
#define SELU_L 1.0507009873554804934193349852946L
#define SELU_LA 1.7580993408473768599402175208123L
#define SPLIT(a, c) vfma(a, vset((real)(c)), vmul(a, vset((real)((c) - (real)(c)))))
FASTACT_INLINE vec selu_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec m = expm1_of(x, 0, x);
    return vless_select(vset(0), x, SPLIT(vmin(vset(LARGEST), x), SELU_L), SPLIT(m, SELU_LA));
}
FASTACT_INLINE vec selu_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec z = at_most_zero(x);
#define FORMULA(far) times_exp(far, vset((real)SELU_LA), g, z, 0, z)
    return vnan_select(x, vless_select(vset(0), x, vmul(g, vset((real)SELU_L)), WITH_FAR(z, FORMULA)));
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
#define FORMULA(far) times_exp(far, g, vset(1), z, 1, lo)
    return vnan_select(x, vless_select(vset(0), x, g, WITH_FAR(z, FORMULA)));
#undef FORMULA
}

/* exp(-|z|), with a scale where z is far below 0; far above, any exponential too small to matter does. */
FASTACT_INLINE far_exp exp_minus_abs(int far, vec z, int has_lo, vec z_lo) {
    return far ? exp_far(1, z, has_lo, z_lo) : exp_far(0, vneg(vabs(z)), has_lo, vless_select(z, vset(0), z_lo, vneg(z_lo)));
}

/* exp(-z) where it is no larger than exp(-NEAR); far above 0, any exponential too small to matter does. */
FASTACT_INLINE vec exp_above(vec z, int has_lo, vec z_lo) {
    return exp_quarters(vmin(vset(-NEAR), vmax(vset(FLOOR), vneg(z))), has_lo, has_lo ? vneg(z_lo) : z_lo, vset(MAGIC));
}
/* a sigmoid(z) = a / (1 + exp(-z)), and a exp(z) far below 0. `limit`: an infinite a belongs to an infinite z. */
FASTACT_INLINE vec gate(int far, int limit, vec a, vec z, int has_lo, vec z_lo) {
    if (far) {
        far_exp r = exp_far(1, z, has_lo, z_lo);
        return scaled_down(vmul(limit ? finite(a) : a, r.e), r.scale);
    }
    return vdiv(a, vadd(vset(1), exp_above(z, has_lo, z_lo)));
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
/* g p (hi + lo) 2**scale for a hi of no more than a few: the product with the factor above 1, if there is one, comes first. */
FASTACT_INLINE vec times_both(int far, vec g, vec p, scaled_pair y) {
    vec one = vset(1), a = vless_select(vabs(p), one, g, p), b = vless_select(vabs(p), one, p, g);
    return rescaled(far, vmul(times_pair(a, y.hi, y.lo), b), y.scale);
}

/* Its derivative for a = x, with v = x z'(x):  s (1 + v (1 - s)) = (1 + e (1 + v)) / (1 + e (2 + e)), s = sigmoid(z), e = exp(-z);
   exp(z) (1 + v) far below 0. Both sums in brackets are in two parts: where 1 and e (1 + v) cancel, little is lost. */
FASTACT_INLINE scaled_pair gate_slope(int far, vec z, int has_lo, vec z_lo, vec v, vec v_lo) {
    const vec one = vset(1), two = vset(2);
    v = vmax(vset(-10000), vmin(vset(TOP), v));
    vec w = vadd(v, one), w_lo = vsub(v, vsub(w, one));
    if (has_lo) w_lo = vadd(w_lo, v_lo);
    if (far) {
        far_exp r = exp_far(1, z, has_lo, z_lo);
        vec y = vmul(r.e, w);
        return (scaled_pair){y, vfma(r.e, w_lo, vfma(r.e, w, vneg(y))), r.scale};
    }
    vec e = exp_above(z, has_lo, z_lo), u = vadd(e, two), u_lo = vsub(e, vsub(u, two));
    vec n = vfma(e, w, vfma(e, w_lo, one)), d = vfma(e, u, vfma(e, u_lo, one)), r = vdiv(one, d), y = vmul(n, r);
    return (scaled_pair){y, vmul(vfma(vneg(y), d, n), r), vset(0)};
}

/* silu(x) = x sigmoid(x) */
FASTACT_INLINE vec silu_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far) gate(far, 1, x, x, 0, x)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec silu_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far) times_scaled(far, g, gate_slope(far, x, 0, x, x, x))
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
#define FORMULA(far) gate(far, 1, x, z, 1, lo)
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec swish_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec lo, z = swish_argument(x, p, &lo);
#define FORMULA(far) times_scaled(far, g, gate_slope(far, z, 1, lo, z, lo))
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* gelu_tanh(x) = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x**3))) / 2 = x sigmoid(z),  z = x (A + B x**2) in two parts */
#define GELU_A 1.5957691216057307117597842397375L
#define GELU_B 0.07135481627260024877633875227986L
FASTACT_INLINE vec gelu_argument(vec x, vec *lo, vec *v, vec *v_lo) {
    const vec a = vset((real)GELU_A), b = vset((real)GELU_B), bound = vset(FASTACT_REAL == 32 ? 30 : 60);
    vec c = vmax(vneg(bound), vmin(bound, x)), w = vmul(c, c), w_lo = vfma(c, c, vneg(w));
    vec u = vmul(b, w), u_lo = vfma(b, w, vneg(u));
    u_lo = vadd(u_lo, vfma(b, w_lo, vmul(vset((real)(GELU_B - (real)GELU_B)), w)));
    vec s = vadd(a, u), k = vsub(s, a), s_lo = vadd(vsub(a, vsub(s, k)), vsub(u, k)); /* Knuth's sum */
    s_lo = vadd(s_lo, vadd(u_lo, vset((real)(GELU_A - (real)GELU_A))));
    vec z = vmul(c, s);
    *lo = vadd(vfma(c, s, vneg(z)), vmul(c, s_lo));
    vec t = vfma(vset(2), u, s), t_lo = vadd(vfma(vset(2), u, vsub(s, t)), vfma(vset(2), u_lo, s_lo));
    *v = vmul(c, t); /* x z'(x) = x (A + 3 B x**2) */
    *v_lo = vadd(vfma(c, t, vneg(*v)), vmul(c, t_lo));
    return z;
}
FASTACT_INLINE vec gelu_tanh_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec lo, v, v_lo, z = gelu_argument(x, &lo, &v, &v_lo);
#define FORMULA(far) gate(far, 1, x, z, 1, lo)
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec gelu_tanh_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec lo, v, v_lo, z = gelu_argument(x, &lo, &v, &v_lo);
#define FORMULA(far) times_scaled(far, g, gate_slope(far, z, 1, lo, v, v_lo))
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* gelu(x) = x Phi(x): x T for x < 0, x - x T for x >= 0, with the tail T = Phi(-|x|).
   T = E M with E = exp(-a**2/2), a = |x|, and M(a) = t m(t - MILLS_CENTRE), t = 1 / (1 + a / MILLS_SCALE), by Remez exchange for
   a from MILLS_BEGIN to MILLS_END. */
#if FASTACT_REAL == 32
#define MILLS_SCALE 4
#define MILLS_CENTRE 0.29296875
#define MILLS_BEGIN 5.4
#define MILLS_END 20
#define MILLS_DEGREE 6 /* relative error 2**-28.6 with rounded coefficients */
static const real mills_coefficient[MILLS_DEGREE + 1] = {
    0x1.1de3fcp-3f, 0x1.7834c4p-3f, 0x1.b056e6p-3f, 0x1.a49a16p-3f, 0x1.4650acp-3f, 0x1.56e76ep-4f, 0x1.3cd4ap-7f,
};
#else
#define MILLS_SCALE 4.5
#define MILLS_CENTRE 0.5615234375
#define MILLS_BEGIN 0
#define MILLS_END 54
#define MILLS_DEGREE 23 /* by interpolation at Chebyshev's points; relative error 2**-56.2, 2**-54.5 with rounded coefficients */
static const real mills_coefficient[MILLS_DEGREE + 1] = {
    0x1.82831ccd84c66p-3, 0x1.5b050de34ec4bp-2, 0x1.f5392107950d7p-2, 0x1.1d1c9b29ba1e1p-1, 0x1.e46d60872b157p-2,
    0x1.089ba868d222fp-2, 0x1.0fca12c531123p-5, -0x1.3264b5b228044p-4, -0x1.89ee8342134f2p-5, 0x1.02394b8c1602bp-6,
    0x1.b8b41f2928f71p-6, -0x1.b314a3b1d84eap-9, -0x1.e0fa0b626bc92p-7, 0x1.a661d29a7de14p-10, 0x1.17d5b6be7c748p-7,
    -0x1.02da9798fdc48p-9, -0x1.4cc9c5f828ecep-8, 0x1.41bdade0f75a3p-9, 0x1.6b48365e4c96ep-9, -0x1.4a7ceb8061179p-9,
    -0x1.2d5a3d880f562p-10, 0x1.fd5beb0c6893bp-10, 0x1.f38d1f0c1cacbp-13, -0x1.b6fc133b37e8ep-11,
};
#endif
typedef struct {
    vec t, t_lo, m, m_lo; /* M = (t + t_lo) (m + m_lo); near a = 0 an error of t counts more than threefold */
} mills_ratio;
FASTACT_INLINE mills_ratio mills(vec a) {
    const vec scale = vset(MILLS_SCALE);
    vec d = vadd(scale, a), t = vdiv(scale, d), rest = vfma(vneg(t), sum_lo(scale, a, d), vfma(vneg(t), d, scale));
    vec t_lo = vmul(vmul(rest, t), vset((real)(1.0 / MILLS_SCALE)));
    vec u = vadd(vsub(t, vset((real)MILLS_CENTRE)), t_lo), h = vset(mills_coefficient[MILLS_DEGREE]);
    for (int k = MILLS_DEGREE - 1; k >= 2; k--) h = vmadd(h, u, vset(mills_coefficient[k]));
    const vec c1 = vset(mills_coefficient[1]), c0 = vset(mills_coefficient[0]);
    vec h1 = vfma(h, u, c1), h1_lo = vfma(h, u, vsub(c1, h1)), m = vfma(h1, u, c0), m_lo = vfma(h1, u, vsub(c0, m));
    return (mills_ratio){t, t_lo, m, vfma(h1_lo, u, m_lo)};
}
FASTACT_INLINE far_exp gelu_exp(int far, vec a) {
    vec w = vmul(a, a), w_lo = vfma(a, a, vneg(w)), half = vset((real)-0.5);
    return exp_far(far, vmul(w, half), 1, vmul(w_lo, half));
}
/* x T by the formula above, in two parts */
FASTACT_INLINE scaled_pair gelu_tail(int far, vec x) {
    vec a = vmin(vset(MILLS_END), vabs(x)), b = finite(x);
    far_exp r = gelu_exp(far, a);
    mills_ratio k = mills(a);
    vec n = vmul(b, r.e), n_lo = vfma(b, r.e, vneg(n)), y = vmul(n, k.t), y_lo = vfma(n, k.t, vneg(y));
    y_lo = vadd(y_lo, vfma(n, k.t_lo, vmul(n_lo, k.t)));
    vec t = vfma(y, k.m, vmul(y_lo, k.m));
    return (scaled_pair){t, vfma(y_lo, k.m, vfma(y, k.m, vneg(t))), r.scale};
}
/* The derivative's tail T - a E / sqrt(2 pi) = E (M - a / sqrt(2 pi)) in two parts */
FASTACT_INLINE scaled_pair gelu_slope_tail(int far, vec x) {
    const long double density = 0.39894228040143267793994605993438L;
    vec a = vmin(vset(MILLS_END), vabs(x)), phi = vset(-(real)density);
    far_exp r = gelu_exp(far, a);
    mills_ratio k = mills(a);
    vec b = vmul(a, phi), b_lo = vfma(a, vset((real)((real)density - density)), vfma(a, phi, vneg(b)));
    vec c = vfma(k.t, k.m, b), c_lo = vadd(vfma(k.t, k.m, vsub(b, c)), vfma(k.t_lo, k.m, vfma(k.t, k.m_lo, b_lo))), y = vmul(r.e, c);
    return (scaled_pair){y, vfma(r.e, c_lo, vfma(r.e, c, vneg(y))), r.scale};
}

#if FASTACT_REAL == 32
/* float32 takes both tails down to -GELU_END from 16 polynomials each: piece number a (GELU_SQUARE a + GELU_LINEAR), rounded, of
   which a row holds the centre and the coefficients in a - centre (tools/minimax.py). Relative error 2**-28.0 with rounded
   coefficients, and 2**-26.7 of the larger term for the derivative's. Above GELU_END x T is nothing beside x. */
#define GELU_SQUARE 0.3125f
#define GELU_LINEAR 0.640625f
#define GELU_END 6.08f
#define GELU_DEGREE 7
static const real gelu_pieces[GELU_DEGREE + 2][16] = {
    {0x1.35839cp-2f, 0x1.feff6p-1f, 0x1.b068fcp+0f, 0x1.1d62a2p+1f, 0x1.5856eap+1f, 0x1.8cb536p+1f, 0x1.bc5784p+1f, 0x1.e849dp+1f,
     0x1.08a5b8p+2f, 0x1.1bf42ep+2f, 0x1.2e4422p+2f, 0x1.3fac5ep+2f, 0x1.50480cp+2f, 0x1.6052p+2f, 0x1.6fb256p+2f, 0x1.7e971ap+2f},
    {0x1.86605ep-2f, 0x1.45e5acp-3f, 0x1.758e06p-5f, 0x1.a64fbp-7f, 0x1.d40ddcp-9f, 0x1.fc898p-11f, 0x1.0f6e24p-12f, 0x1.1de1f2p-14f,
     0x1.299bep-16f, 0x1.32671ep-18f, 0x1.380cd6p-20f, 0x1.3c0b14p-22f, 0x1.3eec3p-24f, 0x1.3d1ab6p-26f, 0x1.3b5a86p-28f, 0x1.3684b4p-30f},
    {-0x1.864684p-2f, -0x1.f086bap-3f, -0x1.8867bap-4f, -0x1.102f14p-5f, -0x1.5ea84p-7f, -0x1.ad252p-9f, -0x1.f976cap-11f, -0x1.21686p-12f,
     -0x1.43fd74p-14f, -0x1.63b396p-16f, -0x1.7fbc84p-18f, -0x1.99665ap-20f, -0x1.b12b98p-22f, -0x1.c1fe3p-24f, -0x1.d1f11ap-26f, -0x1.dc6964p-28f},
    {0x1.d7dbbep-5f, 0x1.ef8dcap-4f, 0x1.4b67fcp-4f, 0x1.2f6d46p-5f, 0x1.d7a922p-7f, 0x1.4c8298p-8f, 0x1.b6ab6ap-10f, 0x1.140134p-11f,
     0x1.4eef1cp-13f, 0x1.8a8acep-15f, 0x1.c5168ap-17f, 0x1.ff3a38p-19f, 0x1.1c8194p-20f, 0x1.35a6d6p-22f, 0x1.4e9ea4p-24f, 0x1.63ff42p-26f},
    {0x1.d8d40cp-5f, 0x1.4b07e4p-13f, -0x1.e4c50ep-6f, -0x1.68483p-6f, -0x1.6c80fcp-7f, -0x1.33c092p-8f, -0x1.d17aa8p-10f, -0x1.46d86cp-11f,
     -0x1.b2a998p-13f, -0x1.14ed48p-14f, -0x1.54a8dep-16f, -0x1.98876cp-18f, -0x1.e040bap-20f, -0x1.12bb1p-21f, -0x1.36b48cp-23f, -0x1.58c36cp-25f},
    {-0x1.c9718ep-7f, -0x1.4af78cp-6f, -0x1.03ea6p-10f, 0x1.8eb6c6p-8f, 0x1.4d122p-8f, 0x1.6e138ep-9f, 0x1.4adb3ep-10f, 0x1.09b552p-11f,
     0x1.898442p-13f, 0x1.1248b4p-14f, 0x1.6c74cep-16f, 0x1.d384a8p-18f, 0x1.23b51ep-19f, 0x1.60474ap-21f, 0x1.a25c44p-23f, 0x1.e58c86p-25f},
    {-0x1.0025c6p-7f, 0x1.06d04ap-8f, 0x1.38d05ep-8f, 0x1.347b56p-11f, -0x1.1746c8p-10f, -0x1.0d1cbep-10f, -0x1.3fdf24p-11f, -0x1.337734p-12f,
     -0x1.0464d4p-13f, -0x1.9401b2p-15f, -0x1.2531ap-16f, -0x1.95d7d6p-18f, -0x1.0e9cc4p-19f, -0x1.5ab49ap-21f, -0x1.b2362ap-23f, -0x1.0885dap-24f},
    {0x1.22872cp-9f, 0x1.051888p-9f, -0x1.3712e2p-10f, -0x1.0dabfp-10f, -0x1.ab085ep-13f, 0x1.45782cp-13f, 0x1.829796p-13f, 0x1.f2860ep-14f,
     0x1.fd944p-15f, 0x1.c4d284p-16f, 0x1.6eaed8p-17f, 0x1.158918p-18f, 0x1.8f57d2p-20f, 0x1.115e84p-21f, 0x1.6b6398p-23f, 0x1.d2e95cp-25f},
    {0x1.b6460ap-11f, -0x1.8a9cc4p-11f, -0x1.1d0c0cp-12f, 0x1.ef136cp-13f, 0x1.9f12eep-13f, 0x1.9f37b6p-15f, -0x1.127faap-16f, -0x1.daa322p-16f,
     -0x1.47b4dep-16f, -0x1.5b78a6p-17f, -0x1.5dbb62p-18f, -0x1.252adep-19f, -0x1.c9b438p-21f, -0x1.54ec1p-22f, -0x1.e2a4c6p-24f, -0x1.44a7c6p-25f},
};
static const real gelu_slope_pieces[GELU_DEGREE + 2][16] = {
    {0x1.353196p-2f, 0x1.ffa17ap-1f, 0x1.b095ccp+0f, 0x1.1d4038p+1f, 0x1.584992p+1f, 0x1.8cb47p+1f, 0x1.bc6498p+1f, 0x1.e85fb6p+1f,
     0x1.08adbep+2f, 0x1.1be916p+2f, 0x1.2e3ad8p+2f, 0x1.3fa0a2p+2f, 0x1.50472p+2f, 0x1.604daep+2f, 0x1.6fba42p+2f, 0x1.7e91fep+2f},
    {0x1.10a51ap-2f, -0x1.548b6ep-4f, -0x1.dbce5p-4f, -0x1.f62024p-5f, -0x1.9d8728p-6f, -0x1.2cbefp-7f, -0x1.943bf2p-9f, -0x1.0187ep-10f,
     -0x1.3bbc2cp-12f, -0x1.787552p-14f, -0x1.b2b0ccp-16f, -0x1.ed28dcp-18f, -0x1.129e28p-19f, -0x1.2c298ap-21f, -0x1.43e488p-23f, -0x1.5aeb9cp-25f},
    {-0x1.748502p-1f, -0x1.f0a0e4p-3f, 0x1.4f443p-4f, 0x1.94a326p-4f, 0x1.cb66ep-5f, 0x1.9801bep-6f, 0x1.3d2a9cp-7f, 0x1.c51ee2p-9f,
     0x1.31365p-10f, 0x1.8a35d2p-12f, 0x1.e82ee2p-14f, 0x1.26904cp-15f, 0x1.5abf96p-17f, 0x1.8e923cp-19f, 0x1.c2536ep-21f, 0x1.f7241p-23f},
    {0x1.ccab3ap-3f, 0x1.73d864p-2f, 0x1.7b0d3ep-4f, -0x1.25c0f4p-5f, -0x1.7dc8bp-5f, -0x1.d1fe3p-6f, -0x1.b90b54p-7f, -0x1.6b5fbcp-8f,
     -0x1.11c5aep-9f, -0x1.83bb04p-11f, -0x1.03c7cap-12f, -0x1.4fb6dep-14f, -0x1.a3e902p-16f, -0x1.fdbf42p-18f, -0x1.2e932p-19f, -0x1.61a91ap-21f},
    {0x1.b6768cp-3f, -0x1.49689ap-4f, -0x1.ffc9b6p-4f, -0x1.155d78p-5f, 0x1.4d627cp-7f, 0x1.038646p-6f, 0x1.554f2cp-7f, 0x1.56d8b6p-8f,
     0x1.29bb9ep-9f, 0x1.d7119ap-11f, 0x1.59e5d2p-12f, 0x1.e317a4p-14f, 0x1.4340bap-15f, 0x1.a0ad04p-17f, 0x1.050084p-18f, 0x1.4046a6p-20f},
    {-0x1.4dedc6p-4f, -0x1.4adffap-4f, 0x1.21fc62p-5f, 0x1.2f1e8ap-5f, 0x1.6b9556p-7f, -0x1.fe4bb6p-10f, -0x1.18332ap-8f, -0x1.90547ap-9f,
     -0x1.aa2d16p-10f, -0x1.85111cp-11f, -0x1.3f66e4p-12f, -0x1.e89504p-14f, -0x1.6125b6p-15f, -0x1.e6d608p-17f, -0x1.439a58p-18f, -0x1.a2bceap-20f},
    {-0x1.5e9cf4p-5f, 0x1.28ad9ap-5f, 0x1.0b2bf4p-6f, -0x1.4f29b6p-7f, -0x1.3b616ap-7f, -0x1.a656bep-9f, 0x1.89a042p-13f, 0x1.f7f6a8p-11f,
     0x1.8c879ep-11f, 0x1.bfd948p-12f, 0x1.aa0212p-13f, 0x1.6ca274p-14f, 0x1.20db38p-15f, 0x1.ae2354p-17f, 0x1.31b5d2p-18f, 0x1.a38462p-20f},
    {0x1.17df5ep-6f, 0x1.1c9744p-7f, -0x1.784236p-7f, -0x1.a72bdp-9f, 0x1.393c36p-9f, 0x1.246ebep-9f, 0x1.b58176p-11f, 0x1.2f7466p-15f,
     -0x1.7e430ep-13f, -0x1.54c9b4p-13f, -0x1.996b7ap-14f, -0x1.98da42p-15f, -0x1.6bcf7cp-16f, -0x1.2994fep-17f, -0x1.c97d46p-19f, -0x1.4fa2d8p-20f},
    {0x1.79f504p-8f, -0x1.bbc89cp-8f, 0x1.583978p-12f, 0x1.6452aap-9f, 0x1.3f8fb6p-11f, -0x1.0aff06p-11f, -0x1.f06e3cp-12f, -0x1.a66644p-13f,
     -0x1.cee01p-16f, 0x1.fd486ep-16f, 0x1.0e57a8p-15f, 0x1.516782p-16f, 0x1.54e416p-17f, 0x1.3d8144p-18f, 0x1.0a70d2p-19f, 0x1.a851a4p-21f},
};
FASTACT_INLINE vec piecewise(const real (*table)[16], vec x) {
    vec a = vmin(vset(GELU_END), vabs(x)), t = vfma(a, vfma(a, vset(GELU_SQUARE), vset(GELU_LINEAR)), vset(MAGIC));
    vec u = vsub(a, vlookup16(table[0], t)), y = vlookup16(table[GELU_DEGREE + 1], t);
    for (int k = GELU_DEGREE; k >= 1; k--) y = vmadd(y, u, vlookup16(table[k], t));
    return y;
}
FASTACT_INLINE scaled_pair gelu_tail_near(vec x) {
    vec a = finite(x), t = piecewise(gelu_pieces, x), y = vmul(a, t);
    return (scaled_pair){y, vfma(a, t, vneg(y)), vset(0)};
}
FASTACT_INLINE scaled_pair gelu_slope_tail_near(vec x) { return (scaled_pair){piecewise(gelu_slope_pieces, x), vset(0), vset(0)}; }
#else
#define GELU_END 26 /* here E passes exp(NEAR) */
FASTACT_INLINE scaled_pair gelu_tail_near(vec x) { return gelu_tail(0, x); }
FASTACT_INLINE scaled_pair gelu_slope_tail_near(vec x) { return gelu_slope_tail(0, x); }
#endif

#define WITH_GELU_FAR(x, formula) \
    (vany_less(x, vset(-GELU_END)) ? vless_select(x, vset(-GELU_END), formula(1), formula(0)) : formula(0))

/* x T far below 0, and x T or x - x T elsewhere */
FASTACT_INLINE scaled_pair gelu_of(int far, vec x) {
    if (far) return gelu_tail(1, x);
    scaled_pair t = gelu_tail_near(x);
    vec zero = vset(0), above = vsub(x, t.hi), above_lo = vsub(vsub(vsub(x, above), t.hi), t.lo);
    above_lo = vless_select(x, vset(LARGEST), above_lo, zero);
    return (scaled_pair){vless_select(x, zero, t.hi, above), vless_select(x, zero, t.lo, above_lo), zero};
}
FASTACT_INLINE scaled_pair gelu_slope(int far, vec x) {
    if (far) return gelu_slope_tail(1, x);
    scaled_pair t = gelu_slope_tail_near(x);
    vec zero = vset(0), one = vset(1), above = vsub(one, t.hi), above_lo = vsub(vsub(vsub(one, above), t.hi), t.lo);
    return (scaled_pair){vless_select(x, zero, t.hi, above), vless_select(x, zero, t.lo, above_lo), zero};
}
FASTACT_INLINE vec gelu_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far) rescaled(far, gelu_of(far, x).hi, gelu_of(far, x).scale)
    return vcopysign(WITH_GELU_FAR(x, FORMULA), x);
#undef FORMULA
}
/* dx = g (Phi(x) + x phi(x)) */
FASTACT_INLINE vec gelu_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far) times_scaled(far, g, gelu_slope(far, x))
    return WITH_GELU_FAR(x, FORMULA);
#undef FORMULA
}

/* log(1 + exp(z)) = max(z, 0) + log1p(exp(-|z|)), divided by p */
FASTACT_INLINE vec log1p_exp(int far, vec z, int has_lo, vec z_lo, int has_p, vec p) {
    far_exp r = exp_minus_abs(far, z, has_lo, z_lo);
    vec y = far ? r.e : vadd(vmax(vset(0), z), log1p_fraction(r.e));
    return rescaled(far, has_p ? vdiv(y, p) : y, r.scale);
}

/* softplus(x) = log(1 + exp(p x)) / p          dx = g sigmoid(p x) */
FASTACT_INLINE vec softplus_forward(vec x, vec p, vec q) {
    (void)q;
    vec z = vmul(p, x), lo = product_lo(p, x, z);
#define FORMULA(far) log1p_exp(far, z, 1, lo, 1, p)
    vec y = WITH_FAR(z, FORMULA);
#undef FORMULA
    return vless_select(vset(40), z, x, y); /* there the logarithm is below half an ULP, and p x may overflow */
}
FASTACT_INLINE vec softplus_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec z = vmul(p, x), lo = product_lo(p, x, z);
#define FORMULA(far) gate(far, 0, g, z, 1, lo)
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* log_sigmoid(x) = -log(1 + exp(-x))          dx = g sigmoid(-x) */
FASTACT_INLINE vec log_sigmoid_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec z = vneg(x);
#define FORMULA(far) log1p_exp(far, z, 0, z, 0, z)
    return vneg(WITH_FAR(z, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec log_sigmoid_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec z = vneg(x);
#define FORMULA(far) gate(far, 0, g, z, 0, z)
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
FASTACT_INLINE vec mish_of(int far, vec x) {
    far_exp r = exp_minus_abs(far, x, 0, x);
    vec a = vmax(vset(-LARGEST), x);
    if (far) return scaled_down(vmul(a, r.e), r.scale);
    vec d, n = mish_ratio(x, r.e, &d), y = vmul(a, n);
    y = divide(y, vfma(a, n, vneg(y)), d, vset(0));
    return vless_select(vset(100), x, x, vcopysign(y, x));
}
FASTACT_INLINE vec mish_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
#define FORMULA(far) mish_of(far, x)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
/* With i = 1 / d and c = 4 x (1 + e):  dx = g e i (e + 2 + c i) for x < 0, g i (n + c i e**2) for x >= 0;  g e (1 + x) far below 0.
   Below 0 the terms cancel, and low parts count. */
FASTACT_INLINE vec mish_backward_of(int far, vec g, vec x) {
    far_exp r = exp_minus_abs(far, x, 0, x);
    vec v = vmax(vset(BOTTOM), vmin(vset(TOP), x)), e = r.e, zero = vset(0), two = vset(2);
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
#define FORMULA(far) mish_backward_of(far, g, x)
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

/* hard_sigmoid(x) = min(max(p x + q, 0), 1)          dx = p g for 0 < p x + q < 1, else 0 */
FASTACT_INLINE vec hard_sigmoid_forward(vec x, vec p, vec q) {
    vec limit = vless_select(vset(0), vabs(p), vset(INFINITY), vset(LARGEST)); /* p = 0 makes 0 of an infinite x */
    return vmin(vset(1), vmax(vset(0), vfma(p, vmin(limit, vmax(vneg(limit), x)), q)));
}
FASTACT_INLINE vec hard_sigmoid_backward(vec g, vec x, vec p, vec q) {
    vec one = vset(1), t = vsub(q, one), above = vadd(vfma(p, x, t), sum_lo(vneg(one), q, t)); /* p x + q itself might round to 1 */
    vec inside = vless_select(above, vset(0), vmul(p, g), vset(0));
    return vnan_select(x, vless_select(vset(0), vfma(p, x, q), inside, vset(0)));
}

/* hard_swish(x) = x min(max(x + 3, 0), 6) / 6          dx = g (2 x + 3) / 6 for -3 < x < 3, 0 below, g above */
FASTACT_INLINE vec hard_swish_forward(vec x, vec p, vec q) {
    (void)p; (void)q;
    vec y = vdiv(vmul(x, vadd(x, vset(3))), vset(6));
    return vless_select(vset(-3), x, vless_select(x, vset(3), y, x), vnan_select(x, vset((real)-0.0)));
}
FASTACT_INLINE vec hard_swish_backward(vec g, vec x, vec p, vec q) {
    (void)p; (void)q;
    vec y = vmul(g, vdiv(vfma(vset(2), x, vset(3)), vset(6)));
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
#define FORMULA(far) gate(far, 0, p, x, 0, x)
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
FASTACT_INLINE vec glu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec z = vneg(vabs(x));
#define FORMULA(far) times_both(far, g, p, sigmoid_slope(far, x))
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}

/* x sigmoid(z), in two parts */
FASTACT_INLINE scaled_pair gated(int far, vec x, vec z, int has_lo, vec z_lo) {
    if (far) {
        far_exp k = exp_far(1, z, has_lo, z_lo);
        vec a = vmax(vset(BOTTOM), x), y = vmul(a, k.e);
        return (scaled_pair){y, vfma(a, k.e, vneg(y)), k.scale};
    }
    vec one = vset(1), d = vadd(one, exp_above(z, has_lo, z_lo)), r = vdiv(one, d), y = vmul(x, r), lo = vmul(vfma(vneg(y), d, x), r);
    return (scaled_pair){y, vless_select(vabs(y), vset(LARGEST), lo, vset(0)), vset(0)};
}
/* y, or p x / 2 for an x so small that its activation is x / 2: rounded once, though x / 2 be subnormal. */
FASTACT_INLINE vec near_0(vec x, vec p, vec y) {
    return vless_select(vabs(x), vset((real)0x1p-64), vmul(vmul(p, vset((real)0.5)), x), y);
}
/* swiglu(x) = p silu(x) */
FASTACT_INLINE vec swiglu_forward(vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far) times_scaled(far, p, gated(far, x, x, 0, x))
    return near_0(x, p, WITH_FAR(x, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec swiglu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far) times_both(far, g, p, gate_slope(far, x, 0, x, x, x))
    return WITH_FAR(x, FORMULA);
#undef FORMULA
}
/* geglu(x) = p gelu(x) */
FASTACT_INLINE vec geglu_forward(vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far) times_scaled(far, p, gelu_of(far, x))
    return near_0(x, p, WITH_GELU_FAR(x, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec geglu_backward(vec g, vec x, vec p, vec q) {
    (void)q;
#define FORMULA(far) times_both(far, g, p, gelu_slope(far, x))
    return WITH_GELU_FAR(x, FORMULA);
#undef FORMULA
}
/* geglu_tanh(x) = p gelu_tanh(x) */
FASTACT_INLINE vec geglu_tanh_forward(vec x, vec p, vec q) {
    (void)q;
    vec lo, v, v_lo, z = gelu_argument(x, &lo, &v, &v_lo);
#define FORMULA(far) times_scaled(far, p, gated(far, x, z, 1, lo))
    return near_0(x, p, WITH_FAR(z, FORMULA));
#undef FORMULA
}
FASTACT_INLINE vec geglu_tanh_backward(vec g, vec x, vec p, vec q) {
    (void)q;
    vec lo, v, v_lo, z = gelu_argument(x, &lo, &v, &v_lo);
#define FORMULA(far) times_both(far, g, p, gate_slope(far, z, 1, lo, v, v_lo))
    return WITH_FAR(z, FORMULA);
#undef FORMULA
}
