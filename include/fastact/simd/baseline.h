/* Every x86-64 processor: SSE2, four registers make a virtual vector. There is no FMA here, so nfma computes it from exact
   parts: the kernels' error bounds hold, but the last bit may differ from the instruction sets that have one. */
#include <emmintrin.h>
#include "fastact/simd/target-inl.h"

/* Lanes half to 2 half - 1 moved to lanes 0 to half - 1; the others are of no account. */
FASTACT_INLINE __m128d dupper(__m128d a, int half) { return half == 1 ? _mm_unpackhi_pd(a, a) : a; }
FASTACT_INLINE double dfirst(__m128d a) { return _mm_cvtsd_f64(a); }

#if FASTACT_REAL == 32

#define NLANES 4
typedef __m128 nvec;
typedef __m128d dvec;

FASTACT_INLINE __m128i nmask(ptrdiff_t k) { return _mm_cmpgt_epi32(_mm_set1_epi32((int)k), _mm_setr_epi32(0, 1, 2, 3)); }
FASTACT_INLINE nvec nset(real a) { return _mm_set1_ps(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm_loadu_ps(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm_storeu_ps(p, a); }
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
FASTACT_INLINE nvec nequal_select(nvec a, nvec b, nvec d, nvec c) { return _mm_or_ps(_mm_and_ps(_mm_cmpeq_ps(a, b), d), _mm_andnot_ps(_mm_cmpeq_ps(a, b), c)); }
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
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) {
    return _mm_and_pd(a, _mm_castsi128_pd(_mm_set_epi64x(-(long long)(k > 1), -(long long)(k > 0))));
}
/* Dekker's product and Knuth's sum: a b + c with the rounding errors of both added at the end. */
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) {
    nvec split = nset(134217729.0), t = a * split, u = b * split; /* 2^27 + 1 */
    nvec ah = t - (t - a), al = a - ah, bh = u - (u - b), bl = b - bh;
    nvec p = a * b, product_error = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
    nvec s = p + c, v = s - p, sum_error = (p - (s - v)) + (c - v);
    nvec r = s + (sum_error + product_error);
    /* An infinity or NaN, or a product too large to split, makes the errors NaN, and they underflow with a tiny product; the plain
       result stands. */
    nvec finite = _mm_and_pd(_mm_cmpord_pd(r, r), _mm_cmpgt_pd(_mm_andnot_pd(nset(-0.0), p), nset(0x1p-960)));
    return _mm_or_pd(_mm_and_pd(finite, r), _mm_andnot_pd(finite, s));
}
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return a * b + c; }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm_max_pd(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm_min_pd(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(t), 52)); }
FASTACT_INLINE nvec nequal_select(nvec a, nvec b, nvec d, nvec c) { return _mm_or_pd(_mm_and_pd(_mm_cmpeq_pd(a, b), d), _mm_andnot_pd(_mm_cmpeq_pd(a, b), c)); }
FASTACT_INLINE unsigned nequal(nvec a, nvec b) { return (unsigned)_mm_movemask_pd(_mm_cmpeq_pd(a, b)); }
FASTACT_INLINE nvec nupper(nvec a, int half) { return dupper(a, half); }
FASTACT_INLINE real nfirst(nvec a) { return dfirst(a); }

#endif
#define FASTACT_PART_BY_COPY
