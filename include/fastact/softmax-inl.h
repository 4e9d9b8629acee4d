/* The softmax family on one chunk of one row. For a row x of n entries, N = max(x) log2 e rounded to quarters, e_i = exp(x_i) 2**-N,

     softmax               p_i = e_i / sum_j e_j
     logsumexp             l = m + log1p(sum_{j != k} exp(x_j - m)),   m = x_k the largest entry
     logsumexp_weighted    log |sum_j b_j exp(x_j)| and the sign of that sum
     log_softmax           x_i - l
     softmax_backward      dx_i = p_i (g_i - sum_j g_j p_j)            J = diag(p) - p p^T is symmetric
     log_softmax_backward  dx_i = g_i - exp(y_i) sum_j g_j             y the result of log_softmax

   The common factor 2**-N cancels. The quotient softmax divides the exponentials as they are stored by their exact sum, so a
   single class, or one beside which the others vanish, has a probability of exactly 1, and none exceeds it. For the logarithms
   the sum without the largest entry's own term keeps the digits of a nearly one-hot row: there l - m is small, and 1 + small
   would lose it. */

#define BLOCK (4 * LANES) /* as many entries are added before the sum is carried to more digits */
/* Vectors whose exponentials are computed side by side: more gain nothing on processors that reorder, measured. */
#define INTERLEAVE 2

FASTACT_INLINE int takes_log(int f) { return f == FASTACT_log_softmax || f == FASTACT_logsumexp; }

/* Vector u of `count`, of which the last may hold fewer entries: `last` of them, 0 for all. */
FASTACT_INLINE vec load_some(const real *p, int u, int count, ptrdiff_t last, real fill) {
    return u == count - 1 && last ? vload_part(p + u * LANES, last, fill) : vload(p + u * LANES);
}
FASTACT_INLINE void store_some(real *p, vec a, int u, int count, ptrdiff_t last) {
    if (u == count - 1 && last) vstore_part(p + u * LANES, a, last);
    else vstore(p + u * LANES, a);
}

/* Calls STEP(count, at, last) for the n - at entries that make no whole block: `count` vectors, the last one in part. Adding
   vectors of zeros up to a block would give the same bits. */
#define FOR_REST(n, at, STEP)                       \
    do {                                            \
        ptrdiff_t rest_ = (n) - (at);               \
        if (rest_ > 3 * LANES) STEP(4, at, rest_ - 3 * LANES);      \
        else if (rest_ > 2 * LANES) STEP(3, at, rest_ - 2 * LANES); \
        else if (rest_ > LANES) STEP(2, at, rest_ - LANES);         \
        else if (rest_ > 0) STEP(1, at, rest_);     \
    } while (0)
/* The same for all blocks of n entries, and then the rest. */
#define FOR_BLOCKS(n, STEP)                                           \
    do {                                                              \
        ptrdiff_t at_ = 0;                                            \
        for (; at_ + BLOCK <= (n); at_ += BLOCK) STEP(4, at_, 0);     \
        FOR_REST(n, at_, STEP);                                       \
    } while (0)

FASTACT_INLINE void max_block(int count, const real *x, ptrdiff_t last, vec *max) {
    for (int u = 0; u < count; u++) max[u] = vmax(load_some(x, u, count, last, -INFINITY), max[u]);
}

FASTACT_APART double max_chunk(const real *x, ptrdiff_t n) {
    vec max[4] = {vset(-INFINITY), vset(-INFINITY), vset(-INFINITY), vset(-INFINITY)};
#define STEP(count, at, last) max_block(count, x + (at), last, max)
    FOR_BLOCKS(n, STEP);
#undef STEP
    return vmax_lanes(vmax(vmax(max[0], max[1]), vmax(max[2], max[3])));
}

/* Where in the `count` vectors at x the value m stands first; -1 if it does not. */
FASTACT_INLINE ptrdiff_t find_in_block(int count, const real *x, ptrdiff_t last, vec m) {
    uint64_t equal = 0;
    for (int u = 0; u < count; u++) equal |= (uint64_t)vequal(load_some(x, u, count, last, NAN), m) << (u * LANES);
    return equal ? __builtin_ctzll(equal) : -1;
}

