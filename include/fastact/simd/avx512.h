/* AVX-512 (F, VL, BW, DQ): one register is one virtual vector. */
#include <immintrin.h>
#define FASTACT_TARGET "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c"
#include "fastact/simd/target-inl.h"

/* Lanes half to 2 half - 1 moved to lanes 0 to half - 1; the others are of no account. */
FASTACT_INLINE __m512d dupper(__m512d a, int half) {
    return half == 4   ? _mm512_castpd256_pd512(_mm512_extractf64x4_pd(a, 1))
           : half == 2 ? _mm512_castpd128_pd512(_mm512_extractf64x2_pd(a, 1))
                       : _mm512_permute_pd(a, 0x55);
}
#define FASTACT_GROUPS /* see run_groups */
/* Of each 2 `half` lanes the lower and the upper half, those of a beside those of b. */
FASTACT_INLINE void dhalves(int half, __m512d a, __m512d b, __m512d *low, __m512d *high) {
    *low = half == 4 ? _mm512_shuffle_f64x2(a, b, 0x44) : half == 2 ? _mm512_shuffle_f64x2(a, b, 0x88) : _mm512_unpacklo_pd(a, b);
    *high = half == 4 ? _mm512_shuffle_f64x2(a, b, 0xEE) : half == 2 ? _mm512_shuffle_f64x2(a, b, 0xDD) : _mm512_unpackhi_pd(a, b);
}
FASTACT_INLINE __m512d dset(double a) { return _mm512_set1_pd(a); }
FASTACT_INLINE double dfirst(__m512d a) { return _mm512_cvtsd_f64(a); }
FASTACT_INLINE void nfence(void) { _mm_sfence(); }

/* Two halves or four quarters of a register, each from or to a place of its own. */
#define FASTACT_PIECES
FASTACT_INLINE __m512 load_pieces(int pieces, const char *const *from) {
    if (pieces == 2)
        return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps((const float *)from[0])), _mm256_loadu_ps((const float *)from[1]), 1);
    __m512 a = _mm512_castps128_ps512(_mm_loadu_ps((const float *)from[0]));
    a = _mm512_mask_broadcast_f32x4(a, 0x00F0, _mm_loadu_ps((const float *)from[1]));
    a = _mm512_mask_broadcast_f32x4(a, 0x0F00, _mm_loadu_ps((const float *)from[2]));
    return _mm512_mask_broadcast_f32x4(a, 0xF000, _mm_loadu_ps((const float *)from[3]));
}
FASTACT_INLINE void store_piece(int pieces, int k, char *to, __m512 a) {
    float *p = (float *)to;
    if (pieces == 2) _mm256_storeu_ps(p, k ? _mm512_extractf32x8_ps(a, 1) : _mm512_castps512_ps256(a));
    else
        _mm_storeu_ps(p, k == 3   ? _mm512_extractf32x4_ps(a, 3)
                         : k == 2 ? _mm512_extractf32x4_ps(a, 2)
                         : k == 1 ? _mm512_extractf32x4_ps(a, 1)
                                  : _mm512_castps512_ps128(a));
}
#define FASTACT_OWN_SCALE
#define FASTACT_AHEAD /* 32 registers: see `halfway` */
#define LONG_SOFTMAX 2560

#if FASTACT_REAL == 32

#define SIDE_BY_SIDE 4
#define SHORT 24
#define SHORT_LOGARITHM 18
#define SHORT_GRADIENT 16
#define LONGEST_EXPONENTIALS 320
#define NLANES 16
typedef __m512 nvec;
typedef __m512d dvec;
#define NMASK(k) ((__mmask16)((k) <= 0 ? 0u : (k) >= 16 ? 0xFFFFu : (1u << (k)) - 1u))

