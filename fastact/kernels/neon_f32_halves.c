/* float32 on AArch64: rows of float16. */
#if defined(__aarch64__)
#define FASTACT_REAL 32
#define FASTACT_SIMD "fastact/simd/neon.h"
#define FASTACT_TABLE fastact_neon_f32
#define FASTACT_HALF_ROWS
#include "fastact/kernels-inl.h"
#endif