/* Where in x the value m, its maximum, stands first; -1 where a NaN hides it. Backwards through all blocks, since a branch on where it
   is would be mispredicted and keep the next pass from starting. */
FASTACT_APART ptrdiff_t find(const real *x, ptrdiff_t n, real m) {
    vec value = vset(m);
    ptrdiff_t full = n - n % BLOCK, at = full, found = -1;
    for (ptrdiff_t i = full - BLOCK; i >= 0; i -= BLOCK) {
        vec a = vmax(vload(x + i), vload(x + i + LANES)), b = vmax(vload(x + i + 2 * LANES), vload(x + i + 3 * LANES));
        at = vequal(vmax(a, b), value) ? i : at;
    }
    if (at < full) return at + find_in_block(4, x + at, 0, value);
#define STEP(count, at, last) found = find_in_block(count, x + (at), last, value)
    FOR_REST(n, full, STEP);
#undef STEP
    return found < 0 ? -1 : full + found;
}

typedef struct {
    vec magic, floor, shift;
} exponential;

FASTACT_INLINE void exp_side_by_side(vec *x, int count, vec magic, vec floor) {
    for (int u = 0; u < count; u += INTERLEAVE) exp_scaled(x + u, count - u < INTERLEAVE ? count - u : INTERLEAVE, magic, floor);
}

/* The terms of a block as a tree; e[0] holds it in the end. */
FASTACT_INLINE vec add_terms(int count, vec *e) {
    if (count > 1) e[0] = vadd(e[0], e[1]);
    if (count > 3) e[2] = vadd(e[2], e[3]);
    return count > 2 ? vadd(e[0], e[2]) : e[0];
}

/* `skip`: the entry of this block whose term is left out of the sum, or -1. */
FASTACT_INLINE void exp_block(int f, int shifted, int count, const real *x, const real *b, real *y, ptrdiff_t last, ptrdiff_t skip,
                              const exponential *c, exact_sum *all, wide *sum) {
    vec e[4];
    for (int u = 0; u < count; u++) e[u] = load_some(x, u, count, last, -INFINITY);
    if (shifted)
        for (int u = 0; u < count; u++) e[u] = vsub(e[u], c->shift);
    exp_side_by_side(e, count, c->magic, c->floor);
    if (last) e[count - 1] = vkeep(e[count - 1], last);
    if (f == FASTACT_softmax) {
        for (int u = 0; u < count; u++) store_some(y, e[u], u, count, last);
        for (int u = 0; u < count; u++) exact_add(all, e[u]);
        return;
    }
    if (f == FASTACT_logsumexp_weighted) {
        for (int u = 0; u < count; u++) wide_add_product(sum, e[u], load_some(b, u, count, last, 0));
        return;
    }
    if (skip >= 0)
        for (int u = 0; u < count; u++) e[u] = vwithout(e[u], skip - u * LANES);
    wide_add(sum, add_terms(count, e));
}

/* More than any exponential: see set_reference. */
#if FASTACT_REAL == 32
#define SUM_START 0x1p61f
#else
#define SUM_START 0x1p501
#endif

