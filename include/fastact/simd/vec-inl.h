/* The virtual vector of the row kernels: 64 bytes (16 float32 or 8 float64) on every instruction set, so that sums are taken in one
   order everywhere. Activations have no sums: theirs is as many registers as keep the processor busy (SIDE_BY_SIDE, measured); and
   where each lane is a row of its own, one register will do: for rows of up to SHORT entries (logarithms: SHORT_LOGARITHM;
   gradients: SHORT_GRADIENT, of float16 SHORT_HALF_GRADIENT), measured; as are LONGEST_EXPONENTIALS, see are_one_by_one.
   An instruction set gives the operations on its own registers (nvec, n...); here they are lifted to all the registers of a vec. */
#if defined(FASTACT_ACTIVATION_KERNELS)
#define VECTOR (SIDE_BY_SIDE * sizeof(nvec))
#elif defined(FASTACT_LANE_KERNELS)
#define VECTOR sizeof(nvec)
#else
#define VECTOR 64
#endif
#ifndef SHORT_LOGARITHM
#define SHORT_LOGARITHM SHORT
#endif
#ifndef SHORT_HALF_GRADIENT
#define SHORT_HALF_GRADIENT SHORT_GRADIENT
#endif
#define LONGER(a, b) ((a) < (b) ? (b) : (a))
#define LONGEST_SHORT LONGER(LONGER(SHORT, SHORT_LOGARITHM), LONGER(SHORT_GRADIENT, SHORT_HALF_GRADIENT))
#define ROW_LANES ((ptrdiff_t)(64 / sizeof(real)))
#define LANES ((ptrdiff_t)(VECTOR / sizeof(real)))
#define PARTS (LANES / NLANES)

typedef struct {
    nvec v[VECTOR / sizeof(nvec)];
} vec;

#define EACH for (int k = 0; k < PARTS; k++)

#ifdef FASTACT_PART_BY_COPY
FASTACT_INLINE nvec nload_part(const real *p, ptrdiff_t k, real fill) {
    real lane[NLANES];
    for (int j = 0; j < NLANES; j++) lane[j] = j < k ? p[j] : fill;
    return nload(lane);
}
FASTACT_INLINE void nstore_part(real *p, nvec a, ptrdiff_t k) {
    real lane[NLANES];
    nstore(lane, a);
    for (int j = 0; j < NLANES && j < k; j++) p[j] = lane[j];
}
#endif

FASTACT_INLINE vec vset(real a) { vec r; EACH r.v[k] = nset(a); return r; }
FASTACT_INLINE vec vload(const real *p) { vec r; EACH r.v[k] = nload(p + k * NLANES); return r; }
FASTACT_INLINE void vstore(real *p, vec a) { EACH nstore(p + k * NLANES, a.v[k]); }
/* To p, at the start of a cache line, past the caches; nfence() after the last one. */
FASTACT_INLINE void vstream(real *p, vec a) { EACH nstream(p + k * NLANES, a.v[k]); }
/* Registers of which nothing is in memory are left out where there are up to four: a masked access takes 300 ns in a page that is not there. */
#ifdef FASTACT_ACTIVATION_KERNELS
#define NO_PART(k, count) ((k) > 0 && (count) <= (k) * NLANES)
#else
#define NO_PART(k, count) 0
#endif
/* The first `count` lanes from memory and `fill` in the others, which are not read; count may exceed the lanes. */
FASTACT_INLINE vec vload_part(const real *p, ptrdiff_t count, real fill) {
    vec r; EACH r.v[k] = NO_PART(k, count) ? nset(fill) : nload_part(p + k * NLANES, count - k * NLANES, fill); return r;
}
FASTACT_INLINE void vstore_part(real *p, vec a, ptrdiff_t count) {
    EACH if (!NO_PART(k, count)) nstore_part(p + k * NLANES, a.v[k], count - k * NLANES);
}
/* +0 in all lanes from `count` on. */
FASTACT_INLINE vec vkeep(vec a, ptrdiff_t count) { EACH a.v[k] = nkeep(a.v[k], count - k * NLANES); return a; }

