/* The kernels for one instruction set and one type. A file of fastact/kernels/ sets

     FASTACT_REAL    32 or 64
     FASTACT_SIMD    the header of the instruction set
     FASTACT_TABLE   the name of the table that results
     FASTACT_ACTIVATION_KERNELS   for the activations, or
     FASTACT_LANE_KERNELS         for rows in lanes, which the table names, or
     FASTACT_HALF_ROWS            for rows of float16 by themselves; without any of these, the other row kernels and the table

   and includes this; all in it is static but the table and the functions named below. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include "fastact/rows.h"
#include FASTACT_SIMD
#include "fastact/simd/vec-inl.h"
#include "fastact/half-inl.h"
#include "fastact/sum-inl.h"
#include "fastact/math-inl.h"

#define FASTACT_PASTE_(a, b) a##b
#define FASTACT_PASTE(a, b) FASTACT_PASTE_(a, b)
#define FASTACT_ELEMENTWISE_NAME FASTACT_PASTE(FASTACT_TABLE, _elementwise)
extern fastact_elementwise_kernel FASTACT_ELEMENTWISE_NAME;
#define FASTACT_LANES_NAME FASTACT_PASTE(FASTACT_TABLE, _lanes)
extern ptrdiff_t FASTACT_LANES_NAME(int f, const fastact_job *job, ptrdiff_t begin, ptrdiff_t end);
#define FASTACT_HALVES_NAME FASTACT_PASTE(FASTACT_TABLE, _halves)
extern const fastact_kernels FASTACT_HALVES_NAME;

#ifdef FASTACT_ACTIVATION_KERNELS
#include "fastact/activations-inl.h"
#include "fastact/elementwise-inl.h"
#else
#include "fastact/softmax-inl.h"
#ifdef FASTACT_LANE_KERNELS
#include "fastact/lanes-inl.h"
#else
#include "fastact/fused-inl.h"
#include "fastact/groups-inl.h"
#include "fastact/loops-inl.h"
#endif
#endif

#if defined(FASTACT_TARGET) && defined(__clang__)
#pragma clang attribute pop
#endif
