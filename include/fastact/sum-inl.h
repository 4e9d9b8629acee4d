/* Sums over the virtual lanes, with more digits than the entries have: float32 in double, float64 as an unevaluated pair. */

/* Knuth's two-sum: a + b = hi + lo exactly. */
FASTACT_INLINE fastact_pair two_sum(double a, double b) {
    double s = a + b, v = s - a;
    return (fastact_pair){s, (a - (s - v)) + (b - v)};
}

/* Both parts of a pair as one pair again, |lo| at most half an ULP of hi; an infinite or NaN hi stands alone. */
FASTACT_INLINE fastact_pair renormalise(double hi, double lo) {
    fastact_pair s = two_sum(hi, lo);
    if (s.lo != s.lo) return (fastact_pair){hi, 0};
    return s;
}

/* a b */
FASTACT_INLINE fastact_pair pair_times(fastact_pair a, double b) {
    double p = a.hi * b;
    return (fastact_pair){p, __builtin_fma(a.hi, b, -p) + a.lo * b};
}

FASTACT_INLINE fastact_pair pair_add(fastact_pair a, fastact_pair b) {
    fastact_pair s = two_sum(a.hi, b.hi);
    return renormalise(s.hi, s.lo + (a.lo + b.lo));
}

/* a b, to twice the digits of an entry */
FASTACT_INLINE fastact_pair pair_multiply(fastact_pair a, fastact_pair b) {
    return FASTACT_REAL == 32 ? (fastact_pair){a.hi * b.hi, 0} : pair_add(pair_times(a, b.hi), pair_times(a, b.lo));
}

/* A register of either part of pairs. */
typedef struct {
    nvec hi, lo;
} register_pair;

#if FASTACT_REAL == 32

typedef struct {
    dvec v[2 * VECTOR / sizeof(nvec)];
} wide;

FASTACT_INLINE wide wide_zero(void) {
    wide s;
    for (int k = 0; k < 2 * PARTS; k++) s.v[k] = dset(0);
    return s;
}
FASTACT_INLINE wide wide_of(vec a) {
    wide s;
    EACH {
        s.v[2 * k] = nwiden_low(a.v[k]);
        s.v[2 * k + 1] = nwiden_high(a.v[k]);
    }
    return s;
}
FASTACT_INLINE void wide_add(wide *s, vec a) {
    EACH {
        s->v[2 * k] += nwiden_low(a.v[k]);
        s->v[2 * k + 1] += nwiden_high(a.v[k]);
    }
}
/* s += a b; the products are exact in double. */
FASTACT_INLINE void wide_add_product(wide *s, vec a, vec b) {
    EACH {
        s->v[2 * k] = dfma(nwiden_low(a.v[k]), nwiden_low(b.v[k]), s->v[2 * k]);
        s->v[2 * k + 1] = dfma(nwiden_high(a.v[k]), nwiden_high(b.v[k]), s->v[2 * k + 1]);
    }
}
/* The same of vectors in memory, whose upper halves then take no permutation. */
FASTACT_INLINE void wide_add_at(wide *s, const real *p) {
    for (int k = 0; k < 2 * PARTS; k++) s->v[k] += nwiden(p + k * (NLANES / 2));
}
FASTACT_INLINE void wide_add_product_at(wide *s, const real *p, const real *q) {
    for (int k = 0; k < 2 * PARTS; k++) s->v[k] = dfma(nwiden(p + k * (NLANES / 2)), nwiden(q + k * (NLANES / 2)), s->v[k]);
}
/* The lanes added as a tree: each to the one half the width away. First, until one register holds them: */
FASTACT_INLINE dvec wide_fold(const wide *s) {
    dvec v[PARTS];
    for (int k = 0; k < PARTS; k++) v[k] = s->v[k] + s->v[k + PARTS];
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++) v[k] += v[k + half];
    return v[0];
}
FASTACT_INLINE fastact_pair wide_total(wide s) {
    dvec sum = wide_fold(&s);
    for (int half = NLANES / 4; half; half /= 2) sum += dupper(sum, half);
    return (fastact_pair){dfirst(sum), 0};
}
/* Lane by lane: the sums of s and t, in s; */
FASTACT_INLINE void wide_join(wide *s, wide t) {
    for (int k = 0; k < 2 * PARTS; k++) s->v[k] += t.v[k];
}
FASTACT_INLINE wide wide_normal(wide s) { return s; }
/* a in every lane. */
FASTACT_INLINE wide wide_set(fastact_pair a) {
    wide s;
    for (int k = 0; k < 2 * PARTS; k++) s.v[k] = dset(a.hi + a.lo);
    return s;
}
FASTACT_INLINE wide wide_of_pairs(const fastact_pair *pairs) {
    double both[LANES];
    wide s;
    for (int j = 0; j < LANES; j++) both[j] = pairs[j].hi + pairs[j].lo;
    memcpy(&s, both, sizeof s);
    return s;
}
FASTACT_INLINE fastact_pair wide_lane(wide s, ptrdiff_t j) {
    double lane[LANES];
    memcpy(lane, &s, sizeof lane);
    return (fastact_pair){lane[j], 0};
}
FASTACT_INLINE vec wide_rounded(wide s) { vec r; EACH r.v[k] = nnarrow(s.v[2 * k], s.v[2 * k + 1]); return r; }
FASTACT_INLINE vec wide_plus(vec a, wide s) {
    wide_add(&s, a);
    return wide_rounded(s);
}
/* s as a + b, b what rounding takes from a; */
FASTACT_INLINE void wide_halves(wide s, vec *a, vec *b) {
    *a = wide_rounded(s);
    wide rounded = wide_of(*a);
    for (int k = 0; k < 2 * PARTS; k++) s.v[k] -= rounded.v[k];
    *b = wide_rounded(s);
    *b = vless_select(vabs(*b), vset(INFINITY), *b, vset(0)); /* an infinite or NaN sum stands alone */
}
/* and 1 / s. */
FASTACT_INLINE void wide_inverse(wide s, vec *a, vec *b) {
    for (int k = 0; k < 2 * PARTS; k++) s.v[k] = dset(1) / s.v[k];
    wide_halves(s, a, b);
}

