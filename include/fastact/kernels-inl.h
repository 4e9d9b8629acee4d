/* The kernels for one instruction set and one type. A file of fastact/kernels/ sets

     FASTACT_REAL    32 or 64
     FASTACT_SIMD    the header of the instruction set
     FASTACT_TABLE   the name of the table that results
     FASTACT_ACTIVATION_KERNELS   for the activations, which the table names; without it, the row functions and the table

   and includes this; every function in it is static but those two. */
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

#ifdef FASTACT_ACTIVATION_KERNELS
#include "fastact/activations-inl.h"
#include "fastact/elementwise-inl.h"
#else
#include "fastact/softmax-inl.h"
#include "fastact/fused-inl.h"
#include "fastact/lanes-inl.h"
#include "fastact/loops-inl.h"
#endif

#if defined(FASTACT_TARGET) && defined(__clang__)
#pragma clang attribute pop
#endif
