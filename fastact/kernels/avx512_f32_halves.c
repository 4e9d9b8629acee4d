/* float32 on AVX-512: rows of float16. */
#if defined(__x86_64__)
#define FASTACT_REAL 32
#define FASTACT_SIMD "fastact/simd/avx512.h"
#define FASTACT_TABLE fastact_avx512_f32
#define FASTACT_HALF_ROWS
#include "fastact/kernels-inl.h"
#endif