FASTACT_INLINE vec vadd(vec a, vec b) { EACH a.v[k] = a.v[k] + b.v[k]; return a; }
FASTACT_INLINE vec vsub(vec a, vec b) { EACH a.v[k] = a.v[k] - b.v[k]; return a; }
FASTACT_INLINE vec vmul(vec a, vec b) { EACH a.v[k] = a.v[k] * b.v[k]; return a; }
FASTACT_INLINE vec vdiv(vec a, vec b) { EACH a.v[k] = a.v[k] / b.v[k]; return a; }
FASTACT_INLINE vec vneg(vec a) { return vsub(vset((real)-0.0), a); }
/* a b + c in one rounding; vmadd where one rounding or two makes no odds. */
FASTACT_INLINE vec vfma(vec a, vec b, vec c) { EACH a.v[k] = nfma(a.v[k], b.v[k], c.v[k]); return a; }
FASTACT_INLINE vec vmadd(vec a, vec b, vec c) { EACH a.v[k] = nmadd(a.v[k], b.v[k], c.v[k]); return a; }
/* b where either is NaN. */
FASTACT_INLINE vec vmax(vec a, vec b) { EACH a.v[k] = nmax(a.v[k], b.v[k]); return a; }
FASTACT_INLINE vec vmin(vec a, vec b) { EACH a.v[k] = nmin(a.v[k], b.v[k]); return a; }
/* The low bits of t become the exponent field of a power of two. */
FASTACT_INLINE vec vshift_to_exponent(vec t) { EACH t.v[k] = nshift_to_exponent(t.v[k]); return t; }
/* floor(log2 a) for positive normal a. */
FASTACT_INLINE vec vexponent(vec a) { EACH a.v[k] = nexponent(a.v[k]); return a; }
/* table[low two bits of t], of entries as wide as a lane. */
FASTACT_INLINE vec vlookup(const void *table, vec t) { EACH t.v[k] = nlookup(table, t.v[k]); return t; }
#if FASTACT_REAL == 32
/* The number in the middle of the quarter of an octave in which a lies, and its beginning. a > 0. */
FASTACT_INLINE vec vquarter_middle(vec a) { EACH a.v[k] = nquarter_middle(a.v[k]); return a; }
FASTACT_INLINE vec vquarter_beginning(vec a) { EACH a.v[k] = nquarter_beginning(a.v[k]); return a; }
/* A table of 16 polynomials of degree 5: LIST(ROW) has one ROW(constant term, ...) for each. It lies in memory by coefficients, each
   one for all polynomials. */
