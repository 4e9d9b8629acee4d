/* OpenMP as far as it is there: without it, everything runs on the calling thread. */
#ifndef FASTACT_THREADS_H
#define FASTACT_THREADS_H

#include <fenv.h>
#include <math.h>
#include <stdatomic.h>
#include <time.h>

static _Thread_local int fastact_thread_limit; /* threads(n) of the calling thread; 0: none */
static atomic_int fastact_callers __attribute__((unused)); /* threads inside a parallel call now */
static int fastact_serial;                     /* a forked child whose OpenMP cannot be used */

/* The floating-point flags that the calling thread has raised; and back to no more than those. */
static inline int fastact_raised_flags(void) { return fetestexcept(FE_ALL_EXCEPT); }
static inline void fastact_keep_flags(int raised) { feclearexcept(FE_ALL_EXCEPT & ~raised); }

/* Nanoseconds. OpenMP's threads spin for a while after a region and then sleep. Those awake answer in a microsecond; waking the
   others, and waiting for those that do not get a processor, takes milliseconds, of latency and of the processors' time. So a call
   uses them if it is worth that by itself, or if the calls before it were: the time that those took is a credit, which pauses wear
   away. Where threads that should be awake take much more time than the work, that is a debt 20 times as large: little is lost so
   on a processor that others use. */
static double fastact_waking = 5e6;
static _Thread_local struct {
    double credit, begin, end, limit;
    int awake;
} fastact_account;

static inline double fastact_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}
/* A call that takes one thread about so long begins: may it use others? */
static inline int fastact_is_worth_waking(double work) {
    double begin = fastact_account.begin = fastact_now(), pause = begin - fastact_account.end, credit = fastact_account.credit;
    fastact_account.credit = copysign(fmax(fabs(credit) - pause, 0), credit);
    int worth = fastact_account.credit + work >= fastact_waking;
    fastact_account.limit = !worth ? INFINITY : 8 * work + (fastact_account.awake ? 0 : 2 * fastact_waking);
    fastact_account.awake = worth;
    return worth;
}
/* ... and ends. Nothing to do unless it has been asked about. */
static inline void fastact_end(void) {
    if (fastact_account.begin == 0) return;
    double end = fastact_account.end = fastact_now(), took = end - fastact_account.begin;
    double credit = fastact_account.credit + took - 20 * fmax(took - fastact_account.limit, 0);
    fastact_account.credit = fmin(fmax(credit, -100 * fastact_waking), 2 * fastact_waking);
    fastact_account.begin = 0;
}

#ifdef _OPENMP

#include <omp.h>
#include <pthread.h>

static inline int fastact_openmp_version(void) { return _OPENMP; }
static inline int fastact_openmp_threads(void) { return omp_get_max_threads(); }
static inline int fastact_in_parallel(void) { return omp_in_parallel(); }
static inline int fastact_team(void) { return omp_get_num_threads(); }
static inline void fastact_barrier(void) { _Pragma("omp barrier") }

/* GNU's OpenMP keeps its threads for the next region, and a forked child waits forever for those it did not inherit.
   omp_pause_resource_all ends them before the fork; the parent starts new ones at its next region. Older runtimes lack it. */
#pragma weak omp_pause_resource_all

static int fastact_parallel_used, fastact_pause_failed;

static void fastact_before_fork(void) {
    fastact_pause_failed = fastact_parallel_used && (!omp_pause_resource_all || omp_pause_resource_all(omp_pause_soft) != 0);
}
static void fastact_after_fork_in_child(void) {
    atomic_store(&fastact_callers, 0);
    if (fastact_pause_failed) fastact_serial = 1;
}
static inline void fastact_watch_forks(void) { pthread_atfork(fastact_before_fork, NULL, fastact_after_fork_in_child); }

static inline int fastact_enter(void) {
    fastact_parallel_used = 1;
    return atomic_fetch_add(&fastact_callers, 1) + 1;
}
static inline void fastact_leave(void) { atomic_fetch_sub(&fastact_callers, 1); }

#else

static inline int fastact_openmp_version(void) { return 0; }
static inline int fastact_openmp_threads(void) { return 1; }
static inline int fastact_in_parallel(void) { return 1; }
static inline int fastact_team(void) { return 1; }
static inline void fastact_barrier(void) {}
static inline void fastact_watch_forks(void) {}
static inline int fastact_enter(void) { return 1; }
static inline void fastact_leave(void) {}

#endif
#endif
