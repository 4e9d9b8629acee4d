/* Every x86-64 processor: SSE2, four registers make a virtual vector. There is no FMA here, so nfma computes it from exact
   parts: the kernels' error bounds hold, but the last bit may differ from the instruction sets that have one. */
#include <emmintrin.h>
#include "fastact/simd/target-inl.h"

/* Lanes half to 2 half - 1 moved to lanes 0 to half - 1; the others are of no account. */
FASTACT_INLINE __m128d dupper(__m128d a, int half) { return half == 1 ? _mm_unpackhi_pd(a, a) : a; }
FASTACT_INLINE __m128d dset(double a) { return _mm_set1_pd(a); }
FASTACT_INLINE double dfirst(__m128d a) { return _mm_cvtsd_f64(a); }
FASTACT_INLINE void nfence(void) { _mm_sfence(); }

#if FASTACT_REAL == 32

#define SIDE_BY_SIDE 2
#define SHORT 64
#define SHORT_GRADIENT 32
#define LONGEST_EXPONENTIALS FASTACT_CHUNK
#define NLANES 4
typedef __m128 nvec;
typedef __m128d dvec;

FASTACT_INLINE __m128i nmask(ptrdiff_t k) { return _mm_cmpgt_epi32(_mm_set1_epi32((int)k), _mm_setr_epi32(0, 1, 2, 3)); }
FASTACT_INLINE nvec nset(real a) { return _mm_set1_ps(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm_loadu_ps(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm_storeu_ps(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm_stream_ps(p, a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) { return _mm_and_ps(a, _mm_castsi128_ps(nmask(k))); }
FASTACT_INLINE dvec nwiden(const real *p) { return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p))); }
FASTACT_INLINE dvec nwiden_low(nvec a) { return _mm_cvtps_pd(a); }
FASTACT_INLINE dvec nwiden_high(nvec a) { return _mm_cvtps_pd(_mm_movehl_ps(a, a)); }
FASTACT_INLINE nvec nnarrow(dvec low, dvec high) { return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high)); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return _mm_shuffle_ps(a, b, 0x88); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return _mm_shuffle_ps(a, b, 0xDD); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return _mm_unpacklo_ps(a, b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return _mm_unpackhi_ps(a, b); }
/* The product of two floats is exact in double: rounding twice costs at most 2^-29 ULP over one rounding. */
FASTACT_APART nvec nfma(nvec a, nvec b, nvec c) {
    dvec low = nwiden_low(a) * nwiden_low(b) + nwiden_low(c);
    dvec high = nwiden_high(a) * nwiden_high(b) + nwiden_high(c);
    return nnarrow(low, high);
}
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return a * b + c; }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm_max_ps(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm_min_ps(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(t), 23)); }
FASTACT_INLINE nvec nexponent(nvec a) { /* the field as the low bits of 2**23 */
    __m128i field = _mm_or_si128(_mm_srli_epi32(_mm_castps_si128(a), 23), _mm_castps_si128(nset(0x1p23f)));
    return _mm_sub_ps(_mm_castsi128_ps(field), nset(0x1p23f + 127));
}
FASTACT_INLINE nvec npick(const real *table, nvec t, int mask) {
    __m128i j = _mm_and_si128(_mm_castps_si128(t), _mm_set1_epi32(mask));
    return _mm_setr_ps(table[_mm_cvtsi128_si32(j)], table[_mm_extract_epi16(j, 2)], table[_mm_extract_epi16(j, 4)], table[_mm_extract_epi16(j, 6)]);
}
FASTACT_INLINE nvec nlookup(const void *table, nvec t) { return npick(table, t, 3); }
FASTACT_INLINE nvec nlookup16(const real *table, nvec t) { return npick(table, t, 15); }
FASTACT_INLINE nvec nquarter(nvec a) { return _mm_castsi128_ps(_mm_srli_epi32(_mm_castps_si128(a), 21)); }
FASTACT_INLINE nvec nquarter_beginning(nvec a) { return _mm_and_ps(a, _mm_castsi128_ps(_mm_set1_epi32(-(1 << 21)))); }
FASTACT_INLINE nvec nquarter_middle(nvec a) { return _mm_or_ps(nquarter_beginning(a), _mm_castsi128_ps(_mm_set1_epi32(1 << 20))); }
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(s), _mm_slli_epi32(_mm_castps_si128(t), 21)));
}
FASTACT_INLINE nvec nmask_select(nvec mask, nvec yes, nvec no) { return _mm_or_ps(_mm_and_ps(mask, yes), _mm_andnot_ps(mask, no)); }
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return nmask_select(_mm_cmplt_ps(a, b), yes, no); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return nmask_select(_mm_cmpunord_ps(a, a), a, no); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return _mm_movemask_ps(_mm_cmpnle_ps(a, b)) == 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) { return nmask_select(nset(-0.0f), b, a); }
FASTACT_INLINE nvec nabs(nvec a) { return _mm_andnot_ps(nset(-0.0f), a); }
FASTACT_INLINE dvec dfma(dvec a, dvec b, dvec c) { return a * b + c; } /* exact but for the sum where a and b hold floats */
#define FASTACT_SCALAR_HALF
FASTACT_INLINE nvec nupper(nvec a, int half) { return half == 2 ? _mm_movehl_ps(a, a) : _mm_shuffle_ps(a, a, 0xF5); }
FASTACT_INLINE real nfirst(nvec a) { return _mm_cvtss_f32(a); }

