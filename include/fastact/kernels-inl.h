/* All kernels for one instruction set and one type. A file of fastact/kernels/ sets

     FASTACT_REAL    32 or 64
     FASTACT_SIMD    the header of the instruction set
     FASTACT_TABLE   the name of the table that results

   and includes this; every function in it is static but the table. */
#include <math.h>
#include <stdlib.h>
#include "fastact/rows.h"
#include FASTACT_SIMD
#include "fastact/simd/vec-inl.h"
#include "fastact/half-inl.h"
#include "fastact/sum-inl.h"
#include "fastact/math-inl.h"
#include "fastact/softmax-inl.h"
#include "fastact/fused-inl.h"
#include "fastact/activations-inl.h"
#include "fastact/elementwise-inl.h"
#include "fastact/loops-inl.h"

#if defined(FASTACT_TARGET) && defined(__clang__)
#pragma clang attribute pop
#endif
