/* float64 on any x86-64 processor: rows in lanes. */
#if defined(__x86_64__)
#define FASTACT_REAL 64
#define FASTACT_SIMD "fastact/simd/baseline.h"
#define FASTACT_TABLE fastact_baseline_f64
#define FASTACT_LANE_KERNELS
#include "fastact/kernels-inl.h"
#endif