/* The sum of the exponentials. `skip`: the entry whose term is left out, or -1. */
FASTACT_INLINE fastact_pair exp_chunk(int f, int shifted, const real *x, const real *b, real *y, ptrdiff_t n, ptrdiff_t skip,
                                      const fastact_state *s) {
    exponential c = {vset((real)s->magic), vset((real)s->floor), vset((real)s->shift)};
    exact_sum all = exact_zero(SUM_START);
    wide sum = wide_zero();
    ptrdiff_t at = 0, full = n - n % BLOCK, stop = full;
    if (takes_log(f) && skip >= 0) stop = skip - skip % BLOCK;
    for (; at < stop; at += BLOCK) exp_block(f, shifted, 4, x + at, b + at, y + at, 0, -1, &c, &all, &sum);
    if (takes_log(f) && at < full) {
        exp_block(f, shifted, 4, x + at, b + at, y + at, 0, skip - at, &c, &all, &sum);
        skip = -1;
        for (at += BLOCK; at < full; at += BLOCK) exp_block(f, shifted, 4, x + at, b + at, y + at, 0, -1, &c, &all, &sum);
    }
    ptrdiff_t skip_rest = skip >= full ? skip - at : -1;
#define STEP(count, at, last) exp_block(f, shifted, count, x + (at), b + (at), y + (at), last, skip_rest, &c, &all, &sum)
    FOR_REST(n, at, STEP);
#undef STEP
    return f == FASTACT_softmax ? exact_total(all, SUM_START) : wide_total(sum);
}

FASTACT_INLINE void gradient_block(int f, int count, const real *g, const real *y, ptrdiff_t last, wide *sum) {
    for (int u = 0; u < count; u++) {
        vec gu = load_some(g, u, count, last, 0);
        if (f == FASTACT_softmax_backward) wide_add_product(sum, gu, load_some(y, u, count, last, 0));
        else wide_add(sum, gu);
    }
}

/* sum g_i y_i or sum g_i; the terms cancel, so each is added with all its digits. */
FASTACT_INLINE fastact_pair gradient_chunk(int f, const real *g, const real *y, ptrdiff_t n) {
    wide sum = wide_zero();
#define STEP(count, at, last) gradient_block(f, count, g + (at), y + (at), last, &sum)
    FOR_BLOCKS(n, STEP);
#undef STEP
    return wide_total(sum);
}

FASTACT_INLINE void map_block(int f, int count, const real *x, const real *y_in, real *y, ptrdiff_t last, vec a, vec b) {
    for (int u = 0; u < count; u++) {
        vec v = load_some(f == FASTACT_softmax ? y : x, u, count, last, 0), w;
        switch (f) {
        case FASTACT_softmax: v = vfma(v, a, vmul(v, b)); break;
        case FASTACT_log_softmax: v = vsub(vsub(v, a), b); break;
        case FASTACT_softmax_backward:
            w = load_some(y_in, u, count, last, 0);
            v = vfma(w, vsub(v, a), vmul(w, vsub(vset(0), b)));
            break;
        case FASTACT_log_softmax_backward:
            w = vexp(load_some(y_in, u, count, last, 0));
            v = vsub(vfma(w, vsub(vset(0), a), v), vmul(w, b));
            break;
        }
        store_some(y, v, u, count, last);
    }
}

/* The loops above, compiled once for each function that needs them. */
#define ARGUMENTS const real *x, const real *b, real *y, ptrdiff_t n, ptrdiff_t skip, const fastact_state *s
#define EXP_CHUNK(f) \
    return s->shift == 0 ? exp_chunk(f, 0, x, b, y, n, skip, s) : exp_chunk(f, 1, x, b, y, n, skip, s)
FASTACT_APART fastact_pair exp_and_store(ARGUMENTS) { EXP_CHUNK(FASTACT_softmax); }
FASTACT_APART fastact_pair exp_but_largest(ARGUMENTS) { EXP_CHUNK(FASTACT_logsumexp); }
FASTACT_APART fastact_pair exp_weighted(ARGUMENTS) { EXP_CHUNK(FASTACT_logsumexp_weighted); }
#undef ARGUMENTS
#undef EXP_CHUNK

/* Chooses N and what follows from it. The stored exponentials are e_i UNIT 2**OFFSET: terms that matter to a result stay clear of
   underflow, and what lies at the floor, 2**-(OFFSET + BIAS - 1), is far below the smallest subnormal result. None is larger than
   UNIT 2**(1/8) 2**OFFSET. */
