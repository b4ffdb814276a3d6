// SPDX-License-Identifier: Apache-2.0
// Signals between threads of this process: actions, masks, handlers, waits, queues.
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

enum { LONG_MS = 1000000, PATIENCE_MS = 20000, QUEUED = 10000, ROUNDS = 20, MAGIC = 4711 };

static atomic_int calls;
static int order[8];
static siginfo_t last_info;
static pthread_t last_thread;

static void count(int signal) {
    (void)signal;
    atomic_fetch_add(&calls, 1);
}

static void note_order(int signal) {
    const int place = atomic_fetch_add(&calls, 1);
    order[place % 8] = signal;
}

static void note_info(int signal, siginfo_t* info, void* context) {
    last_info = *info;
    last_thread = pthread_self();
    CHECK(info->si_signo == signal && context != NULL);
    atomic_fetch_add(&calls, 1);
}

static sigset_t set_of(int first, int second) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, first);
    if (second != 0) {
        (void)sigaddset(&set, second);
    }
    return set;
}

static void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_flags = flags};
    action.sa_handler = handler;
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void inform(int signal, int flags) {
    struct sigaction action = {.sa_flags = flags | SA_SIGINFO};
    action.sa_sigaction = note_info;
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void block(int how, int first, int second) {
    const sigset_t set = set_of(first, second);
    CHECK(sigprocmask(how, &set, NULL) == 0);
}

static bool is_blocked(int signal) {
    sigset_t set;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0);
    return sigismember(&set, signal) == 1;
}

static bool is_pending(int signal) {
    sigset_t set;
    CHECK(sigpending(&set) == 0);
    return sigismember(&set, signal) == 1;
}

static bool fails(int result, int wanted) { return result == -1 && errno == wanted; }

static void handlers_run_before_raise_returns(void) {
    atomic_store(&calls, 0);
    handle(SIGUSR1, count, 0);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 1);
    CHECK(kill(getpid(), SIGUSR1) == 0 && atomic_load(&calls) == 2);
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && atomic_load(&calls) == 3);
    CHECK(kill(0, SIGUSR1) == 0 && atomic_load(&calls) == 4);
    CHECK(kill(getpid(), 0) == 0 && pthread_kill(pthread_self(), 0) == 0);
    CHECK(fails(raise(65), EINVAL) && fails(raise(-1), EINVAL));
    CHECK(fails(kill(getpid(), 65), EINVAL) && fails(kill(getpid() + 1000, 0), ESRCH));
    CHECK(pthread_kill(pthread_self(), 70) == EINVAL);
    inform(SIGUSR2, 0);
    CHECK(kill(getpid(), SIGUSR2) == 0 && atomic_load(&calls) == 5);
    CHECK(last_info.si_code == SI_USER && last_info.si_pid == getpid() && last_info.si_uid == 0);
    CHECK(raise(SIGUSR2) == 0 && last_info.si_code == SI_TKILL);
    CHECK(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = MAGIC}) == 0);
    CHECK(last_info.si_code == SI_QUEUE && last_info.si_value.sival_int == MAGIC);
    CHECK(atomic_load(&calls) == 7);
    CHECK(fails(sigqueue(getpid(), 99, (union sigval){0}), EINVAL));
    CHECK(sigqueue(getpid(), 0, (union sigval){0}) == 0);
}

static void actions_are_kept(void) {
    struct sigaction action = {.sa_flags = SA_RESTART};
    struct sigaction before;
    action.sa_handler = count;
    action.sa_mask = set_of(SIGHUP, SIGALRM);
    CHECK(sigaction(SIGTERM, &action, &before) == 0 && before.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGTERM, NULL, &before) == 0 && before.sa_handler == count);
    CHECK((before.sa_flags & SA_RESTART) != 0 && sigismember(&before.sa_mask, SIGHUP) == 1);
    CHECK(sigismember(&before.sa_mask, SIGALRM) == 1 && sigismember(&before.sa_mask, SIGINT) == 0);
    CHECK(fails(sigaction(SIGKILL, &action, NULL), EINVAL));
    CHECK(fails(sigaction(SIGSTOP, &action, NULL), EINVAL));
    CHECK(fails(sigaction(0, &action, NULL), EINVAL) && fails(sigaction(65, NULL, NULL), EINVAL));
    CHECK(signal(SIGTERM, SIG_IGN) == count && signal(SIGTERM, SIG_DFL) == SIG_IGN);
    // What does nothing.
    CHECK(raise(SIGCHLD) == 0 && raise(SIGURG) == 0 && raise(SIGWINCH) == 0 && raise(SIGCONT) == 0);
    CHECK(raise(SIGTSTP) == 0 && fails(raise(SIGSTOP), ENOSYS));
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0);
    // Only once.
    atomic_store(&calls, 0);
    handle(SIGUSR1, count, (int)SA_RESETHAND);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 1);
    CHECK(sigaction(SIGUSR1, NULL, &before) == 0 && before.sa_handler == SIG_DFL);
}

