/* Advanced SIMD of AArch64: four registers make a virtual vector. */
#include <arm_neon.h>
#include "fastact/simd/target-inl.h"

/* Lanes half to 2 half - 1 moved to lanes 0 to half - 1; the others are of no account. */
FASTACT_INLINE float64x2_t dupper(float64x2_t a, int half) { return half == 1 ? vdupq_laneq_f64(a, 1) : a; }
FASTACT_INLINE float64x2_t dset(double a) { return vdupq_n_f64(a); }
FASTACT_INLINE double dfirst(float64x2_t a) { return vgetq_lane_f64(a, 0); }
FASTACT_INLINE void nfence(void) {}

#if FASTACT_REAL == 32

#define SIDE_BY_SIDE 4
#define SHORT 64
#define SHORT_GRADIENT 32
#define LONGEST_EXPONENTIALS FASTACT_CHUNK
#define NLANES 4
typedef float32x4_t nvec;
typedef float64x2_t dvec;

FASTACT_INLINE nvec nset(real a) { return vdupq_n_f32(a); }
FASTACT_INLINE nvec nload(const real *p) { return vld1q_f32(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { vst1q_f32(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { vst1q_f32(p, a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) {
    static const int32_t lane[4] = {0, 1, 2, 3};
    uint32x4_t m = vcltq_s32(vld1q_s32(lane), vdupq_n_s32((int)k));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), m));
}
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) { return vfmaq_f32(c, a, b); }
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return vfmaq_f32(c, a, b); }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); } /* b if either is NaN, as on x86 */
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(t), 23)); }
FASTACT_INLINE nvec nexponent(nvec a) { return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_f32(a), 23)), vdupq_n_s32(127))); }
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    uint32x4_t j = vandq_u32(vreinterpretq_u32_f32(t), vdupq_n_u32(3));
    uint8x16_t bytes = vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), j, 0x04040404));
    return vreinterpretq_f32_u8(vqtbl1q_u8(vld1q_u8(table), bytes));
}
FASTACT_INLINE nvec nlookup16(const real *table, nvec t) {
    uint32x4_t j = vandq_u32(vreinterpretq_u32_f32(t), vdupq_n_u32(15));
    uint8x16_t bytes = vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), j, 0x04040404));
    return vreinterpretq_f32_u8(vqtbl4q_u8(vld1q_u8_x4((const uint8_t *)table), bytes));
}
FASTACT_INLINE nvec nquarter(nvec a) { return vreinterpretq_f32_u32(vshrq_n_u32(vreinterpretq_u32_f32(a), 21)); }
FASTACT_INLINE nvec nquarter_beginning(nvec a) { return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(-(1u << 21)))); }
FASTACT_INLINE nvec nquarter_middle(nvec a) {
    return vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(nquarter_beginning(a)), vdupq_n_u32(1u << 20)));
}
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(s), vshlq_n_u32(vreinterpretq_u32_f32(t), 21)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return vbslq_f32(vcltq_f32(a, b), yes, no); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return vbslq_f32(vceqq_f32(a, a), no, a); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return vminvq_u32(vcleq_f32(a, b)) != 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) { return vbslq_f32(vdupq_n_u32(0x80000000), b, a); }
FASTACT_INLINE nvec nabs(nvec a) { return vabsq_f32(a); }
FASTACT_INLINE dvec nwiden(const real *p) { return vcvt_f64_f32(vld1_f32(p)); }
FASTACT_INLINE dvec nwiden_low(nvec a) { return vcvt_f64_f32(vget_low_f32(a)); }
FASTACT_INLINE dvec nwiden_high(nvec a) { return vcvt_high_f64_f32(a); }
FASTACT_INLINE nvec nnarrow(dvec low, dvec high) { return vcombine_f32(vcvt_f32_f64(low), vcvt_f32_f64(high)); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return vuzp1q_f32(a, b); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return vuzp2q_f32(a, b); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return vzip1q_f32(a, b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return vzip2q_f32(a, b); }
FASTACT_INLINE dvec dfma(dvec a, dvec b, dvec c) { return vfmaq_f64(c, a, b); }
FASTACT_INLINE nvec nload_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
FASTACT_INLINE void nstore_half(uint16_t *p, nvec a) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a))); }
FASTACT_INLINE nvec nload_half_part(const char *p, ptrdiff_t k) {
    uint16_t part[NLANES] = {0};
    for (int j = 0; j < k; j++) memcpy(part + j, p + 2 * j, 2);
    return nload_half(part);
}
FASTACT_INLINE void nstore_half_part(char *p, nvec a, ptrdiff_t k) {
    uint16_t part[NLANES];
    nstore_half(part, a);
    for (int j = 0; j < k; j++) memcpy(p + 2 * j, part + j, 2);
}
FASTACT_INLINE nvec nupper(nvec a, int half) {
    return half == 2 ? vcombine_f32(vget_high_f32(a), vget_high_f32(a)) : vtrn2q_f32(a, a);
}
FASTACT_INLINE real nfirst(nvec a) { return vgetq_lane_f32(a, 0); }