FASTACT_INLINE void set_reference(fastact_state *s) {
    s->shift = __builtin_fabs(s->max) > EXACT_LIMIT ? s->max : 0;
    s->exponent = nearest((s->max - s->shift) * 0x1.71547652b82fep+2) - 4 * OFFSET;
    s->magic = (double)MAGIC - s->exponent;
    s->floor = (s->exponent / 4 - (BIAS - 1)) * LN2_HI_DOUBLE;
}

FASTACT_INLINE void map_chunk(int f, const real *x, const real *y_in, real *y, ptrdiff_t n, const fastact_state *s) {
    vec a = vset((real)s->a), b = vset((real)s->b);
#define STEP(count, at, last) map_block(f, count, x + (at), y_in + (at), y + (at), last, a, b)
    FOR_BLOCKS(n, STEP);
#undef STEP
}

/* e UNIT 2**power */
FASTACT_INLINE fastact_pair scaled(fastact_pair e, double power) { return pair_times(e, UNIT * power_of_two((int64_t)power)); }

FASTACT_INLINE void finish_max(int f, const real *x, const real *b, ptrdiff_t n, fastact_state *s) {
    if (s->max - s->max == 0) {
        set_reference(s);
        if (f != FASTACT_softmax) s->largest = scaled(exp_close(s->max - s->shift, s->exponent / 4 + OFFSET), OFFSET);
        return;
    }
    /* The largest entry is infinite, or there is none but NaN. */
    s->special = 1;
    s->a = f == FASTACT_logsumexp || f == FASTACT_logsumexp_weighted ? s->max : NAN;
    s->b = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        if (x[i] != x[i]) s->a = NAN;
        if (f == FASTACT_logsumexp_weighted) {
            if (b[i] != b[i]) s->a = NAN;
            if (s->max > 0 && x[i] == s->max) s->b += b[i] > 0 ? 1 : -1;
            if (s->max > 0 && x[i] == s->max && s->b * b[i] <= 0) s->a = NAN; /* inf - inf */
        }
    }
    if (f == FASTACT_logsumexp_weighted) s->b = s->a != s->a ? NAN : (s->b > 0) - (s->b < 0);
}

/* logsumexp m + l of a row whose m < 0 and l > 0 cancel: the sum again, with digits to spare for the result's own.
   float32: in double. */
