/* float64 on AVX2: rows in lanes. */
#if defined(__x86_64__)
#define FASTACT_REAL 64
#define FASTACT_SIMD "fastact/simd/avx2.h"
#define FASTACT_TABLE fastact_avx2_f64
#define FASTACT_LANE_KERNELS
#include "fastact/kernels-inl.h"
#endif