#else

#define SIDE_BY_SIDE 2
#define SHORT 64
#define SHORT_GRADIENT 32
#define LONGEST_EXPONENTIALS 128
#define NLANES 2
typedef __m128d nvec;

FASTACT_INLINE nvec nset(real a) { return _mm_set1_pd(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm_loadu_pd(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm_storeu_pd(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm_stream_pd(p, a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) {
    return _mm_and_pd(a, _mm_castsi128_pd(_mm_set_epi64x(-(long long)(k > 1), -(long long)(k > 0))));
}
FASTACT_INLINE nvec nmask_select(nvec mask, nvec yes, nvec no) { return _mm_or_pd(_mm_and_pd(mask, yes), _mm_andnot_pd(mask, no)); }
FASTACT_INLINE nvec nlarge(nvec a) { return _mm_cmplt_pd(nset(0x1p900), _mm_andnot_pd(nset(-0.0), a)); }

/* Dekker's product and Knuth's sum: a b + c with the rounding errors of both added at the end. The errors of a tiny product would
   underflow: it is computed 2^512 times as large. A factor too large to split is taken 2^128 times smaller. */
FASTACT_APART nvec nfma(nvec a, nvec b, nvec c) {
    nvec plain = a * b + c, one = nset(1), less = nset(0x1p-128), tiny = _mm_cmplt_pd(_mm_andnot_pd(nset(-0.0), a * b), nset(0x1p-900));
    nvec large = nlarge(a), up = nmask_select(tiny, nset(0x1p512), one), of_a = nmask_select(large, less, up);
    nvec of_b = nmask_select(large, up, nmask_select(nlarge(b), less, one)), down = one / of_a / of_b;
    a *= of_a;
    b *= of_b;
    c = c * of_a * of_b;
    nvec split = nset(134217729.0), t = a * split, u = b * split; /* 2^27 + 1 */
    nvec ah = t - (t - a), al = a - ah, bh = u - (u - b), bl = b - bh;
    nvec p = a * b, product_error = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
    nvec s = p + c, v = s - p, sum_error = (p - (s - v)) + (c - v);
    nvec r = (s + (sum_error + product_error)) * down;
    /* An infinity or NaN, or a number too large to split or to be enlarged, makes the errors NaN; the plain result stands. */
    nvec fine = _mm_cmplt_pd(nset(0), _mm_andnot_pd(nset(-0.0), r)); /* the plain result has the sign of a zero, too */
    return _mm_or_pd(_mm_and_pd(fine, r), _mm_andnot_pd(fine, plain));
}
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return a * b + c; }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm_max_pd(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm_min_pd(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(t), 52)); }
FASTACT_INLINE nvec nexponent(nvec a) { /* the field as the low bits of 2**52 */
    __m128i field = _mm_or_si128(_mm_srli_epi64(_mm_castpd_si128(a), 52), _mm_castpd_si128(nset(0x1p52)));
    return _mm_sub_pd(_mm_castsi128_pd(field), nset(0x1p52 + 1023));
}
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    const real *entry = table;
    __m128i j = _mm_and_si128(_mm_castpd_si128(t), _mm_set1_epi32(3));
    return _mm_setr_pd(entry[_mm_cvtsi128_si32(j)], entry[_mm_extract_epi16(j, 4)]);
}
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return _mm_castsi128_pd(_mm_add_epi64(_mm_castpd_si128(s), _mm_slli_epi64(_mm_castpd_si128(t), 50)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return nmask_select(_mm_cmplt_pd(a, b), yes, no); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return nmask_select(_mm_cmpunord_pd(a, a), a, no); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return _mm_movemask_pd(_mm_cmpnle_pd(a, b)) == 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) { return nmask_select(nset(-0.0), b, a); }
FASTACT_INLINE nvec nabs(nvec a) { return _mm_andnot_pd(nset(-0.0), a); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return _mm_unpacklo_pd(a, b); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return _mm_unpackhi_pd(a, b); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return _mm_unpacklo_pd(a, b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return _mm_unpackhi_pd(a, b); }
FASTACT_INLINE nvec nupper(nvec a, int half) { return dupper(a, half); }
FASTACT_INLINE real nfirst(nvec a) { return dfirst(a); }

#endif
#define FASTACT_PART_BY_COPY