#else

#define SIDE_BY_SIDE 4
#define SHORT 64
#define SHORT_GRADIENT 32
#define LONGEST_EXPONENTIALS 128
#define NLANES 2
typedef float64x2_t nvec;

FASTACT_INLINE nvec nset(real a) { return vdupq_n_f64(a); }
FASTACT_INLINE nvec nload(const real *p) { return vld1q_f64(p); }
FASTACT_INLINE void nstore(real *p, nvec a) { vst1q_f64(p, a); }
FASTACT_INLINE void nstream(real *p, nvec a) { vst1q_f64(p, a); }
FASTACT_INLINE nvec nkeep(nvec a, ptrdiff_t k) {
    static const int64_t lane[2] = {0, 1};
    uint64x2_t m = vcltq_s64(vld1q_s64(lane), vdupq_n_s64(k));
    return vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(a), m));
}
FASTACT_INLINE nvec nfma(nvec a, nvec b, nvec c) { return vfmaq_f64(c, a, b); }
FASTACT_INLINE nvec nmadd(nvec a, nvec b, nvec c) { return vfmaq_f64(c, a, b); }
FASTACT_INLINE nvec nmax(nvec a, nvec b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
FASTACT_INLINE nvec nmin(nvec a, nvec b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
FASTACT_INLINE nvec nshift_to_exponent(nvec t) { return vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(t), 52)); }
FASTACT_INLINE nvec nexponent(nvec a) { return vcvtq_f64_s64(vsubq_s64(vreinterpretq_s64_u64(vshrq_n_u64(vreinterpretq_u64_f64(a), 52)), vdupq_n_s64(1023))); }
FASTACT_INLINE nvec nlookup(const void *table, nvec t) {
    const real *entry = table;
    uint64x2_t j = vandq_u64(vreinterpretq_u64_f64(t), vdupq_n_u64(3));
    return vcombine_f64(vld1_f64(entry + vgetq_lane_u64(j, 0)), vld1_f64(entry + vgetq_lane_u64(j, 1)));
}
FASTACT_INLINE nvec nadd_quarters(nvec s, nvec t) {
    return vreinterpretq_f64_u64(vaddq_u64(vreinterpretq_u64_f64(s), vshlq_n_u64(vreinterpretq_u64_f64(t), 50)));
}
FASTACT_INLINE nvec nless_select(nvec a, nvec b, nvec yes, nvec no) { return vbslq_f64(vcltq_f64(a, b), yes, no); }
FASTACT_INLINE nvec nnan_select(nvec a, nvec no) { return vbslq_f64(vceqq_f64(a, a), no, a); }
FASTACT_INLINE int nall_less_equal(nvec a, nvec b) { return vminvq_u32(vreinterpretq_u32_u64(vcleq_f64(a, b))) != 0; }
FASTACT_INLINE nvec ncopysign(nvec a, nvec b) { return vbslq_f64(vdupq_n_u64(0x8000000000000000), b, a); }
FASTACT_INLINE nvec nabs(nvec a) { return vabsq_f64(a); }
FASTACT_INLINE nvec nfirsts(nvec a, nvec b) { return vuzp1q_f64(a, b); }
FASTACT_INLINE nvec nseconds(nvec a, nvec b) { return vuzp2q_f64(a, b); }
FASTACT_INLINE nvec npairs_low(nvec a, nvec b) { return vzip1q_f64(a, b); }
FASTACT_INLINE nvec npairs_high(nvec a, nvec b) { return vzip2q_f64(a, b); }
FASTACT_INLINE nvec nupper(nvec a, int half) { return dupper(a, half); }
FASTACT_INLINE real nfirst(nvec a) { return dfirst(a); }

#endif
#define FASTACT_PART_BY_COPY