#else

typedef struct {
    vec hi, lo;
} wide;

FASTACT_INLINE wide wide_zero(void) { return (wide){vset(0), vset(0)}; }
FASTACT_INLINE wide wide_of(vec a) { return (wide){a, vset(0)}; }
FASTACT_INLINE void wide_add(wide *s, vec a) {
    EACH {
        nvec hi = s->hi.v[k] + a.v[k], v = hi - s->hi.v[k];
        s->lo.v[k] += (s->hi.v[k] - (hi - v)) + (a.v[k] - v);
        s->hi.v[k] = hi;
    }
}
FASTACT_INLINE void wide_add_product(wide *s, vec a, vec b) {
    EACH {
        nvec p = a.v[k] * b.v[k];
        s->lo.v[k] += nfma(a.v[k], b.v[k], -p);
    }
    wide_add(s, vmul(a, b));
}
FASTACT_INLINE void wide_add_at(wide *s, const real *p) { wide_add(s, vload(p)); }
FASTACT_INLINE void wide_add_product_at(wide *s, const real *p, const real *q) { wide_add_product(s, vload(p), vload(q)); }
FASTACT_INLINE void add_pairs(nvec *hi, nvec *lo, nvec other_hi, nvec other_lo) {
    nvec s = *hi + other_hi, v = s - *hi;
    *lo = *lo + other_lo + ((*hi - (s - v)) + (other_hi - v));
    *hi = s;
}
FASTACT_INLINE register_pair wide_fold(const wide *s) {
    register_pair v[PARTS];
    EACH v[k] = (register_pair){s->hi.v[k], s->lo.v[k]};
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++) add_pairs(&v[k].hi, &v[k].lo, v[k + half].hi, v[k + half].lo);
    return v[0];
}
FASTACT_INLINE fastact_pair wide_total(wide s) {
    register_pair sum = wide_fold(&s);
    for (int half = NLANES / 2; half; half /= 2) add_pairs(&sum.hi, &sum.lo, nupper(sum.hi, half), nupper(sum.lo, half));
    return renormalise(nfirst(sum.hi), nfirst(sum.lo));
}
FASTACT_INLINE void wide_join(wide *s, wide t) { EACH add_pairs(&s->hi.v[k], &s->lo.v[k], t.hi.v[k], t.lo.v[k]); }
FASTACT_INLINE wide wide_normal(wide s) {
    vec hi = vadd(s.hi, s.lo), v = vsub(hi, s.hi), lo = vadd(vsub(s.hi, vsub(hi, v)), vsub(s.lo, v)), limit = vset(INFINITY);
    return (wide){vless_select(vabs(lo), limit, hi, s.hi), vless_select(vabs(lo), limit, lo, vset(0))};
}
FASTACT_INLINE wide wide_set(fastact_pair a) { return (wide){vset(a.hi), vset(a.lo)}; }
FASTACT_INLINE wide wide_of_pairs(const fastact_pair *pairs) {
    real hi[LANES], lo[LANES];
    for (int j = 0; j < LANES; j++) hi[j] = pairs[j].hi, lo[j] = pairs[j].lo;
    return (wide){vload(hi), vload(lo)};
}
FASTACT_INLINE fastact_pair wide_lane(wide s, ptrdiff_t j) {
    real hi[LANES], lo[LANES];
    vstore(hi, s.hi);
    vstore(lo, s.lo);
    return (fastact_pair){hi[j], lo[j]};
}
FASTACT_INLINE vec wide_rounded(wide s) { return vadd(s.hi, s.lo); }
FASTACT_INLINE vec wide_plus(vec a, wide s) {
    vec sum = vadd(a, s.hi), v = vsub(sum, a);
    return vadd(sum, vadd(vadd(vsub(a, vsub(sum, v)), vsub(s.hi, v)), s.lo));
}
FASTACT_INLINE void wide_halves(wide s, vec *a, vec *b) {
    *a = s.hi;
    *b = s.lo;
}
FASTACT_INLINE void wide_inverse(wide s, vec *a, vec *b) {
    vec q = vdiv(vset(1), s.hi), left = vsub(vfma(vneg(q), s.hi, vset(1)), vmul(q, s.lo));
    wide_halves(wide_normal((wide){q, vdiv(left, s.hi)}), a, b);
}

