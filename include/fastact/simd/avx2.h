/* AVX2 with FMA and F16C: two registers make a virtual vector. */
#include <immintrin.h>
#define FASTACT_TARGET "avx2,fma,f16c"
#include "fastact/simd/target-inl.h"

/* Lanes half to 2 half - 1 moved to lanes 0 to half - 1; the others are of no account. */
FASTACT_INLINE __m256d dupper(__m256d a, int half) {
    return half == 2 ? _mm256_castpd128_pd256(_mm256_extractf128_pd(a, 1)) : _mm256_permute_pd(a, 0x5);
}
#define FASTACT_GROUPS /* see run_groups */
/* Of each 2 `half` lanes the lower and the upper half, those of a beside those of b. */
FASTACT_INLINE void dhalves(int half, __m256d a, __m256d b, __m256d *low, __m256d *high) {
    *low = half == 2 ? _mm256_permute2f128_pd(a, b, 0x20) : _mm256_unpacklo_pd(a, b);
    *high = half == 2 ? _mm256_permute2f128_pd(a, b, 0x31) : _mm256_unpackhi_pd(a, b);
}
FASTACT_INLINE __m256d dset(double a) { return _mm256_set1_pd(a); }
FASTACT_INLINE double dfirst(__m256d a) { return _mm256_cvtsd_f64(a); }
FASTACT_INLINE void nfence(void) { _mm_sfence(); }

#if FASTACT_REAL == 32

#define SIDE_BY_SIDE 2
#define SHORT 26
#define SHORT_LOGARITHM 18
#define SHORT_GRADIENT 16
#define SHORT_HALF_GRADIENT 32
#define LONGEST_EXPONENTIALS FASTACT_CHUNK
#define NLANES 8
typedef __m256 nvec;
typedef __m256d dvec;