FASTACT_INLINE nvec nset(real a) { return _mm512_set1_ps(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm512_loadu_ps(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm512_storeu_ps(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm512_stream_ps(p, a); }
FASTACT_INLINE nvec nload_pieces(int pieces, const char *const *from) { return load_pieces(pieces, from); }
FASTACT_INLINE void nstore_piece(int pieces, int k, char *to, nvec a) { store_piece(pieces, k, to, a); }
FASTACT_INLINE nvec nload_part(const real *p, ptrdiff_t k, real fill) { return _mm512_mask_loadu_ps(nset(fill), NMASK(k), p); }
FASTACT_INLINE void nstore_part(real *p, nvec a, ptrdiff_t k) { _mm512_mask_storeu_ps(p, NMASK(k), a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) { return _mm512_maskz_mov_ps(NMASK(k), a); }
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) { return _mm512_fmadd_ps(a, b, c); }
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return _mm512_fmadd_ps(a, b, c); }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm512_max_ps(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm512_min_ps(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(t), 23)); }
FASTACT_INLINE nvec nexponent(nvec a) { return _mm512_getexp_ps(a); }
FASTACT_INLINE nvec nscale(nvec a, nvec n) { return _mm512_scalef_ps(a, n); }
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    return _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps((const real *)table)), _mm512_castps_si512(t));
}
FASTACT_INLINE nvec nlookup16(const real *table, nvec t) { return _mm512_permutexvar_ps(_mm512_castps_si512(t), nload(table)); }
FASTACT_INLINE nvec nquarter(nvec a) { return _mm512_castsi512_ps(_mm512_srli_epi32(_mm512_castps_si512(a), 21)); }
FASTACT_INLINE nvec nquarter_beginning(nvec a) { return _mm512_and_ps(a, _mm512_castsi512_ps(_mm512_set1_epi32(-(1 << 21)))); }
FASTACT_INLINE nvec nquarter_middle(nvec a) { /* (a & mask) | middle */
    const __m512i mask = _mm512_set1_epi32(-(1 << 21)), middle = _mm512_set1_epi32(1 << 20);
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(a), mask, middle, 0xEA));
}
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(s), _mm512_slli_epi32(_mm512_castps_si512(t), 21)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), yes); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ) == 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) {
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b), sign, 0xD8));
}
FASTACT_INLINE nvec nabs(nvec a) { return _mm512_abs_ps(a); }
FASTACT_INLINE dvec nwiden(const real *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
FASTACT_INLINE dvec nwiden_low(nvec a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a)); }
FASTACT_INLINE dvec nwiden_high(nvec a) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)); }
FASTACT_INLINE nvec nnarrow(dvec low, dvec high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}
FASTACT_INLINE dvec dfma(dvec a, dvec b, dvec c) { return _mm512_fmadd_pd(a, b, c); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b);
}
FASTACT_INLINE nvec nseconds(nvec a, nvec b) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), b);
}
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
}
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b);
}
FASTACT_INLINE nvec nload_half(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
FASTACT_INLINE void nstore_half(uint16_t *p, nvec a) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT)); }
FASTACT_INLINE nvec nload_half_part(const char *p, ptrdiff_t k) { return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(NMASK(k), p)); }
#define FASTACT_OWN_HALF_END
#define nload_half_end nload_half_part /* any k */
FASTACT_INLINE void nstore_half_part(char *p, nvec a, ptrdiff_t k) {
    _mm256_mask_storeu_epi16(p, NMASK(k), _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
FASTACT_INLINE nvec nupper(nvec a, int half) {
    return half == 8   ? _mm512_castps256_ps512(_mm512_extractf32x8_ps(a, 1))
           : half == 4 ? _mm512_castps128_ps512(_mm512_extractf32x4_ps(a, 1))
           : half == 2 ? _mm512_permute_ps(a, 0xEE)
                       : _mm512_movehdup_ps(a);
}
FASTACT_INLINE void nhalves(int half, nvec a, nvec b, nvec *low, nvec *high) {
    dvec l, h;
    dhalves(half / 2, _mm512_castps_pd(a), _mm512_castps_pd(b), &l, &h);
    *low = half == 1 ? _mm512_shuffle_ps(a, b, 0x88) : _mm512_castpd_ps(l);
    *high = half == 1 ? _mm512_shuffle_ps(a, b, 0xDD) : _mm512_castpd_ps(h);
}
FASTACT_INLINE real nfirst(nvec a) { return _mm512_cvtss_f32(a); }

#else

#define SIDE_BY_SIDE 4
#define SHORT 13
#define SHORT_LOGARITHM 12
#define SHORT_GRADIENT 8
#define LONGEST_EXPONENTIALS 128
#define NLANES 8
typedef __m512d nvec;
#define NMASK(k) ((__mmask8)((k) <= 0 ? 0u : (k) >= 8 ? 0xFFu : (1u << (k)) - 1u))

FASTACT_INLINE nvec nset(real a) { return _mm512_set1_pd(a); }
FASTACT_INLINE nvec nload(const real *p) { return _mm512_loadu_pd(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { _mm512_storeu_pd(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { _mm512_stream_pd(p, a); }
FASTACT_INLINE nvec nload_pieces(int pieces, const char *const *from) { return _mm512_castps_pd(load_pieces(pieces, from)); }
FASTACT_INLINE void nstore_piece(int pieces, int k, char *to, nvec a) { store_piece(pieces, k, to, _mm512_castpd_ps(a)); }
FASTACT_INLINE nvec nload_part(const real *p, ptrdiff_t k, real fill) { return _mm512_mask_loadu_pd(nset(fill), NMASK(k), p); }
FASTACT_INLINE void nstore_part(real *p, nvec a, ptrdiff_t k) { _mm512_mask_storeu_pd(p, NMASK(k), a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) { return _mm512_maskz_mov_pd(NMASK(k), a); }
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) { return _mm512_fmadd_pd(a, b, c); }
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return _mm512_fmadd_pd(a, b, c); }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return _mm512_max_pd(a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return _mm512_min_pd(a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(t), 52)); }
FASTACT_INLINE nvec nexponent(nvec a) { return _mm512_getexp_pd(a); }
FASTACT_INLINE nvec nscale(nvec a, nvec n) { return _mm512_scalef_pd(a, n); }
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    return _mm512_permutexvar_pd(_mm512_castpd_si512(t), _mm512_broadcast_f64x4(_mm256_loadu_pd((const real *)table)));
}
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(s), _mm512_slli_epi64(_mm512_castpd_si512(t), 50)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return _mm512_mask_mov_pd(no, _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ), yes); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return _mm512_mask_mov_pd(no, _mm512_cmp_pd_mask(a, a, _CMP_UNORD_Q), a); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return _mm512_cmp_pd_mask(a, b, _CMP_NLE_UQ) == 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) {
    const __m512i sign = _mm512_set1_epi64(INT64_MIN);
    return _mm512_castsi512_pd(_mm512_ternarylogic_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b), sign, 0xD8));
}
FASTACT_INLINE nvec nabs(nvec a) { return _mm512_abs_pd(a); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), b); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return _mm512_permutex2var_pd(a, _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15), b); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b); }
FASTACT_INLINE nvec nupper(nvec a, int half) { return dupper(a, half); }
#define nhalves dhalves
FASTACT_INLINE real nfirst(nvec a) { return dfirst(a); }

#endif
