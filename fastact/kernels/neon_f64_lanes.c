/* float64 on AArch64: rows in lanes. */
#if defined(__aarch64__)
#define FASTACT_REAL 64
#define FASTACT_SIMD "fastact/simd/neon.h"
#define FASTACT_TABLE fastact_neon_f64
#define FASTACT_LANE_KERNELS
#include "fastact/kernels-inl.h"
#endif
