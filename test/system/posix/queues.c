// SPDX-License-Identifier: Apache-2.0
// Message queues.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGES = 4,
    SIZE = 32,
    MANY = 500,
    WAIT_MS = 30,
    NANOSECONDS = 1000000,
    SECOND = 1000000000
};

static bool fails(long result, int wanted) { return result == -1 && errno == wanted; }

static mqd_t make(const char* name, int flags) {
    struct mq_attr attributes = {.mq_maxmsg = MESSAGES, .mq_msgsize = SIZE};
    return mq_open(name, O_CREAT | flags, 0600, &attributes);
}

static struct timespec soon(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += WAIT_MS * NANOSECONDS;
    time.tv_sec += time.tv_nsec / SECOND;
    time.tv_nsec %= SECOND;
    return time;
}

static void queues_have_names(void) {
    CHECK(fails(mq_open("/absent", O_RDWR), ENOENT) && fails(mq_unlink("/absent"), ENOENT));
    const mqd_t queue = make("/queue", O_RDWR | O_EXCL);
    CHECK(queue == 3 && fails(make("/queue", O_RDWR | O_EXCL), EEXIST));
    struct mq_attr attributes = {.mq_maxmsg = 0, .mq_msgsize = SIZE};
    CHECK(fails(mq_open("/other", O_CREAT | O_RDWR, 0600, &attributes), EINVAL));
    attributes = (struct mq_attr){.mq_maxmsg = MESSAGES, .mq_msgsize = -1};
    CHECK(fails(mq_open("/other", O_CREAT | O_RDWR, 0600, &attributes), EINVAL));
    attributes = (struct mq_attr){.mq_maxmsg = LONG_MAX, .mq_msgsize = LONG_MAX};
    CHECK(fails(mq_open("/other", O_CREAT | O_RDWR, 0600, &attributes), EINVAL));
    CHECK(fails(mq_open("/a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES));
    char name[NAME_MAX + 3];
    memset(name, 'n', sizeof(name));
    name[NAME_MAX + 2] = '\0';
    CHECK(fails(mq_open(name, O_CREAT | O_RDWR, 0600, NULL), ENAMETOOLONG));
    const mqd_t same = mq_open("/queue", O_RDONLY | O_NONBLOCK);
    CHECK(mq_send(queue, "x", 1, 0) == 0 && mq_getattr(same, &attributes) == 0);
    CHECK(attributes.mq_maxmsg == MESSAGES && attributes.mq_msgsize == SIZE);
    CHECK(attributes.mq_curmsgs == 1 && attributes.mq_flags == O_NONBLOCK);
    CHECK(mq_unlink("/queue") == 0 && fails(mq_open("/queue", O_RDWR), ENOENT));
    CHECK(mq_close(queue) == 0 && mq_getattr(same, &attributes) == 0 && mq_close(same) == 0);
    CHECK(fails(mq_getattr(same, &attributes), EBADF) && fails(mq_close(same), EBADF));
    const mqd_t usual = mq_open("/usual", O_CREAT | O_RDWR, 0600, NULL);
    CHECK(mq_getattr(usual, &attributes) == 0 && attributes.mq_maxmsg == 10);
    CHECK(attributes.mq_msgsize == 8192 && mq_unlink("/usual") == 0 && mq_close(usual) == 0);
}

static void messages_come_by_priority(void) {
    char text[SIZE] = {0};
    unsigned priority = 0;
    const mqd_t queue = make("/order", O_RDWR | O_NONBLOCK);
    CHECK(mq_send(queue, "low", 4, 1) == 0 && mq_send(queue, "high1", 6, 9) == 0);
    CHECK(mq_send(queue, "", 0, 0) == 0 && mq_send(queue, "high2", 6, 9) == 0);
    CHECK(fails(mq_send(queue, "x", 1, 0), EAGAIN));
    CHECK(mq_receive(queue, text, SIZE, &priority) == 6 && priority == 9);
    CHECK(strcmp(text, "high1") == 0 && mq_receive(queue, text, SIZE, NULL) == 6);
    CHECK(strcmp(text, "high2") == 0 && mq_receive(queue, text, SIZE, &priority) == 4);
    CHECK(priority == 1 && mq_receive(queue, text, SIZE, &priority) == 0 && priority == 0);
    CHECK(fails(mq_receive(queue, text, SIZE, NULL), EAGAIN));
    CHECK(fails(mq_receive(queue, text, SIZE - 1, NULL), EMSGSIZE));
    CHECK(fails(mq_send(queue, text, SIZE + 1, 0), EMSGSIZE));
    CHECK(fails(mq_send(queue, text, 1, MQ_PRIO_MAX), EINVAL));
    CHECK(fails(mq_send(1, text, 1, 0), EBADF) && fails(mq_receive(-1, text, SIZE, NULL), EBADF));
    const mqd_t reader = mq_open("/order", O_RDONLY);
    const mqd_t writer = mq_open("/order", O_WRONLY);
    CHECK(fails(mq_send(reader, text, 1, 0), EBADF));
    CHECK(fails(mq_receive(writer, text, SIZE, NULL), EBADF));
    CHECK(mq_unlink("/order") == 0);
    CHECK(mq_close(reader) == 0 && mq_close(writer) == 0 && mq_close(queue) == 0);
}

static void* send_many(void* argument) {
    for (int i = 0; i < MANY; ++i) {
        CHECK(mq_send(*(const mqd_t*)argument, (const char*)&i, sizeof(i), 3) == 0);
    }
    return NULL;
}

static sem_t begun;

static void* receive_one(void* argument) {
    char text[SIZE];
    (void)sem_post(&begun);
    return (void*)(intptr_t)mq_receive(*(const mqd_t*)argument, text, SIZE, NULL);
}

static void queues_wait(void) {
    char text[SIZE];
    mqd_t queue = make("/wait", O_RDWR);
    pthread_t sender;
    CHECK(pthread_create(&sender, NULL, send_many, &queue) == 0);
    for (int i = 0; i < MANY; ++i) {
        int value = -1;
        CHECK(mq_receive(queue, text, SIZE, NULL) == sizeof(value));
        memcpy(&value, text, sizeof(value));
        CHECK(value == i);
    }
    CHECK(pthread_join(sender, NULL) == 0);
    int64_t before = now_ms();
    struct timespec time = soon();
    CHECK(fails(mq_timedreceive(queue, text, SIZE, NULL, &time), ETIMEDOUT));
    CHECK(now_ms() >= before + WAIT_MS - 1);
    struct pollfd asked = {.fd = queue, .events = POLLIN | POLLOUT};
    CHECK(poll(&asked, 1, -1) == 1 && asked.revents == POLLOUT);
    for (int i = 0; i < MESSAGES; ++i) {
        CHECK(mq_timedsend(queue, "m", 1, 0, &time) == 0);  // need not wait
    }
    CHECK(poll(&asked, 1, -1) == 1 && asked.revents == POLLIN);
    CHECK(fails(mq_timedsend(queue, "m", 1, 0, &time), ETIMEDOUT));
    time.tv_nsec = SECOND;
    CHECK(fails(mq_timedsend(queue, "m", 1, 0, &time), EINVAL));
    for (int i = 0; i < MESSAGES; ++i) {
        CHECK(mq_receive(queue, text, SIZE, NULL) == 1);
    }
    (void)sem_init(&begun, 0, 0);
    for (int i = 0; i < 5; ++i) {
        pthread_t receiver;
        void* result = NULL;
        CHECK(pthread_create(&receiver, NULL, receive_one, &queue) == 0 && sem_wait(&begun) == 0);
        CHECK(pthread_cancel(receiver) == 0);
        CHECK(pthread_join(receiver, &result) == 0 && result == PTHREAD_CANCELED);
    }
    struct mq_attr attributes = {.mq_flags = O_NONBLOCK};
    struct mq_attr before_that;
    CHECK(mq_setattr(queue, &attributes, &before_that) == 0 && before_that.mq_flags == 0);
    CHECK(fails(mq_receive(queue, text, SIZE, NULL), EAGAIN));
    CHECK(mq_unlink("/wait") == 0 && mq_close(queue) == 0);
}

static void note_message(union sigval value) { (void)sem_post(value.sival_ptr); }

static void messages_send_signals(void) {
    char text[SIZE];
    sigset_t set;
    siginfo_t info;
    const mqd_t queue = make("/signals", O_RDWR);
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value = {.sival_int = 17}};
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(mq_notify(queue, &event) == 0 && mq_send(queue, "1", 1, 0) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_MESGQ);
    CHECK(info.si_value.sival_int == 17 && info.si_pid == getpid());
    const struct timespec none = {.tv_sec = 0, .tv_nsec = 0};
    CHECK(mq_receive(queue, text, SIZE, NULL) == 1 && mq_send(queue, "2", 1, 0) == 0);
    CHECK(fails(sigtimedwait(&set, NULL, &none), EAGAIN));
    CHECK(mq_receive(queue, text, SIZE, NULL) == 1 && mq_notify(queue, &event) == 0);
    CHECK(mq_notify(queue, NULL) == 0 && mq_send(queue, "3", 1, 0) == 0);
    CHECK(fails(sigtimedwait(&set, NULL, &none), EAGAIN));
    event.sigev_signo = 65;
    CHECK(fails(mq_notify(queue, &event), EINVAL));
    CHECK(mq_close(queue) == 0 && mq_unlink("/signals") == 0);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static void messages_are_announced(void) {
    static sem_t announced;
    char text[SIZE];
    const mqd_t queue = make("/news", O_RDWR);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_value = {.sival_ptr = &announced},
                             .sigev_notify_function = note_message};
    (void)sem_init(&announced, 0, 0);
    CHECK(mq_notify(queue, &event) == 0 && fails(mq_notify(queue, &event), EBUSY));
    CHECK(mq_send(queue, "1", 1, 0) == 0 && sem_wait(&announced) == 0);
    CHECK(mq_notify(queue, &event) == 0 && mq_send(queue, "2", 1, 0) == 0);  // not empty
    CHECK(mq_receive(queue, text, SIZE, NULL) == 1 && mq_receive(queue, text, SIZE, NULL) == 1);
    CHECK(fails(sem_trywait(&announced), EAGAIN));
    CHECK(mq_send(queue, "3", 1, 0) == 0 && sem_wait(&announced) == 0);
    CHECK(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0);
    CHECK(mq_receive(queue, text, SIZE, NULL) == 1 && mq_send(queue, "4", 1, 0) == 0);
    CHECK(mq_notify(queue, &event) == 0 && mq_unlink("/news") == 0 && mq_close(queue) == 0);
    sleep_ms(WAIT_MS);
    CHECK(fails(sem_trywait(&announced), EAGAIN));
    CHECK(fails(mq_notify(queue, &event), EBADF) && fails(mq_notify(queue, NULL), EBADF));
}

static void queues_run_out(void) {
    mqd_t queues[40];
    char name[4] = "/q";
    int count = 0;
    for (; count < 40; ++count) {
        name[2] = (char)('0' + count);
        queues[count] = make(name, O_RDWR);
        if (queues[count] < 0) {
            break;
        }
        CHECK(mq_unlink(name) == 0);
    }
    CHECK(count == 32 && errno == ENFILE);
    for (int i = 0; i < count; ++i) {
        CHECK(mq_close(queues[i]) == 0);
    }
    CHECK(make("/again", O_RDWR) == 3 && mq_unlink("/again") == 0 && mq_close(3) == 0);
}

void queue_tests(void) {
    run_test("queues-have-names", queues_have_names);
    run_test("messages-come-by-priority", messages_come_by_priority);
    run_test("queues-wait", queues_wait);
    run_test("messages-are-announced", messages_are_announced);
    run_test("messages-send-signals", messages_send_signals);
    run_test("queues-run-out", queues_run_out);
}
