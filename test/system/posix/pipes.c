// SPDX-License-Identifier: Apache-2.0
// Pipes, pairs of sockets, and waiting for several of them.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MANY_BYTES = 200000,
    CAPACITY = 16384,
    WRITERS = 4,
    RECORDS = 50,
    RECORD = 1000,
    WAIT_MS = 30
};

static bool fails(long result, int wanted) { return result == -1 && errno == wanted; }

static void close_both(const int* ends) { CHECK(close(ends[0]) == 0 && close(ends[1]) == 0); }

static void pipes_carry_bytes(void) {
    int ends[2];
    char buffer[16] = {0};
    CHECK(pipe(ends) == 0 && ends[0] == 3 && ends[1] == 4);
    CHECK(write(ends[1], "hello", 5) == 5 && write(ends[1], "", 0) == 0);
    int waiting = 0;
    CHECK(ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 5);
    CHECK(read(ends[0], buffer, 0) == 0 && read(ends[0], buffer, 2) == 2);
    CHECK(read(ends[0], buffer + 2, 10) == 3 && strcmp(buffer, "hello") == 0);
    struct iovec parts[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    CHECK(writev(ends[1], parts, 3) == 5);
    char other[8] = {0};
    struct iovec places[2] = {{other, 1}, {other + 1, 7}};
    CHECK(readv(ends[0], places, 2) == 5 && strcmp(other, "abcde") == 0);
    CHECK(fails(read(ends[1], buffer, 1), EBADF) && fails(write(ends[0], buffer, 1), EBADF));
    CHECK(fails(lseek(ends[0], 0, SEEK_CUR), ESPIPE) &&
          fails(pread(ends[0], buffer, 1, 0), ESPIPE));
    struct stat status;
    CHECK(fstat(ends[0], &status) == 0 && S_ISFIFO(status.st_mode));
    CHECK(write(ends[1], "rest", 4) == 4 && close(ends[1]) == 0);
    CHECK(read(ends[0], buffer, 16) == 4 && read(ends[0], buffer, 16) == 0);
    CHECK(close(ends[0]) == 0);
    CHECK(fails(pipe2(ends, O_APPEND), EINVAL));
}

static void pipes_do_not_wait_if_asked(void) {
    int ends[2];
    static char bytes[CAPACITY];
    CHECK(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
    CHECK((fcntl(ends[1], F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == (O_NONBLOCK | O_WRONLY));
    CHECK(fails(read(ends[0], bytes, 1), EAGAIN));
    CHECK(write(ends[1], bytes, CAPACITY - 100) == CAPACITY - 100);
    CHECK(fails(write(ends[1], bytes, PIPE_BUF), EAGAIN));  // all or nothing
    CHECK(write(ends[1], bytes, PIPE_BUF + 1) == 100);
    CHECK(fails(write(ends[1], bytes, PIPE_BUF + 1), EAGAIN) &&
          fails(write(ends[1], "", 1), EAGAIN));
    CHECK(read(ends[0], bytes, CAPACITY) == CAPACITY && fails(read(ends[0], bytes, 1), EAGAIN));
    CHECK(close(ends[0]) == 0 && fails(write(ends[1], "x", 1), EPIPE) && close(ends[1]) == 0);
}

static void* write_many(void* argument) {
    const int* ends = argument;
    unsigned char* bytes = malloc(MANY_BYTES);
    for (int i = 0; i < MANY_BYTES; ++i) {
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    }
    CHECK(write(ends[1], bytes, MANY_BYTES) == MANY_BYTES);
    free(bytes);
    CHECK(close(ends[1]) == 0);
    return NULL;
}

static void pipes_wait_for_each_other(void) {
    int ends[2];
    pthread_t writer;
    CHECK(pipe(ends) == 0 && pthread_create(&writer, NULL, write_many, ends) == 0);
    unsigned char buffer[777];
    int at = 0;
    bool sound = true;
    for (ssize_t count = 1; count > 0;) {
        count = read(ends[0], buffer, sizeof(buffer));
        for (ssize_t i = 0; i < count; ++i, ++at) {
            sound = sound && buffer[i] == (unsigned char)(at * 7 + at / 256);
        }
    }
    CHECK(sound && at == MANY_BYTES && pthread_join(writer, NULL) == 0 && close(ends[0]) == 0);
}

static int record_pipe[2];

static void* write_records(void* argument) {
    char record[RECORD];
    memset(record, (int)(intptr_t)argument, sizeof(record));
    for (int i = 0; i < RECORDS; ++i) {
        CHECK(write(record_pipe[1], record, RECORD) == RECORD);
    }
    return NULL;
}

static void small_writes_are_whole(void) {
    pthread_t writers[WRITERS];
    CHECK(pipe(record_pipe) == 0);
    for (intptr_t i = 0; i < WRITERS; ++i) {
        CHECK(pthread_create(&writers[i], NULL, write_records, (void*)(i + 'a')) == 0);
    }
    int seen[WRITERS] = {0};
    for (int i = 0; i < WRITERS * RECORDS; ++i) {
        char record[RECORD];
        for (int have = 0; have < RECORD;) {
            have += (int)read(record_pipe[0], record + have, (size_t)(RECORD - have));
        }
        CHECK(memcmp(record, record + 1, RECORD - 1) == 0);
        ++seen[record[0] - 'a'];
    }
    for (int i = 0; i < WRITERS; ++i) {
        CHECK(pthread_join(writers[i], NULL) == 0 && seen[i] == RECORDS);
    }
    close_both(record_pipe);
}

static sem_t begun;

static void* read_one(void* argument) {
    char byte = 0;
    (void)sem_post(&begun);
    return (void*)(intptr_t)read(*(const int*)argument, &byte, 1);
}

/// The description of a number that is closed meanwhile stays whole until the read has ended.
static void closing_does_not_disturb_readers(void) {
    int ends[2];
    pthread_t reader;
    void* result = NULL;
    (void)sem_init(&begun, 0, 0);
    for (int i = 0; i < 20; ++i) {
        CHECK(pipe(ends) == 0 && pthread_create(&reader, NULL, read_one, &ends[0]) == 0);
        CHECK(sem_wait(&begun) == 0);
        sleep_ms(2);
        CHECK(close(ends[0]) == 0);
        int others[2];
        CHECK(pipe(others) == 0 && others[0] == ends[0]);
        CHECK(write(ends[1], "x", 1) == 1);
        CHECK(pthread_join(reader, &result) == 0 && (intptr_t)result == 1);
        CHECK(fails(write(ends[1], "x", 1), EPIPE));
        close_both(others);
        CHECK(close(ends[1]) == 0);
    }
}

static void* poll_for_ever(void* argument) {
    struct pollfd asked = {.fd = *(const int*)argument, .events = POLLIN};
    (void)sem_post(&begun);
    return (void*)(intptr_t)poll(&asked, 1, -1);
}

static void* fill(void* argument) {
    static char bytes[CAPACITY + 1];
    (void)sem_post(&begun);
    return (void*)(intptr_t)write(*(const int*)argument, bytes, sizeof(bytes));
}

static void cancel_in(void* (*body)(void*), int* end) {
    for (int i = 0; i < 5; ++i) {
        pthread_t thread;
        void* result = NULL;
        CHECK(pthread_create(&thread, NULL, body, end) == 0 && sem_wait(&begun) == 0);
        if (i % 2 == 0) {
            sleep_ms(2);
        }
        CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
}

static void waits_for_pipes_are_cancelled(void) {
    int ends[2];
    char bytes[CAPACITY];
    (void)sem_init(&begun, 0, 0);
    CHECK(pipe(ends) == 0);
    cancel_in(read_one, &ends[0]);
    cancel_in(poll_for_ever, &ends[0]);
    memset(bytes, 0, sizeof(bytes));
    CHECK(write(ends[1], bytes, sizeof(bytes)) == sizeof(bytes));
    cancel_in(fill, &ends[1]);
    close_both(ends);
}

static void pipes_run_out(void) {
    int ends[128][2];
    int count = 0;
    while (count < 128 && pipe(ends[count]) == 0) {
        ++count;
    }
    CHECK(count >= 32 && count < 128 && errno == ENFILE);
    for (int i = 0; i < count; ++i) {
        close_both(ends[i]);
    }
    CHECK(pipe(ends[0]) == 0 && ends[0][0] == 3 && ends[0][1] == 4);
    for (int i = 5; i < 256; ++i) {
        CHECK(dup(0) == i);
    }
    CHECK(fails(pipe(ends[1]), EMFILE) && close(255) == 0 && fails(pipe(ends[1]), EMFILE));
    for (int i = 3; i < 255; ++i) {
        CHECK(close(i) == 0);
    }
}

static void sockets_go_both_ways(void) {
    int ends[2];
    char buffer[16] = {0};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(write(ends[0], "there", 5) == 5 && send(ends[1], "back", 4, 0) == 4);
    CHECK(read(ends[1], buffer, 16) == 5 && recv(ends[0], buffer, 16, 0) == 4);
    CHECK(fails(recv(ends[0], buffer, 1, MSG_DONTWAIT), EAGAIN));
    struct stat status;
    CHECK(fstat(ends[0], &status) == 0 && S_ISSOCK(status.st_mode));
    CHECK(write(ends[0], "end", 3) == 3 && shutdown(ends[0], SHUT_WR) == 0);
    CHECK(fails(write(ends[0], "x", 1), EPIPE) && read(ends[1], buffer, 16) == 3);
    CHECK(read(ends[1], buffer, 16) == 0 && write(ends[1], "ok", 2) == 2);
    CHECK(read(ends[0], buffer, 16) == 2 && close(ends[1]) == 0 && read(ends[0], buffer, 1) == 0);
    CHECK(close(ends[0]) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK(write(ends[0], "first", 5) == 5 && write(ends[0], "", 0) == 0);
    CHECK(write(ends[0], "second", 6) == 6 && read(ends[1], buffer, 3) == 3);
    CHECK(read(ends[1], buffer, 16) == 0 && read(ends[1], buffer, 16) == 6);
    CHECK(fails(read(ends[1], buffer, 16), EAGAIN));
    CHECK(fails(send(ends[0], buffer, 1 << 20, 0), EMSGSIZE));
    close_both(ends);
    CHECK(fails(socketpair(AF_INET, SOCK_STREAM, 0, ends), EAFNOSUPPORT));
    CHECK(fails(socketpair(AF_UNIX, SOCK_RAW, 0, ends), EPROTOTYPE));
    CHECK(fails(socketpair(AF_UNIX, SOCK_STREAM, 6, ends), EPROTONOSUPPORT));
    CHECK(fails(send(1, "x", 1, 0), ENOTSOCK) && fails(recv(9, buffer, 1, 0), EBADF));
    CHECK(fails(shutdown(1, SHUT_RD), ENOTSOCK));
}

static void poll_tells_what_is_ready(void) {
    int ends[2];
    char bytes[CAPACITY];
    CHECK(pipe(ends) == 0);
    struct pollfd asked[4] = {{.fd = ends[0], .events = POLLIN},
                              {.fd = ends[1], .events = POLLOUT},
                              {.fd = -1, .events = POLLIN},
                              {.fd = 77, .events = 0}};
    CHECK(poll(asked, 3, -1) == 1 && asked[0].revents == 0 && asked[1].revents == POLLOUT);
    CHECK(poll(asked, 4, -1) == 2 && asked[3].revents == POLLNVAL && asked[2].revents == 0);
    memset(bytes, 0, sizeof(bytes));
    CHECK(write(ends[1], bytes, sizeof(bytes)) == sizeof(bytes));
    CHECK(poll(asked, 2, 0) == 1 && asked[0].revents == POLLIN && asked[1].revents == 0);
    CHECK(close(ends[1]) == 0 && poll(asked, 1, 0) == 1);
    CHECK(asked[0].revents == (POLLIN | POLLHUP));
    CHECK(read(ends[0], bytes, sizeof(bytes)) == sizeof(bytes));
    CHECK(poll(asked, 1, -1) == 1 && asked[0].revents == POLLHUP && close(ends[0]) == 0);
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    asked[1].fd = ends[1];
    CHECK(poll(&asked[1], 1, 0) == 1 && (asked[1].revents & POLLERR) != 0 && close(ends[1]) == 0);
    struct pollfd standard[2] = {{.fd = 0, .events = POLLIN},
                                 {.fd = 1, .events = POLLIN | POLLOUT}};
    CHECK(poll(standard, 2, -1) == 2 && standard[1].revents == POLLOUT);
    static struct pollfd many[300];
    CHECK(fails(poll(many, 300, 0), EINVAL));
}

static void* write_later(void* argument) {
    sleep_ms(WAIT_MS);
    CHECK(write(*(const int*)argument, "x", 1) == 1);
    return NULL;
}

static void poll_waits(void) {
    int ends[2];
    pthread_t writer;
    CHECK(pipe(ends) == 0);
    struct pollfd asked = {.fd = ends[0], .events = POLLIN};
    int64_t before = now_ms();
    CHECK(poll(&asked, 1, WAIT_MS) == 0 && now_ms() >= before + WAIT_MS && asked.revents == 0);
    before = now_ms();
    CHECK(poll(NULL, 0, WAIT_MS) == 0 && now_ms() >= before + WAIT_MS);
    CHECK(pthread_create(&writer, NULL, write_later, &ends[1]) == 0);
    CHECK(poll(&asked, 1, -1) == 1 && asked.revents == POLLIN && pthread_join(writer, NULL) == 0);
    const struct timespec wrong = {.tv_sec = 0, .tv_nsec = 1000000000};
    CHECK(fails(ppoll(&asked, 1, &wrong, NULL), EINVAL));
    close_both(ends);
}

static void select_tells_what_is_ready(void) {
    int ends[2];
    pthread_t writer;
    CHECK(pipe(ends) == 0 && dup2(ends[0], 200) == 200);
    fd_set in;
    fd_set out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(200, &in);
    FD_SET((unsigned)ends[1], &out);
    struct timeval time = {.tv_sec = 0, .tv_usec = WAIT_MS * 1000};
    CHECK(select(201, &in, &out, NULL, NULL) == 1 && !FD_ISSET(200, &in) &&
          FD_ISSET((unsigned)ends[1], &out));
    FD_SET(200, &in);
    const int64_t before = now_ms();
    CHECK(select(201, &in, NULL, NULL, &time) == 0 && now_ms() >= before + WAIT_MS);
    CHECK(!FD_ISSET(200, &in));
    FD_SET(200, &in);
    CHECK(pthread_create(&writer, NULL, write_later, &ends[1]) == 0);
    CHECK(select(201, &in, NULL, NULL, NULL) == 1 && FD_ISSET(200, &in));
    CHECK(pthread_join(writer, NULL) == 0 && close(200) == 0);
    CHECK(fails(select(201, &in, NULL, NULL, NULL), EBADF) && FD_ISSET(200, &in));
    CHECK(fails(select(-1, NULL, NULL, NULL, NULL), EINVAL));
    CHECK(fails(select(FD_SETSIZE + 1, NULL, NULL, NULL, NULL), EINVAL));
    time.tv_usec = -1;
    CHECK(fails(select(0, NULL, NULL, NULL, &time), EINVAL));
    close_both(ends);
}

void pipe_tests(void) {
    run_test("pipes-carry-bytes", pipes_carry_bytes);
    run_test("pipes-do-not-wait-if-asked", pipes_do_not_wait_if_asked);
    run_test("pipes-wait-for-each-other", pipes_wait_for_each_other);
    run_test("small-writes-are-whole", small_writes_are_whole);
    run_test("closing-does-not-disturb-readers", closing_does_not_disturb_readers);
    run_test("waits-for-pipes-are-cancelled", waits_for_pipes_are_cancelled);
    run_test("pipes-run-out", pipes_run_out);
    run_test("sockets-go-both-ways", sockets_go_both_ways);
    run_test("poll-tells-what-is-ready", poll_tells_what_is_ready);
    run_test("poll-waits", poll_waits);
    run_test("select-tells-what-is-ready", select_tells_what_is_ready);
}
