// SPDX-License-Identifier: Apache-2.0
// Shared memory objects, mappings of them, and the named semaphores that musl makes of them.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 3 };

static bool fails(long result, int wanted) { return result == -1 && errno == wanted; }

static bool is_refused(const void* mapping, int wanted) {
    return mapping == MAP_FAILED && errno == wanted;
}

static unsigned char* share(int object, size_t size, off_t offset) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, object, offset);
}

static void objects_have_names(void) {
    CHECK(fails(shm_open("/absent", O_RDWR, 0), ENOENT) && fails(shm_unlink("/absent"), ENOENT));
    const int first = shm_open("/object", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK(first == 3 && fcntl(first, F_GETFD) == FD_CLOEXEC);
    CHECK(fails(shm_open("/object", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST));
    struct stat status;
    CHECK(fstat(first, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0);
    CHECK((status.st_mode & 07777) == 0640 && status.st_nlink == 1);
    const int second = shm_open("/object", O_RDONLY, 0);
    CHECK(ftruncate(first, 5000) == 0 && fails(ftruncate(second, 1), EINVAL));
    CHECK(fstat(second, &status) == 0 && status.st_size == 5000);
    CHECK(fails(ftruncate(first, -1), EINVAL) && fails(ftruncate(first, LONG_MAX), EFBIG));
    CHECK(shm_unlink("/object") == 0 && fails(shm_open("/object", O_RDWR, 0), ENOENT));
    const int third = shm_open("/object", O_RDWR | O_CREAT, 0600);  // another one
    CHECK(fstat(third, &status) == 0 && status.st_size == 0);
    CHECK(write(first, "x", 1) == 1 && pread(second, &status, 1, 0) == 1);
    CHECK(close(first) == 0 && close(second) == 0 && close(third) == 0);
    CHECK(shm_unlink("/object") == 0);
    char name[NAME_MAX + 3];
    memset(name, 'n', sizeof(name));
    name[NAME_MAX + 2] = '\0';
    CHECK(fails(shm_open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG));
    CHECK(fails(shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL));
}

static void objects_are_files(void) {
    char buffer[16] = {0};
    const int object = shm_open("/file", O_RDWR | O_CREAT, 0600);
    CHECK(write(object, "0123456789", 10) == 10 && lseek(object, 0, SEEK_CUR) == 10);
    CHECK(read(object, buffer, 4) == 0 && lseek(object, -8, SEEK_END) == 2);
    CHECK(read(object, buffer, 4) == 4 && memcmp(buffer, "2345", 4) == 0);
    CHECK(pwrite(object, "ab", 2, PAGE - 1) == 2 && lseek(object, 0, SEEK_CUR) == 6);
    CHECK(pread(object, buffer, 16, PAGE - 2) == 3 && memcmp(buffer, "\0ab", 3) == 0);
    CHECK(ftruncate(object, 5) == 0 && ftruncate(object, 20) == 0);
    CHECK(pread(object, buffer, 16, 3) == 16 && memcmp(buffer, "34\0\0\0\0\0\0", 8) == 0);
    CHECK(fails(pread(object, buffer, 1, -1), EINVAL) &&
          fails(lseek(object, -1, SEEK_SET), EINVAL));
    CHECK(fails(lseek(object, 0, 9), EINVAL) &&
          fails(lseek(object, LONG_MAX, SEEK_END), EOVERFLOW));
    CHECK(shm_unlink("/file") == 0 && close(object) == 0);
}

static void mappings_show_the_same_bytes(void) {
    const int object = shm_open("/mapped", O_RDWR | O_CREAT, 0600);
    CHECK(ftruncate(object, PAGE) == 0);
    unsigned char* early = share(object, PAGE, 0);
    if (!CHECK(early != MAP_FAILED)) {
        return;
    }
    early[10] = 1;
    CHECK(ftruncate(object, PAGES * PAGE) == 0);  // grows under the mapping
    unsigned char* all = share(object, PAGES * PAGE, 0);
    const unsigned char* last = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, object, (PAGES - 1) * PAGE);
    if (!CHECK(all != MAP_FAILED && last != MAP_FAILED)) {
        return;
    }
    CHECK(all[10] == 1 && all[PAGES * PAGE - 1] == 0);
    all[11] = 2;
    all[PAGES * PAGE - 1] = 3;
    CHECK(early[11] == 2 && last[PAGE - 1] == 3);
    unsigned char byte = 0;
    CHECK(pread(object, &byte, 1, PAGES * PAGE - 1) == 1 && byte == 3);
    CHECK(pwrite(object, "w", 1, PAGE) == 1 && all[PAGE] == 'w');
    unsigned char* copy = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, object, 0);
    CHECK(copy != MAP_FAILED && copy[10] == 1 && copy[PAGE] == 'w');
    copy[10] = 9;
    CHECK(early[10] == 1 && munmap(copy, PAGES * PAGE) == 0);
    CHECK(close(object) == 0 && shm_unlink("/mapped") == 0 && munmap(early, PAGE) == 0);
    CHECK(all[10] == 1 && last[PAGE - 1] == 3);  // the memory stays with its mappings
    CHECK(munmap(all, PAGES * PAGE) == 0 && munmap((void*)last, PAGE) == 0);
}

static void wrong_mappings_are_refused(void) {
    const int object = shm_open("/wrong", O_RDWR | O_CREAT, 0600);
    const int reader = shm_open("/wrong", O_RDONLY, 0);
    const int access = PROT_READ | PROT_WRITE;
    CHECK(ftruncate(object, PAGE) == 0);
    CHECK(is_refused(mmap(NULL, PAGE, access, MAP_SHARED, reader, 0), EACCES));
    CHECK(is_refused(mmap(NULL, PAGE, access, MAP_SHARED, 77, 0), EBADF));
    CHECK(is_refused(mmap(NULL, PAGE, access, 0, object, 0), EINVAL));
    CHECK(is_refused(mmap(NULL, 0, access, MAP_SHARED, object, 0), EINVAL));
    CHECK(is_refused(mmap(NULL, PAGE, access, MAP_SHARED, object, 1), EINVAL));
    CHECK(is_refused(mmap(NULL, PAGE, access, MAP_SHARED, object, PAGE), ENXIO));
    CHECK(is_refused(mmap(NULL, PAGE, access | PROT_EXEC, MAP_SHARED, object, 0), ENOTSUP));
    CHECK(is_refused(mmap(NULL, PAGE, access, MAP_PRIVATE, 1, 0), EACCES));
    CHECK(is_refused(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 0, 0), ENODEV));
    void* mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    CHECK(mapping != MAP_FAILED && munmap(mapping, PAGE) == 0);
    CHECK(close(object) == 0 && close(reader) == 0 && shm_unlink("/wrong") == 0);
    // All is given back: objects of a mebibyte each, of the eight that there are.
    for (int i = 0; i < 20; ++i) {
        const int large = shm_open("/large", O_RDWR | O_CREAT, 0600);
        CHECK(ftruncate(large, 1 << 20) == 0);
        unsigned char* bytes = share(large, 1 << 20, 0);
        if (!CHECK(bytes != MAP_FAILED && bytes[(1 << 20) - 1] == 0)) {
            return;
        }
        bytes[(1 << 20) - 1] = 1;
        CHECK(munmap(bytes, 1 << 20) == 0 && close(large) == 0 && shm_unlink("/large") == 0);
    }
    const int huge = shm_open("/huge", O_RDWR | O_CREAT, 0600);
    CHECK(fails(ftruncate(huge, 64 << 20), ENOSPC) && ftruncate(huge, PAGE) == 0);
    CHECK(close(huge) == 0 && shm_unlink("/huge") == 0);
}