static void masks_hold_signals_back(void) {
    atomic_store(&calls, 0);
    handle(SIGUSR1, note_order, 0);
    handle(SIGUSR2, note_order, 0);
    handle(SIGRTMIN + 1, note_order, 0);
    block(SIG_BLOCK, SIGUSR1, SIGUSR2);
    block(SIG_BLOCK, SIGRTMIN + 1, SIGKILL);
    CHECK(is_blocked(SIGUSR1) && !is_blocked(SIGKILL) && !is_blocked(SIGTERM));
    CHECK(raise(SIGRTMIN + 1) == 0 && raise(SIGRTMIN + 1) == 0 && raise(SIGUSR2) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && kill(getpid(), SIGUSR1) == 0);
    CHECK(atomic_load(&calls) == 0 && is_pending(SIGUSR1) && is_pending(SIGUSR2));
    CHECK(is_pending(SIGRTMIN + 1) && !is_pending(SIGTERM));
    block(SIG_UNBLOCK, SIGUSR1, SIGUSR2);
    CHECK(atomic_load(&calls) == 2 && !is_pending(SIGUSR1));
    block(SIG_UNBLOCK, SIGRTMIN + 1, 0);  // queued: both
    CHECK(atomic_load(&calls) == 4 && order[2] == SIGRTMIN + 1 && order[3] == SIGRTMIN + 1);
    // Ignoring takes away what is pending.
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK(raise(SIGUSR1) == 0 && is_pending(SIGUSR1));
    CHECK(signal(SIGUSR1, SIG_IGN) == note_order && !is_pending(SIGUSR1));
    handle(SIGUSR1, count, 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK(atomic_load(&calls) == 4);
    sigset_t set = set_of(SIGUSR1, 0);
    CHECK(fails(sigprocmask(9, &set, NULL), EINVAL) && pthread_sigmask(9, &set, NULL) == EINVAL);
}

static int depth;
static int deepest;

static void nest(int signal) {
    ++depth;
    deepest = depth > deepest ? depth : deepest;
    if (atomic_fetch_add(&calls, 1) < 3) {
        CHECK(raise(signal) == 0);
    }
    --depth;
}

static void look_at_mask(int signal) {
    CHECK(is_blocked(signal) && is_blocked(SIGHUP) && !is_blocked(SIGINT));
    atomic_fetch_add(&calls, 1);
}

static void change_context(int signal, siginfo_t* info, void* context) {
    (void)signal;
    (void)info;
    (void)sigaddset(&((ucontext_t*)context)->uc_sigmask, SIGINT);
}

static void handlers_nest(void) {
    atomic_store(&calls, 0);
    deepest = 0;
    handle(SIGUSR1, nest, 0);  // one after the other
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 4 && deepest == 1);
    atomic_store(&calls, 0);
    handle(SIGUSR1, nest, SA_NODEFER);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 4 && deepest == 4);
    struct sigaction action = {.sa_mask = set_of(SIGHUP, 0)};
    action.sa_handler = look_at_mask;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 5);
    CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGHUP));
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = change_context;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && is_blocked(SIGINT));
    block(SIG_UNBLOCK, SIGINT, 0);
}

static sigjmp_buf back;

static void jump(int signal) {
    atomic_fetch_add(&calls, 1);
    siglongjmp(back, signal);
}

