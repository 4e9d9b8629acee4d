/* Every x86-64 processor: SSE2, four registers make a virtual vector. There is no FMA here, so nfma computes it from exact
   parts: the kernels' error bounds hold, but the last bit may differ from the instruction sets that have one. */
#include <emmintrin.h>
#include "fastact/simd/target-inl.h"

/* Lanes half to 2 half - 1 moved to lanes 0 to half - 1; the others are of no account. */
FASTACT_INLINE __m128d dupper(__m128d a, int half) { return half == 1 ? _mm_unpackhi_pd(a, a) : a; }
FASTACT_INLINE double dfirst(__m128d a) { return _mm_cvtsd_f64(a); }
FASTACT_INLINE void nfence(void) { _mm_sfence(); }

#if FASTACT_REAL == 32

#define NLANES 4
typedef __m128 nvec;
typedef __m128d dvec;

FASTACT_INLINE __m128i nmask(ptrdiff_t k) { return _mm_cmpgt_epi32(_mm_set1_epi32((int)k), _mm_setr_epi32(0, 1, 2, 3)); }
FASTACT_INLINE nvec nset(real a) { return _mm_set1_ps(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm_loadu_ps(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm_storeu_ps(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm_stream_ps(p, a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) { return _mm_and_ps(a, _mm_castsi128_ps(nmask(k))); }
FASTACT_INLINE dvec nwiden_low(nvec a) { return _mm_cvtps_pd(a); }
FASTACT_INLINE dvec nwiden_high(nvec a) { return _mm_cvtps_pd(_mm_movehl_ps(a, a)); }
/* The product of two floats is exact in double: rounding twice costs at most 2^-29 ULP over one rounding. */
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) {
    dvec low = nwiden_low(a) * nwiden_low(b) + nwiden_low(c);
    dvec high = nwiden_high(a) * nwiden_high(b) + nwiden_high(c);
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return a * b + c; }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm_max_ps(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm_min_ps(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(t), 23)); }
FASTACT_INLINE nvec nscale_quarters(const ubits *table, nvec t) {
    __m128i i = _mm_castps_si128(t), j = _mm_and_si128(i, _mm_set1_epi32(3));
    __m128i s = _mm_setr_epi32((int)table[_mm_cvtsi128_si32(j)], (int)table[_mm_extract_epi16(j, 2)], (int)table[_mm_extract_epi16(j, 4)],
                               (int)table[_mm_extract_epi16(j, 6)]);
    return _mm_castsi128_ps(_mm_add_epi32(s, _mm_slli_epi32(i, 21)));
}
FASTACT_INLINE unsigned nequal(nvec a, nvec b) { return (unsigned)_mm_movemask_ps(_mm_cmpeq_ps(a, b)); }
FASTACT_INLINE dvec dfma(dvec a, dvec b, dvec c) { return a * b + c; } /* a and b hold floats: the product is exact */
#define FASTACT_SCALAR_HALF
FASTACT_INLINE nvec nupper(nvec a, int half) { return half == 2 ? _mm_movehl_ps(a, a) : _mm_shuffle_ps(a, a, 0xF5); }
FASTACT_INLINE real nfirst(nvec a) { return _mm_cvtss_f32(a); }

#else

#define NLANES 2
typedef __m128d nvec;

FASTACT_INLINE nvec nset(real a) { return _mm_set1_pd(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm_loadu_pd(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm_storeu_pd(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm_stream_pd(p, a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) {
    return _mm_and_pd(a, _mm_castsi128_pd(_mm_set_epi64x(-(long long)(k > 1), -(long long)(k > 0))));
}
/* Dekker's product and Knuth's sum: a b + c with the rounding errors of both added at the end. The errors of a tiny product would
   underflow: it is computed 2^512 times as large. */
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) {
    nvec plain = a * b + c, tiny = _mm_cmplt_pd(_mm_andnot_pd(nset(-0.0), a * b), nset(0x1p-900));
    nvec up = _mm_or_pd(_mm_and_pd(tiny, nset(0x1p512)), _mm_andnot_pd(tiny, nset(1)));
    nvec down = _mm_or_pd(_mm_and_pd(tiny, nset(0x1p-512)), _mm_andnot_pd(tiny, nset(1)));
    a *= up;
    c *= up;
    nvec split = nset(134217729.0), t = a * split, u = b * split; /* 2^27 + 1 */
    nvec ah = t - (t - a), al = a - ah, bh = u - (u - b), bl = b - bh;
    nvec p = a * b, product_error = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
    nvec s = p + c, v = s - p, sum_error = (p - (s - v)) + (c - v);
    nvec r = (s + (sum_error + product_error)) * down;
    /* An infinity or NaN, or a number too large to split or to be enlarged, makes the errors NaN; the plain result stands. */
    nvec finite = _mm_cmpord_pd(r, r);
    return _mm_or_pd(_mm_and_pd(finite, r), _mm_andnot_pd(finite, plain));
}
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return a * b + c; }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm_max_pd(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm_min_pd(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(t), 52)); }
FASTACT_INLINE nvec nscale_quarters(const ubits *table, nvec t) {
    __m128i i = _mm_castpd_si128(t), j = _mm_and_si128(i, _mm_set1_epi32(3));
    __m128i s = _mm_set_epi64x((long long)table[_mm_extract_epi16(j, 4)], (long long)table[_mm_cvtsi128_si32(j)]);
    return _mm_castsi128_pd(_mm_add_epi64(s, _mm_slli_epi64(i, 50)));
}
FASTACT_INLINE unsigned nequal(nvec a, nvec b) { return (unsigned)_mm_movemask_pd(_mm_cmpeq_pd(a, b)); }
FASTACT_INLINE nvec nupper(nvec a, int half) { return dupper(a, half); }
FASTACT_INLINE real nfirst(nvec a) { return dfirst(a); }

#endif
#define FASTACT_PART_BY_COPY