#define TERM_0(c0, c1, c2, c3, c4, c5) c0,
#define TERM_1(c0, c1, c2, c3, c4, c5) c1,
#define TERM_2(c0, c1, c2, c3, c4, c5) c2,
#define TERM_3(c0, c1, c2, c3, c4, c5) c3,
#define TERM_4(c0, c1, c2, c3, c4, c5) c4,
#define TERM_5(c0, c1, c2, c3, c4, c5) c5,
#define POLYNOMIALS(name, LIST) static const real name[] = {LIST(TERM_0) LIST(TERM_1) LIST(TERM_2) LIST(TERM_3) LIST(TERM_4) LIST(TERM_5)}
/* At u, the polynomial of degree d whose number is the low four bits of that of the quarter of an octave in which a lies. a > 0. */
FASTACT_INLINE vec vpolynomial16(const real *table, int d, vec a, vec u) {
    vec part, y;
    EACH part.v[k] = nquarter(a.v[k]);
    EACH y.v[k] = nlookup16(table + 16 * d, part.v[k]);
    for (int i = d - 1; i >= 0; i--)
        EACH y.v[k] = nmadd(y.v[k], u.v[k], nlookup16(table + 16 * i, part.v[k]));
    return y;
}
#endif
/* The bits of t, two places lower than an exponent's, added to those of s. */
FASTACT_INLINE vec vadd_quarters(vec s, vec t) { EACH s.v[k] = nadd_quarters(s.v[k], t.v[k]); return s; }
/* yes where a < b, no elsewhere; a where it is NaN, no elsewhere. */
FASTACT_INLINE vec vless_select(vec a, vec b, vec yes, vec no) { EACH no.v[k] = nless_select(a.v[k], b.v[k], yes.v[k], no.v[k]); return no; }
FASTACT_INLINE vec vnan_select(vec a, vec no) { EACH no.v[k] = nnan_select(a.v[k], no.v[k]); return no; }
/* Whether any lane lies below the limit, or its magnitude above; NaN may count as if it did. */
FASTACT_INLINE int vany_below(vec a, real limit) {
    nvec least = a.v[0];
    for (int k = 1; k < PARTS; k++) least = nmin(a.v[k], least); /* no number replaces NaN */
    return !nall_less_equal(nset(limit), least);
}
FASTACT_INLINE int vany_beyond(vec a, real limit) {
    nvec largest = nabs(a.v[0]);
    for (int k = 1; k < PARTS; k++) largest = nmax(nabs(a.v[k]), largest);
    return !nall_less_equal(largest, nset(limit));
}
/* a with b's sign. */
FASTACT_INLINE vec vcopysign(vec a, vec b) { EACH a.v[k] = ncopysign(a.v[k], b.v[k]); return a; }
FASTACT_INLINE vec vabs(vec a) { EACH a.v[k] = nabs(a.v[k]); return a; }
/* The registers of a vector joined, half of them with the other half, until there is one: */
FASTACT_INLINE nvec vfold_max(vec a) {
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++) a.v[k] = nmax(a.v[k], a.v[k + half]);
    return a.v[0];
}
FASTACT_INLINE nvec vfold_sum(vec a) { /* of small integers: in no special order */
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++) a.v[k] = a.v[k] + a.v[k + half];
    return a.v[0];
}
FASTACT_INLINE real vsum_lanes(vec a) {
    nvec s = vfold_sum(a);
    for (int half = NLANES / 2; half; half /= 2) s = s + nupper(s, half);
    return nfirst(s);
}
FASTACT_INLINE real vfirst(vec a) { return nfirst(a.v[0]); }
/* The largest lane. */
FASTACT_INLINE real vmax_lanes(vec a) {
    nvec m = vfold_max(a);
    for (int half = NLANES / 2; half; half /= 2) m = nmax(m, nupper(m, half));
    return nfirst(m);
}

#ifdef FASTACT_LANE_KERNELS
/* The first entries of the pairs in a and b, and the second ones, in an order of the instruction set's own; and pairs again. */
FASTACT_INLINE vec vfirsts(vec a, vec b) { EACH a.v[k] = nfirsts(a.v[k], b.v[k]); return a; }
FASTACT_INLINE vec vseconds(vec a, vec b) { EACH a.v[k] = nseconds(a.v[k], b.v[k]); return a; }
FASTACT_INLINE vec vpairs_low(vec a, vec b) { EACH a.v[k] = npairs_low(a.v[k], b.v[k]); return a; }
FASTACT_INLINE vec vpairs_high(vec a, vec b) { EACH a.v[k] = npairs_high(a.v[k], b.v[k]); return a; }
/* n vectors, a power of two: log2 n times the lanes of v[j] and v[j + n/2] in turn become v[2 j] and v[2 j + 1]; and back. */
FASTACT_INLINE void vinterleave(vec *v, int n) {
    for (int step = 1; step < n; step *= 2) {
        vec w[LANES];
        for (int j = 0; j < n; j++) w[j] = v[j];
        for (int j = 0; j < n / 2; j++) {
            v[2 * j] = vpairs_low(w[j], w[j + n / 2]);
            v[2 * j + 1] = vpairs_high(w[j], w[j + n / 2]);
        }
    }
}
FASTACT_INLINE void vdeinterleave(vec *v, int n) {
    for (int step = 1; step < n; step *= 2) {
        vec w[LANES];
        for (int j = 0; j < n; j++) w[j] = v[j];
        for (int j = 0; j < n / 2; j++) {
            v[j] = vfirsts(w[2 * j], w[2 * j + 1]);
            v[j + n / 2] = vseconds(w[2 * j], w[2 * j + 1]);
        }
    }
}
/* LANES vectors as a square matrix: lane i of v[j] and lane j of v[i] change places. */
FASTACT_INLINE void transpose(vec *v) {
#ifdef FASTACT_OWN_TRANSPOSE
    ntranspose(&v->v[0]);
#else
    vinterleave(v, NLANES);
#endif
}
#endif
