/* A generator of requests at equal distances, for comparison: it sleeps until each is due, puts it into a queue and wakes the
 * thread that takes from it ("queue"), or only sleeps ("bare"); "busy" computes for ever. Reads lines of a rate and a number of
 * requests, and says the median and the 99th percentile of lag in nanoseconds. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { MOST_REQUESTS = 1 << 20, LEAD = 1000000 };

static uint64_t lags[MOST_REQUESTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static unsigned long waiting;
static int idle;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
    return (a > b) - (a < b);
}

static void *take(void *nothing) {
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_mutex_lock(&lock);
    for (;;) {
        while (waiting == 0) {
            idle = 1;
            pthread_cond_wait(&came, &lock);
            idle = 0;
        }
        waiting--;
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    return nothing;
}

static void segment(double rate, size_t count, int queues) {
    uint64_t start = now() + LEAD;
    for (size_t index = 0; index < count; index++) {
        uint64_t due = start + (uint64_t) ((double) (index + 1) * 1e9 / rate);
        struct timespec wanted = {(time_t) (due / 1000000000u), (long) (due % 1000000000u)};
        if (now() < due) {
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wanted, NULL);
        }
        if (queues) {
            pthread_mutex_lock(&lock);
            lags[index] = now() - due;
            waiting++;
            int wakes = idle;
            pthread_mutex_unlock(&lock);
            if (wakes) {
                pthread_cond_signal(&came);
            }
        } else {
            lags[index] = now() - due;
        }
    }
    qsort(lags, count, sizeof *lags, ascending);
    printf("%llu %llu\n", (unsigned long long) lags[(count - 1) / 2], (unsigned long long) lags[(count - 1) * 99 / 100]);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "busy") == 0) {
        prctl(PR_SET_PDEATHSIG, 9);
        for (volatile uint64_t count = 0;; count++) {
        }
    }
    int queues = argc == 2 && strcmp(argv[1], "queue") == 0;
    pthread_t taker;
    if (queues && pthread_create(&taker, NULL, take, NULL) != 0) {
        return 1;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    memset(lags, 1, sizeof lags);
    char line[128];
    double rate;
    size_t count;
    while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%lf %zu", &rate, &count) == 2 && count <= MOST_REQUESTS) {
        segment(rate, count, queues);
    }
    return 0;
}