static void handlers_jump_out(void) {
    volatile int rounds = 0;
    atomic_store(&calls, 0);
    handle(SIGUSR1, jump, 0);
    if (sigsetjmp(back, 1) != 0) {
        ++rounds;
        CHECK(!is_blocked(SIGUSR1));
    }
    if (rounds < ROUNDS) {
        (void)raise(SIGUSR1);
        CHECK(false);
    }
    CHECK(atomic_load(&calls) == ROUNDS);
    if (sigsetjmp(back, 0) == 0) {
        (void)raise(SIGUSR1);
    }
    CHECK(is_blocked(SIGUSR1));  // the mask was not kept
    block(SIG_UNBLOCK, SIGUSR1, 0);
}

static char other_stack[SIGSTKSZ];

static void note_stack(int signal) {
    (void)signal;
    char here;
    stack_t now;
    const char* volatile at = &here;
    CHECK(at >= other_stack && at < other_stack + sizeof(other_stack));
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
    CHECK(fails(sigaltstack(&now, NULL), EINVAL));
    now.ss_flags = 0;
    CHECK(fails(sigaltstack(&now, NULL), EPERM));
    atomic_fetch_add(&calls, 1);
}

static void handlers_have_stacks(void) {
    atomic_store(&calls, 0);
    stack_t stack = {.ss_sp = other_stack, .ss_size = 100};
    stack_t before;
    CHECK(fails(sigaltstack(&stack, NULL), ENOMEM));
    stack.ss_size = sizeof(other_stack);
    CHECK(sigaltstack(&stack, &before) == 0 && before.ss_flags == SS_DISABLE);
    CHECK(sigaltstack(NULL, &before) == 0 && before.ss_sp == other_stack && before.ss_flags == 0);
    handle(SIGUSR1, note_stack, SA_ONSTACK);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 1);
    stack.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&stack, NULL) == 0);
    handle(SIGUSR1, count, SA_ONSTACK);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&calls) == 2);
}

static sem_t begun;
static sem_t never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static atomic_int goes_on;

static void* sleep_until_signal(void* argument) {
    struct timespec left = {0};
    (void)sem_post(&begun);
    CHECK(fails(nanosleep(&(struct timespec){.tv_sec = LONG_MS}, &left), EINTR));
    CHECK(left.tv_sec > LONG_MS / 2 && left.tv_sec < LONG_MS);
    (void)sem_post(&begun);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = LONG_MS}, &left) ==
          EINTR);
    (void)sem_post(&begun);
    CHECK(fails(pause(), EINTR));
    (void)sem_post(&begun);
    CHECK(sleep(LONG_MS) > 0);
    return argument;
}

static void* wait_for_semaphore(void* argument) {
    for (int i = 0; i < 4; ++i) {
        (void)sem_post(&begun);
        CHECK(fails(sem_wait(&never), EINTR));
    }
    return argument;
}

static void* wait_for_condition(void* argument) {
    (void)pthread_mutex_lock(&mutex);
    (void)sem_post(&begun);
    while (!atomic_load(&goes_on)) {
        CHECK(pthread_cond_wait(&condition, &mutex) == 0);
    }
    (void)pthread_mutex_unlock(&mutex);
    return argument;
}

static void* wait_for_mutex(void* argument) {
    (void)sem_post(&begun);
    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return argument;
}

static void await_calls(int wanted) {
    const int64_t begin = now_ms();
    while (atomic_load(&calls) < wanted && now_ms() - begin < PATIENCE_MS) {
        sleep_ms(1);
    }
    CHECK(atomic_load(&calls) == wanted);
}

