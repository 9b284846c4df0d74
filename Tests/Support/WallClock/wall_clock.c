// Preloaded into a program under test: its wall clock is so many milliseconds off as a file says, at any time. Nothing
// else is turned: monotonic clocks and timers stay as they are, as on a machine whose time of day is wrong.
#define _GNU_SOURCE
#include "wall_clock.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t unshifted = 0;
static const volatile int64_t *shift_ms = &unshifted;

__attribute__((constructor)) static void map_shift(void) {
    const char *path = getenv(WALL_CLOCK_VARIABLE);
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) shift_ms = page;
}

static void add_shift(struct timespec *time) {
    int64_t shift = *shift_ms;
    int64_t nanoseconds = time->tv_nsec + shift % 1000 * 1000000;
    time->tv_sec += shift / 1000;
    if (nanoseconds < 0) { nanoseconds += 1000000000; time->tv_sec -= 1; }
    if (nanoseconds >= 1000000000) { nanoseconds -= 1000000000; time->tv_sec += 1; }
    time->tv_nsec = nanoseconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int failed = syscall(SYS_clock_gettime, clock, time) != 0;
    if (failed) return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) add_shift(time);
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
