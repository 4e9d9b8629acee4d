/* From here to the end of the file everything is compiled for FASTACT_TARGET, whatever the command line says: one extension
   holds all instruction sets. All of it is static, so that no function compiled for a newer processor can be linked in
   the place of its namesake for an older one. kernels-inl.h ends what begins here. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(FASTACT_TARGET) && defined(__clang__)
#define FASTACT_PRAGMA(text) _Pragma(#text)
#define FASTACT_TARGET_BEGIN(isa) FASTACT_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
FASTACT_TARGET_BEGIN(FASTACT_TARGET)
#elif defined(FASTACT_TARGET)
#define FASTACT_PRAGMA(text) _Pragma(#text)
#define FASTACT_TARGET_BEGIN(isa) FASTACT_PRAGMA(GCC target(isa))
FASTACT_TARGET_BEGIN(FASTACT_TARGET)
#endif

#define FASTACT_INLINE static inline __attribute__((always_inline, unused))
#define FASTACT_APART static __attribute__((noinline, unused))

#if FASTACT_REAL == 32
typedef float real;
typedef uint32_t ubits;
#else
typedef double real;
typedef uint64_t ubits;
#endif