static void waits_end_for_handlers(void) {
    CHECK(sem_init(&begun, 0, 0) == 0 && sem_init(&never, 0, 0) == 0);
    void* (*const bodies[])(void*) = {sleep_until_signal, wait_for_semaphore};
    handle(SIGUSR1, count, 0);
    for (int i = 0; i < 2 * ROUNDS; ++i) {
        pthread_t thread;
        atomic_store(&calls, 0);
        CHECK(pthread_create(&thread, NULL, bodies[i % 2], NULL) == 0);
        for (int signals = 1; signals <= 4; ++signals) {
            (void)sem_wait(&begun);
            sleep_ms(2);  // it waits by now
            CHECK(pthread_kill(thread, SIGUSR1) == 0);
            await_calls(signals);
        }
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

static void waits_go_on_after_handlers(void) {
    pthread_t thread;
    handle(SIGUSR1, count, 0);
    atomic_store(&calls, 0);
    atomic_store(&goes_on, 0);
    CHECK(pthread_create(&thread, NULL, wait_for_condition, NULL) == 0);
    (void)sem_wait(&begun);
    for (int i = 1; i <= ROUNDS; ++i) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        await_calls(i);
    }
    (void)pthread_mutex_lock(&mutex);
    atomic_store(&goes_on, 1);
    (void)pthread_cond_signal(&condition);
    (void)pthread_mutex_unlock(&mutex);
    CHECK(pthread_join(thread, NULL) == 0);

    atomic_store(&calls, 0);
    (void)pthread_mutex_lock(&mutex);
    CHECK(pthread_create(&thread, NULL, wait_for_mutex, NULL) == 0);
    (void)sem_wait(&begun);
    for (int i = 1; i <= ROUNDS; ++i) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        await_calls(i);
    }
    (void)pthread_mutex_unlock(&mutex);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void* wait_and_restart(void* argument) {
    (void)sem_post(&begun);
    CHECK(sem_wait(&never) == 0);
    return argument;
}

static void calls_are_made_again(void) {
    pthread_t thread;
    handle(SIGUSR1, count, SA_RESTART);
    atomic_store(&calls, 0);
    CHECK(pthread_create(&thread, NULL, wait_and_restart, NULL) == 0);
    (void)sem_wait(&begun);
    for (int i = 1; i <= ROUNDS; ++i) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        await_calls(i);
    }
    CHECK(sem_post(&never) == 0 && pthread_join(thread, NULL) == 0);
    handle(SIGUSR1, SIG_IGN, 0);  // ends no wait
    CHECK(pthread_create(&thread, NULL, wait_and_restart, NULL) == 0);
    (void)sem_wait(&begun);
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    sleep_ms(5);
    CHECK(sem_post(&never) == 0 && pthread_join(thread, NULL) == 0);
}

static void* suspend_once(void* argument) {
    sigset_t none;
    (void)sigemptyset(&none);
    for (int i = 0; i < 1000; ++i) {
        CHECK(fails(sigsuspend(&none), EINTR));
        CHECK(is_blocked(SIGUSR1));
        CHECK(atomic_load(&calls) == i + 1);
        (void)sem_post(&begun);
    }
    return argument;
}