#endif

/* A sum of entries from 0 to `start`, exact but for rounding errors of rounding errors: as a lane of `hi` begins with `start` and
   so is never smaller than what is added, (hi - z) + a is what the rounding of z = hi + a lost, exactly (Dekker). */
typedef struct {
    vec hi, lost;
} exact_sum;

FASTACT_INLINE exact_sum exact_zero(real start) { return (exact_sum){vset(start), vset(0)}; }
FASTACT_INLINE void exact_add(exact_sum *s, vec a) {
    EACH {
        nvec z = s->hi.v[k] + a.v[k];
        s->lost.v[k] += (s->hi.v[k] - z) + a.v[k];
        s->hi.v[k] = z;
    }
}
/* Lane by lane: the sums of s and t, in s, for lanes of both in one octave: there (hi - z) + a is exact whichever is larger. */
FASTACT_INLINE void join_registers(nvec *hi, nvec *lost, nvec other_hi, nvec other_lost) {
    nvec z = *hi + other_hi;
    *lost = *lost + other_lost + ((*hi - z) + other_hi);
    *hi = z;
}
FASTACT_INLINE void exact_join(exact_sum *s, exact_sum t) { EACH join_registers(&s->hi.v[k], &s->lost.v[k], t.hi.v[k], t.lost.v[k]); }
FASTACT_INLINE wide exact_wide(exact_sum s, real start) {
    vec sum = vsub(s.hi, vset(start)); /* exact */
#if FASTACT_REAL == 32
    wide w = wide_of(sum);
    wide_add(&w, s.lost);
    return w;
#else
    return (wide){sum, s.lost};
#endif
}
FASTACT_INLINE fastact_pair exact_total(exact_sum s, real start) { return wide_total(exact_wide(s, start)); }
/* The same for lanes in one octave, joined before they are widened. */
FASTACT_INLINE register_pair exact_fold_few(const exact_sum *s) {
    register_pair v[PARTS];
    EACH v[k] = (register_pair){s->hi.v[k], s->lost.v[k]};
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++) join_registers(&v[k].hi, &v[k].lo, v[k + half].hi, v[k + half].lo);
    return v[0];
}
FASTACT_INLINE fastact_pair exact_total_of_few(exact_sum s, real start) {
    register_pair sum = exact_fold_few(&s);
    for (int half = NLANES / 2; half; half /= 2) join_registers(&sum.hi, &sum.lo, nupper(sum.hi, half), nupper(sum.lo, half));
    return renormalise((double)nfirst(sum.hi) - (double)start * LANES, nfirst(sum.lo));
}
