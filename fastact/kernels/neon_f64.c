/* float64 on AArch64. */
#if defined(__aarch64__)
#define FASTACT_REAL 64
#define FASTACT_SIMD "fastact/simd/neon.h"
#define FASTACT_TABLE fastact_neon_f64
#include "fastact/kernels-inl.h"
#endif