static void* post(void* argument) {
    sleep_ms(5);
    sem_t* semaphore = sem_open("/turn", 0);
    CHECK(semaphore == argument && sem_post(semaphore) == 0 && sem_close(semaphore) == 0);
    return NULL;
}

static void semaphores_have_names(void) {
    CHECK(sem_open("/turn", 0) == SEM_FAILED && errno == ENOENT);
    sem_t* semaphore = sem_open("/turn", O_CREAT | O_EXCL, 0600, 1);
    if (!CHECK(semaphore != SEM_FAILED)) {
        return;
    }
    CHECK(sem_open("/turn", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
    CHECK(sem_open("/turn", O_CREAT, 0600, 7) == semaphore && sem_close(semaphore) == 0);
    int value = 0;
    CHECK(sem_getvalue(semaphore, &value) == 0 && value == 1);
    CHECK(sem_wait(semaphore) == 0 && fails(sem_trywait(semaphore), EAGAIN));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, post, semaphore) == 0 && sem_wait(semaphore) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sem_unlink("/turn") == 0 && fails(sem_unlink("/turn"), ENOENT));
    CHECK(sem_open("/turn", 0) == SEM_FAILED && errno == ENOENT);
    CHECK(sem_post(semaphore) == 0 && sem_wait(semaphore) == 0 && sem_close(semaphore) == 0);
    CHECK(sem_open("/high", O_CREAT, 0600, SEM_VALUE_MAX + 1u) == SEM_FAILED && errno == EINVAL);
    sem_t* many[20];
    char name[16];
    for (int i = 0; i < 20; ++i) {
        (void)snprintf(name, sizeof(name), "/many%d", i);
        many[i] = sem_open(name, O_CREAT, 0600, (unsigned)i);
        CHECK(many[i] != SEM_FAILED && sem_getvalue(many[i], &value) == 0 && value == i);
    }
    for (int i = 0; i < 20; ++i) {
        (void)snprintf(name, sizeof(name), "/many%d", i);
        CHECK(sem_close(many[i]) == 0 && sem_unlink(name) == 0);
    }
}

void shared_tests(void) {
    run_test("objects-have-names", objects_have_names);
    run_test("objects-are-files", objects_are_files);
    run_test("mappings-show-the-same-bytes", mappings_show_the_same_bytes);
    run_test("wrong-mappings-are-refused", wrong_mappings_are_refused);
    run_test("semaphores-have-names", semaphores_have_names);
}