/* All bits set in the lanes below k. */
FASTACT_INLINE __m256i nmask(ptrdiff_t k) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)k), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
FASTACT_INLINE nvec nset(real a) { return _mm256_set1_ps(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm256_loadu_ps(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm256_storeu_ps(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm256_stream_ps(p, a); }
FASTACT_INLINE nvec nload_part(const real *p, ptrdiff_t k, real fill) {
    __m256i m = nmask(k);
    return _mm256_castsi256_ps(_mm256_castps_si256(_mm256_maskload_ps(p, m)) | (~m & _mm256_castps_si256(nset(fill))));
}
/* In halves: a masked store is microcode on AMD's processors before Zen 4, and takes 12 cycles. */
FASTACT_INLINE void nstore_part(real *p, nvec a, ptrdiff_t k) {
    if (k >= NLANES) {
        nstore(p, a);
        return;
    }
    if (k <= 0) return;
    __m128 part = _mm256_castps256_ps128(a);
    if (k & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    if (k & 2) {
        _mm_storel_pi((__m64 *)(void *)p, part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if (k & 1) _mm_store_ss(p, part);
}
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) { return _mm256_and_ps(a, _mm256_castsi256_ps(nmask(k))); }
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) { return _mm256_fmadd_ps(a, b, c); }
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return _mm256_fmadd_ps(a, b, c); }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm256_max_ps(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm256_min_ps(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(t), 23)); }
FASTACT_INLINE nvec nexponent(nvec a) { /* the field as the low bits of 2**23 */
    __m256i field = _mm256_or_si256(_mm256_srli_epi32(_mm256_castps_si256(a), 23), _mm256_castps_si256(nset(0x1p23f)));
    return _mm256_sub_ps(_mm256_castsi256_ps(field), nset(0x1p23f + 127));
}
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    return _mm256_permutevar_ps(_mm256_broadcast_ps((const __m128 *)table), _mm256_castps_si256(t));
}
/* A permutation takes 8 entries and sees the lowest three bits of a number; the fourth chooses between two. */
FASTACT_INLINE nvec nlookup8(const real *table, nvec t) { return _mm256_permutevar8x32_ps(nload(table), _mm256_castps_si256(t)); }
FASTACT_INLINE nvec nlookup16(const real *table, nvec t) {
    nvec fourth = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(t), 28));
    return _mm256_blendv_ps(nlookup8(table, t), nlookup8(table + 8, t), fourth);
}
FASTACT_INLINE nvec nquarter(nvec a) { return _mm256_castsi256_ps(_mm256_srli_epi32(_mm256_castps_si256(a), 21)); }
FASTACT_INLINE nvec nquarter_beginning(nvec a) { return _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-(1 << 21)))); }
FASTACT_INLINE nvec nquarter_middle(nvec a) { return _mm256_or_ps(nquarter_beginning(a), _mm256_castsi256_ps(_mm256_set1_epi32(1 << 20))); }
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(s), _mm256_slli_epi32(_mm256_castps_si256(t), 21)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return _mm256_blendv_ps(no, a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NLE_UQ)) == 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) {
    return _mm256_or_ps(_mm256_andnot_ps(nset(-0.0f), a), _mm256_and_ps(nset(-0.0f), b));
}
FASTACT_INLINE nvec nabs(nvec a) { return _mm256_andnot_ps(nset(-0.0f), a); }
FASTACT_INLINE dvec nwiden(const real *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
FASTACT_INLINE dvec nwiden_low(nvec a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a)); }
FASTACT_INLINE dvec nwiden_high(nvec a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)); }
FASTACT_INLINE nvec nnarrow(dvec low, dvec high) { return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low)); }
FASTACT_INLINE dvec dfma(dvec a, dvec b, dvec c) { return _mm256_fmadd_pd(a, b, c); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return _mm256_shuffle_ps(a, b, 0x88); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return _mm256_shuffle_ps(a, b, 0xDD); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return _mm256_unpacklo_ps(a, b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return _mm256_unpackhi_ps(a, b); }
/* The blocks of 4 x 4 off the diagonal change places, and then all four are transposed. */
#define FASTACT_OWN_TRANSPOSE
FASTACT_INLINE void ntranspose(nvec *v) {
    nvec w[8];
    for (int j = 0; j < 4; j++) {
        w[j] = _mm256_permute2f128_ps(v[j], v[j + 4], 0x20);
        w[j + 4] = _mm256_permute2f128_ps(v[j], v[j + 4], 0x31);
    }
    for (int j = 0; j < 8; j += 4) {
        nvec a = _mm256_unpacklo_ps(w[j], w[j + 1]), b = _mm256_unpackhi_ps(w[j], w[j + 1]);
        nvec c = _mm256_unpacklo_ps(w[j + 2], w[j + 3]), d = _mm256_unpackhi_ps(w[j + 2], w[j + 3]);
        v[j] = _mm256_shuffle_ps(a, c, 0x44);
        v[j + 1] = _mm256_shuffle_ps(a, c, 0xEE);
        v[j + 2] = _mm256_shuffle_ps(b, d, 0x44);
        v[j + 3] = _mm256_shuffle_ps(b, d, 0xEE);
    }
}
FASTACT_INLINE nvec nload_half(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
FASTACT_INLINE void nstore_half(uint16_t *p, nvec a) { _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT)); }
/* k < 8 of them, put together in registers. */
FASTACT_INLINE uint64_t three_halves(const char *p, ptrdiff_t k) {
    uint32_t two = 0;
    uint16_t one = 0;
    if (k & 2) memcpy(&two, p, 4), p += 4;
    if (k & 1) memcpy(&one, p, 2);
    return k & 2 ? two | (uint64_t)one << 32 : one;
}
FASTACT_INLINE nvec nload_half_part(const char *p, ptrdiff_t k) {
    if (k <= 0) return nset(0);
    if (!(k & 4)) return _mm256_cvtph_ps(_mm_cvtsi64_si128((long long)three_halves(p, k)));
    return _mm256_cvtph_ps(_mm_insert_epi64(_mm_loadl_epi64((const __m128i *)(const void *)p), (long long)three_halves(p + 8, k), 1));
}
/* The same where 16 others lie before them, without a branch; k may be negative. */
#define FASTACT_OWN_HALF_END
FASTACT_INLINE nvec nload_half_end(const char *p, ptrdiff_t k) {
    static const int8_t from[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    ptrdiff_t missing = k < 8 ? 8 - k : 0, shift = missing < 8 ? missing : 8;
    __m128i last = _mm_loadu_si128((const __m128i *)(const void *)(p - 2 * missing)); /* the last 8 there are */
    return _mm256_cvtph_ps(_mm_shuffle_epi8(last, _mm_loadu_si128((const __m128i *)(const void *)(from + 2 * shift))));
}
FASTACT_INLINE void nstore_half_part(char *p, nvec a, ptrdiff_t k) {
    __m128i part = _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT);
    if (k <= 0) return;
    if (k & 4) {
        _mm_storel_epi64((__m128i *)(void *)p, part);
        part = _mm_unpackhi_epi64(part, part);
        p += 8;
    }
    if (k & 2) {
        uint32_t two = (uint32_t)_mm_cvtsi128_si32(part);
        memcpy(p, &two, 4);
        part = _mm_srli_epi64(part, 32);
        p += 4;
    }
    if (k & 1) {
        uint16_t one = (uint16_t)_mm_cvtsi128_si32(part);
        memcpy(p, &one, 2);
    }
}
FASTACT_INLINE nvec nupper(nvec a, int half) {
    return half == 4   ? _mm256_castps128_ps256(_mm256_extractf128_ps(a, 1))
           : half == 2 ? _mm256_permute_ps(a, 0xEE)
                       : _mm256_movehdup_ps(a);
}
FASTACT_INLINE void nhalves(int half, nvec a, nvec b, nvec *low, nvec *high) {
    dvec l, h;
    dhalves(half / 2, _mm256_castps_pd(a), _mm256_castps_pd(b), &l, &h);
    *low = half == 1 ? _mm256_shuffle_ps(a, b, 0x88) : _mm256_castpd_ps(l);
    *high = half == 1 ? _mm256_shuffle_ps(a, b, 0xDD) : _mm256_castpd_ps(h);
}
FASTACT_INLINE real nfirst(nvec a) { return _mm256_cvtss_f32(a); }

