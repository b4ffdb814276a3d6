// SPDX-License-Identifier: Apache-2.0
// Threads in plain C: a queue with a mutex and two conditions, and workers that take numbers from
// it and count how many of them are prime.
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

enum { WORKERS = 4, ROOM = 8, NUMBERS = 2000, END = -1 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    pthread_cond_t emptied;
    int numbers[ROOM];
    int first;
    int count;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
           .filled = PTHREAD_COND_INITIALIZER,
           .emptied = PTHREAD_COND_INITIALIZER};

static _Thread_local int found;

static void put(int number) {
    pthread_mutex_lock(&queue.mutex);
    while (queue.count == ROOM) {
        pthread_cond_wait(&queue.emptied, &queue.mutex);
    }
    queue.numbers[(queue.first + queue.count) % ROOM] = number;
    ++queue.count;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.mutex);
}

static int take(void) {
    pthread_mutex_lock(&queue.mutex);
    while (queue.count == 0) {
        pthread_cond_wait(&queue.filled, &queue.mutex);
    }
    const int number = queue.numbers[queue.first];
    queue.first = (queue.first + 1) % ROOM;
    --queue.count;
    pthread_cond_signal(&queue.emptied);
    pthread_mutex_unlock(&queue.mutex);
    return number;
}

static bool is_prime(int number) {
    for (int i = 2; i * i <= number; ++i) {
        if (number % i == 0) {
            return false;
        }
    }
    return number > 1;
}

static void* work(void* total) {
    for (int number; (number = take()) != END;) {
        found += is_prime(number);
    }
    pthread_mutex_lock(&queue.mutex);
    *(int*)total += found;
    pthread_mutex_unlock(&queue.mutex);
    return NULL;
}

int main(void) {
    pthread_t workers[WORKERS];
    int total = 0;
    for (int i = 0; i < WORKERS; ++i) {
        if (pthread_create(&workers[i], NULL, work, &total) != 0) {
            return 1;
        }
    }
    for (int number = 0; number < NUMBERS; ++number) {
        put(number);
    }
    for (int i = 0; i < WORKERS; ++i) {
        put(END);
    }
    for (int i = 0; i < WORKERS; ++i) {
        if (pthread_join(workers[i], NULL) != 0) {
            return 1;
        }
    }
    printf("workers: %d threads found %d primes below %d\n", WORKERS, total, NUMBERS);
    return 0;
}