FASTACT_APART fastact_pair sum_in_double(const real *x, ptrdiff_t n, const fastact_state *s) {
    ptrdiff_t largest = find(x, n, (real)s->max);
    double lane[16] = {0};
    for (ptrdiff_t i = 0; i < n; i += 16)
        for (ptrdiff_t j = 0; j < 16; j++)
            if (i + j < n) lane[j] += i + j == largest ? 0 : exp_double((double)x[i + j] - s->max);
    for (int half = 8; half; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return (fastact_pair){lane[0] * s->largest.hi, 0};
}

/* float64, and float32 where even that cancels: the terms that count as pairs, the rest as they were. */
FASTACT_APART fastact_pair sum_in_pairs(const real *x, ptrdiff_t n, const fastact_state *s) {
    ptrdiff_t largest = find(x, n, (real)s->max);
    fastact_pair sum = s->sum;
    for (ptrdiff_t i = 0; i < n; i++) {
        if (i == largest || !(x[i] > s->max - (FASTACT_REAL == 32 ? 50 : 8))) continue;
        vec fast = vset(x[i]);
        exp_scaled(&fast, 1, vset((real)s->magic), vset((real)s->floor));
        double power = nearest(x[i] * 0x1.71547652b82fep+0 - s->exponent / 4);
        fastact_pair e = scaled(exp_pair(x[i], power + s->exponent / 4), power);
        sum = pair_add(sum, pair_add(e, (fastact_pair){-nfirst(fast.v[0]), 0}));
    }
    return sum;
}

FASTACT_INLINE double log_of_sum(const fastact_state *s) {
    return pair_add((fastact_pair){s->max, 0}, log1p_pair(pair_divide(s->sum, s->largest))).hi;
}

/* The quotient e / sum as e (a + b), with b what rounding takes from a. */
FASTACT_INLINE void set_scale(fastact_pair sum, real *a, real *b) {
    fastact_pair r = inverse(sum);
    double lo = r.hi - (real)r.hi + r.lo;
    *a = (real)r.hi;
    *b = lo == lo ? (real)lo : 0; /* an infinite or NaN sum stands alone */
}

FASTACT_INLINE void finish_sum(int f, const real *x, ptrdiff_t n, fastact_state *s) {
    if (fastact_first_pass(f) == FASTACT_MAX && s->sum.hi != s->sum.hi) { /* a NaN among finite entries */
        s->special = 1;
        s->a = s->b = NAN;
        return;
    }
    switch (f) {
    case FASTACT_softmax: {
        real a, b;
        set_scale(s->sum, &a, &b);
        s->a = a;
        s->b = b;
        return;
    }
    case FASTACT_log_softmax: s->a = s->max; s->b = log1p_pair(pair_divide(s->sum, s->largest)).hi; return;
    case FASTACT_logsumexp: {
        fastact_pair fast = s->sum;
        s->a = log_of_sum(s);
        if (s->max > 0 || s->a <= -1 || s->a >= 1) return;
        s->largest = scaled(exp_pair(s->max, s->exponent / 4 + OFFSET), OFFSET);
        if (FASTACT_REAL == 32) {
            s->sum = sum_in_double(x, n, s);
            s->a = log_of_sum(s);
        }
        if (FASTACT_REAL == 32 ? __builtin_fabs(s->a) < 0x1p-26 : s->max > -1) {
            s->sum = fast;
            s->sum = sum_in_pairs(x, n, s);
            s->a = log_of_sum(s);
        }
        return;
    }
    case FASTACT_logsumexp_weighted:
        s->b = (s->sum.hi > 0) - (s->sum.hi < 0);
        if (s->b < 0) s->sum.hi = -s->sum.hi, s->sum.lo = -s->sum.lo;
        if (s->b == 0) s->a = -INFINITY;
        else if (s->sum.hi == INFINITY) s->a = INFINITY;
        else s->a = pair_add((fastact_pair){s->max, 0}, log1p_pair(pair_add(pair_divide(s->sum, s->largest), (fastact_pair){-1, 0}))).hi;
        return;
    default: /* a gradient: the sum itself, in two parts */
        s->a = (real)s->sum.hi;
        s->b = s->sum.hi - s->a + s->sum.lo;
        if (s->b != s->b) s->b = 0; /* an infinite or NaN sum stands alone */
    }
}

/* softmax of rows of one block at most, the passes above in registers. `last`: entries in the last of `count` vectors. */
FASTACT_INLINE void softmax_block(int count, ptrdiff_t last, const real *x, real *y) {
    fastact_state s;
    vec e[4], top;
    fastact_start(&s);
    for (int u = 0; u < count; u++) e[u] = load_some(x, u, count, last, -INFINITY);
    top = e[count - 1];
    for (int u = count - 2; u >= 0; u--) top = vmax(e[u], top);
    s.max = vmax_lanes(top);
    if (s.max - s.max == 0) {
        exact_sum sum = exact_zero(SUM_START);
        set_reference(&s);
        if (s.shift != 0)
            for (int u = 0; u < count; u++) e[u] = vsub(e[u], vset((real)s.shift));
        exp_side_by_side(e, count, vset((real)s.magic), vset((real)s.floor));
        e[count - 1] = vkeep(e[count - 1], last);
        for (int u = 0; u < count; u++) exact_add(&sum, e[u]);
        s.sum = exact_total(sum, SUM_START);
    } else {
        s.sum.hi = NAN;
    }
    finish_sum(FASTACT_softmax, x, count * LANES, &s);
    for (int u = 0; u < count; u++) {
        vec p = vfma(e[u], vset((real)s.a), vmul(e[u], vset((real)s.b)));
        if (s.special) p = vset(NAN);
        store_some(y, p, u, count, last);
    }
}