#else

#define SIDE_BY_SIDE 4
#define SHORT 12
#define SHORT_LOGARITHM 8
#define SHORT_GRADIENT 8
#define LONGEST_EXPONENTIALS 128
#define NLANES 4
typedef __m256d nvec;

FASTACT_INLINE __m256i nmask(ptrdiff_t k) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(k), _mm256_setr_epi64x(0, 1, 2, 3));
}
FASTACT_INLINE nvec nset(real a) { return _mm256_set1_pd(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm256_loadu_pd(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm256_storeu_pd(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm256_stream_pd(p, a); }
FASTACT_INLINE nvec nload_part(const real *p, ptrdiff_t k, real fill) {
    __m256i m = nmask(k);
    return _mm256_castsi256_pd(_mm256_castpd_si256(_mm256_maskload_pd(p, m)) | (~m & _mm256_castpd_si256(nset(fill))));
}
FASTACT_INLINE void nstore_part(real *p, nvec a, ptrdiff_t k) {
    if (k >= NLANES) {
        nstore(p, a);
        return;
    }
    if (k <= 0) return;
    __m128d part = _mm256_castpd256_pd128(a);
    if (k & 2) {
        _mm_storeu_pd(p, part);
        part = _mm256_extractf128_pd(a, 1);
        p += 2;
    }
    if (k & 1) _mm_store_sd(p, part);
}
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) { return _mm256_and_pd(a, _mm256_castsi256_pd(nmask(k))); }
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) { return _mm256_fmadd_pd(a, b, c); }
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return _mm256_fmadd_pd(a, b, c); }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm256_max_pd(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm256_min_pd(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(t), 52)); }
FASTACT_INLINE nvec nexponent(nvec a) { /* the field as the low bits of 2**52 */
    __m256i field = _mm256_or_si256(_mm256_srli_epi64(_mm256_castpd_si256(a), 52), _mm256_castpd_si256(nset(0x1p52)));
    return _mm256_sub_pd(_mm256_castsi256_pd(field), nset(0x1p52 + 1023));
}
/* Entry j is the pair of 32-bit words 2 j and 2 j + 1, of whose numbers the permutation sees the lowest three bits. */
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    __m256i j = _mm256_shuffle_epi32(_mm256_castpd_si256(t), 0xA0), odd = _mm256_set1_epi64x(0x100000000);
    __m256i entries = _mm256_loadu_si256((const __m256i *)table);
    return _mm256_castsi256_pd(_mm256_permutevar8x32_epi32(entries, _mm256_add_epi32(_mm256_add_epi32(j, j), odd)));
}
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(s), _mm256_slli_epi64(_mm256_castpd_si256(t), 50)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return _mm256_blendv_pd(no, yes, _mm256_cmp_pd(a, b, _CMP_LT_OQ)); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return _mm256_blendv_pd(no, a, _mm256_cmp_pd(a, a, _CMP_UNORD_Q)); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_NLE_UQ)) == 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) {
    return _mm256_or_pd(_mm256_andnot_pd(nset(-0.0), a), _mm256_and_pd(nset(-0.0), b));
}
FASTACT_INLINE nvec nabs(nvec a) { return _mm256_andnot_pd(nset(-0.0), a); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return _mm256_unpacklo_pd(a, b); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return _mm256_unpackhi_pd(a, b); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return _mm256_unpacklo_pd(a, b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return _mm256_unpackhi_pd(a, b); }
#define FASTACT_OWN_TRANSPOSE
FASTACT_INLINE void ntranspose(nvec *v) {
    nvec a = _mm256_unpacklo_pd(v[0], v[1]), b = _mm256_unpackhi_pd(v[0], v[1]);
    nvec c = _mm256_unpacklo_pd(v[2], v[3]), d = _mm256_unpackhi_pd(v[2], v[3]);
    v[0] = _mm256_permute2f128_pd(a, c, 0x20);
    v[1] = _mm256_permute2f128_pd(b, d, 0x20);
    v[2] = _mm256_permute2f128_pd(a, c, 0x31);
    v[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
FASTACT_INLINE nvec nupper(nvec a, int half) { return dupper(a, half); }
#define nhalves dhalves
FASTACT_INLINE real nfirst(nvec a) { return dfirst(a); }

#endif