static void suspending_loses_nothing(void) {
    pthread_t thread;
    handle(SIGUSR1, count, 0);
    atomic_store(&calls, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK(pthread_create(&thread, NULL, suspend_once, NULL) == 0);
    for (int i = 0; i < 1000; ++i) {
        CHECK((i % 2 == 0 ? pthread_kill(thread, SIGUSR1) : kill(getpid(), SIGUSR1)) == 0);
        (void)sem_wait(&begun);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK(atomic_load(&calls) == 1000);
}

static void signals_are_awaited(void) {
    siginfo_t info;
    int signal = 0;
    sigset_t set = set_of(SIGUSR1, SIGRTMIN);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(fails(sigtimedwait(&set, &info, &(struct timespec){0}), EAGAIN));
    CHECK(fails(sigtimedwait(&set, &info, &(struct timespec){.tv_nsec = 1000000000}), EINVAL));
    const int64_t begin = now_ms();
    CHECK(fails(sigtimedwait(&set, &info, &(struct timespec){.tv_nsec = 30000000}), EAGAIN));
    CHECK(now_ms() - begin >= 29);
    CHECK(kill(getpid(), SIGUSR1) == 0 && sigwait(&set, &signal) == 0 && signal == SIGUSR1);
    for (int i = 0; i < 3; ++i) {
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == i);
        CHECK(info.si_signo == SIGRTMIN && info.si_code == SI_QUEUE && info.si_pid == getpid());
    }
    CHECK(!is_pending(SIGRTMIN));
    int accepted = 0;
    while (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0) {
        ++accepted;
    }
    CHECK(errno == EAGAIN && accepted >= 32);
    for (; accepted > 0; --accepted) {
        CHECK(sigwaitinfo(&set, NULL) == SIGRTMIN);
    }
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static atomic_int queued;

static void* queue_many(void* argument) {
    const int signal = SIGRTMIN + (int)(intptr_t)argument;
    for (int i = 0; i < atomic_load(&queued); ++i) {
        while (sigqueue(getpid(), signal, (union sigval){.sival_int = i}) != 0) {
            CHECK(errno == EAGAIN);
            sleep_ms(1);
        }
    }
    return NULL;
}

static atomic_int sums[2];

static void note_queued(int signal, siginfo_t* info, void* context) {
    (void)context;
    atomic_int* const next = &sums[signal - SIGRTMIN];
    CHECK(info->si_value.sival_int == atomic_load(next));  // in turn
    atomic_fetch_add(next, 1);
}

/// By handlers or by sigwaitinfo; the senders have the signals masked.
static void send_many(bool waits, int each) {
    pthread_t threads[2];
    atomic_store(&queued, each);
    const sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1);
    atomic_store(&sums[0], 0);
    atomic_store(&sums[1], 0);
    struct sigaction action = {.sa_flags = SA_SIGINFO, .sa_mask = set};
    action.sa_sigaction = note_queued;
    CHECK(sigaction(SIGRTMIN, &action, NULL) == 0);
    CHECK(sigaction(SIGRTMIN + 1, &action, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    for (intptr_t i = 0; i < 2; ++i) {
        CHECK(pthread_create(&threads[i], NULL, queue_many, (void*)i) == 0);
    }
    sigset_t none;
    (void)sigemptyset(&none);
    while (atomic_load(&sums[0]) + atomic_load(&sums[1]) < 2 * each) {
        siginfo_t info;
        if (!waits) {
            (void)sigsuspend(&none);
        } else if (CHECK(sigwaitinfo(&set, &info) >= SIGRTMIN)) {
            note_queued(info.si_signo, &info, NULL);
        }
    }
    CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    CHECK(!is_pending(SIGRTMIN) && !is_pending(SIGRTMIN + 1));
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static void queues_lose_nothing(void) {
    send_many(false, QUEUED);
    send_many(true, QUEUED / 10);
}

static atomic_bool stops;

static void* send_until_told(void* argument) {
    const pthread_t target = *(const pthread_t*)argument;
    while (!atomic_load(&stops)) {
        CHECK(pthread_kill(target, SIGUSR1) == 0);
        (void)sched_yield();
    }
    return NULL;
}

/// Waits of all kinds under a rain of signals still do what they are for.
static void waits_survive_many_signals(void) {
    pthread_t sender;
    pthread_t threads[3];
    pthread_t self = pthread_self();
    handle(SIGUSR1, count, 0);
    atomic_store(&calls, 0);
    atomic_store(&stops, false);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK(pthread_create(&sender, NULL, send_until_told, &self) == 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    for (int i = 0; i < ROUNDS; ++i) {
        atomic_store(&goes_on, 0);
        (void)pthread_mutex_lock(&mutex);
        CHECK(pthread_create(&threads[0], NULL, wait_for_condition, NULL) == 0);
        CHECK(pthread_create(&threads[1], NULL, wait_for_mutex, NULL) == 0);
        (void)pthread_mutex_unlock(&mutex);
        for (int j = 0; j < 2; ++j) {
            while (sem_wait(&begun) != 0) {
                CHECK(errno == EINTR);
            }
        }
        (void)pthread_mutex_lock(&mutex);
        atomic_store(&goes_on, 1);
        (void)pthread_cond_broadcast(&condition);
        (void)pthread_mutex_unlock(&mutex);
        CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    }
    atomic_store(&stops, true);
    CHECK(pthread_join(sender, NULL) == 0);
    CHECK(atomic_load(&calls) > 0);
}

static void* await_process_signal(void* argument) {
    int signal = 0;
    const sigset_t set = set_of(SIGUSR2, 0);
    CHECK(sigwait(&set, &signal) == 0 && signal == SIGUSR2);
    atomic_fetch_add(&calls, 1);
    return argument;
}

static void processes_choose_threads(void) {
    pthread_t threads[3];
    atomic_store(&calls, 0);
    block(SIG_BLOCK, SIGUSR2, 0);
    for (int i = 0; i < 3; ++i) {
        CHECK(pthread_create(&threads[i], NULL, await_process_signal, NULL) == 0);
    }
    for (int i = 1; i <= 3; ++i) {
        CHECK(kill(getpid(), SIGUSR2) == 0);
        await_calls(i);
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    // Masked here, so that the other one takes it.
    inform(SIGUSR2, 0);
    block(SIG_UNBLOCK, SIGUSR2, 0);
    CHECK(pthread_create(&threads[0], NULL, wait_and_restart, NULL) == 0);
    block(SIG_BLOCK, SIGUSR2, 0);
    (void)sem_wait(&begun);
    inform(SIGUSR2, SA_RESTART);
    CHECK(kill(getpid(), SIGUSR2) == 0);
    await_calls(4);
    CHECK(pthread_equal(last_thread, threads[0]) && !is_pending(SIGUSR2));
    CHECK(sem_post(&never) == 0 && pthread_join(threads[0], NULL) == 0);
    block(SIG_UNBLOCK, SIGUSR2, 0);
}

static void* send_later(void* argument) {
    sleep_ms(20);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    return argument;
}

static void masks_hold_while_polling(void) {
    int ends[2];
    const sigset_t none = set_of(0, 0);
    const sigset_t most = set_of(SIGUSR1, 0);
    const struct timespec moment = {.tv_sec = 0, .tv_nsec = 1000000};
    const struct timespec long_time = {.tv_sec = 20, .tv_nsec = 0};
    CHECK(pipe(ends) == 0);
    struct pollfd asked = {.fd = ends[0], .events = POLLIN};
    fd_set set;
    FD_ZERO(&set);
    FD_SET((unsigned)ends[0], &set);
    inform(SIGUSR1, SA_RESTART);
    atomic_store(&calls, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK(raise(SIGUSR1) == 0);
    // One that waits already, and one that comes later.
    errno = 0;
    CHECK(ppoll(&asked, 1, &long_time, &none) == -1 && errno == EINTR);
    CHECK(atomic_load(&calls) == 1 && is_blocked(SIGUSR1));
    CHECK(raise(SIGUSR1) == 0);
    errno = 0;
    CHECK(pselect(ends[0] + 1, &set, NULL, NULL, &long_time, &none) == -1 && errno == EINTR);
    CHECK(atomic_load(&calls) == 2 && is_blocked(SIGUSR1));
    pthread_t sender;
    CHECK(pthread_create(&sender, NULL, send_later, NULL) == 0);
    errno = 0;
    CHECK(ppoll(&asked, 1, NULL, &none) == -1 && errno == EINTR);
    CHECK(pthread_join(sender, NULL) == 0 && atomic_load(&calls) == 3);
    // Held back by the mask of the call, it comes when that ends.
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK(pthread_create(&sender, NULL, send_later, NULL) == 0);
    const struct timespec enough = {.tv_sec = 0, .tv_nsec = 80000000};
    CHECK(ppoll(&asked, 1, &enough, &most) == 0);
    CHECK(pthread_join(sender, NULL) == 0 && atomic_load(&calls) == 4);
    CHECK(write(ends[1], "x", 1) == 1 && ppoll(&asked, 1, &moment, &most) == 1);
    CHECK(!is_blocked(SIGUSR1));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

void signal_tests(void) {
    run_test("handlers-run-before-raise-returns", handlers_run_before_raise_returns);
    run_test("actions-are-kept", actions_are_kept);
    run_test("masks-hold-signals-back", masks_hold_signals_back);
    run_test("handlers-nest", handlers_nest);
    run_test("handlers-jump-out", handlers_jump_out);
    run_test("handlers-have-stacks", handlers_have_stacks);
    run_test("waits-end-for-handlers", waits_end_for_handlers);
    run_test("waits-go-on-after-handlers", waits_go_on_after_handlers);
    run_test("calls-are-made-again", calls_are_made_again);
    run_test("suspending-loses-nothing", suspending_loses_nothing);
    run_test("signals-are-awaited", signals_are_awaited);
    run_test("masks-hold-while-polling", masks_hold_while_polling);
    run_test("processes-choose-threads", processes_choose_threads);
    run_test("waits-survive-many-signals", waits_survive_many_signals);
    run_test("queues-lose-nothing", queues_lose_nothing);
}
