// SPDX-License-Identifier: Apache-2.0
// The table of descriptors, on the three that every process has.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST = 256 };

static bool fails(long result, int wanted) { return result == -1 && errno == wanted; }

static void numbers_are_the_lowest_free(void) {
    CHECK(dup(1) == 3 && dup(2) == 4 && dup(0) == 5);
    CHECK(close(3) == 0 && close(4) == 0);
    CHECK(fcntl(1, F_DUPFD, 4) == 4 && fcntl(1, F_DUPFD, 0) == 3 && fcntl(1, F_DUPFD, 4) == 6);
    CHECK(fails(fcntl(1, F_DUPFD, MOST), EINVAL) && fails(fcntl(1, F_DUPFD, -1), EINVAL));
    CHECK(fails(fcntl(9, F_DUPFD, 0), EBADF) && fails(dup(9), EBADF) && fails(dup(-1), EBADF));
    for (int i = 3; i <= 6; ++i) {
        CHECK(close(i) == 0 && fails(close(i), EBADF));
    }
    CHECK(fails(close(-1), EBADF) && fails(close(MOST), EBADF) && fails(close(INT_MAX), EBADF));
}

static void numbers_run_out(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == MOST);
    CHECK(sysconf(_SC_OPEN_MAX) == MOST);
    int last = 0;
    for (int number = dup(1); number >= 0; number = dup(1)) {
        last = number;
    }
    CHECK(errno == EMFILE && last == MOST - 1);
    CHECK(fails(fcntl(1, F_DUPFD, 3), EMFILE));
    CHECK(dup2(2, 100) == 100);  // needs none
    for (int i = 3; i < MOST; ++i) {
        CHECK(close(i) == 0);
    }
    CHECK(dup(1) == 3 && close(3) == 0);
}

static void numbers_can_be_chosen(void) {
    CHECK(dup2(1, 20) == 20 && write(20, "posix: through 20\n", 18) == 18);
    CHECK(dup2(0, 20) == 20 && fails(write(20, "x", 1), EBADF));
    CHECK(dup2(20, 20) == 20 && fails(dup2(21, 21), EBADF));
    CHECK(fails(dup2(1, MOST), EBADF) && fails(dup2(1, -1), EBADF) && fails(dup2(9, 20), EBADF));
    CHECK(dup3(1, 21, O_CLOEXEC) == 21);
    CHECK(fails(dup3(1, 1, 0), EINVAL) && fails(dup3(1, 21, O_APPEND), EINVAL));
    CHECK(close(20) == 0 && close(21) == 0);
}

static void flags_belong_to_numbers_or_descriptions(void) {
    const int other = dup(1);
    CHECK(fcntl(other, F_GETFD) == 0 && fcntl(other, F_SETFD, FD_CLOEXEC) == 0);
    CHECK(fcntl(other, F_GETFD) == FD_CLOEXEC && fcntl(1, F_GETFD) == 0);
    const int third = fcntl(1, F_DUPFD_CLOEXEC, 0);
    CHECK(fcntl(third, F_GETFD) == FD_CLOEXEC);
    const int fourth = dup(third);
    CHECK(fcntl(fourth, F_GETFD) == 0);
    CHECK((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY);
    CHECK((fcntl(1, F_GETFL) & O_ACCMODE) == O_WRONLY);
    CHECK(fcntl(other, F_SETFL, O_NONBLOCK | O_RDWR) == 0);
    const int flags = fcntl(1, F_GETFL);  // of one description
    CHECK((flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) != 0);
    CHECK(fcntl(1, F_SETFL, 0) == 0 && (fcntl(other, F_GETFL) & O_NONBLOCK) == 0);
    CHECK(fails(fcntl(9, F_GETFD), EBADF) && fails(fcntl(9, F_SETFD, 0), EBADF));
    CHECK(fails(fcntl(9, F_GETFL), EBADF) && fails(fcntl(9, F_SETFL, 0), EBADF));
    CHECK(fails(fcntl(1, 77), EINVAL) && fails(fcntl(9, 77), EBADF));
    CHECK(close(other) == 0 && close(third) == 0 && close(fourth) == 0);
}

static void the_console_is_no_file(void) {
    char buffer[8];
    struct stat status;
    CHECK(fstat(1, &status) == 0 && S_ISCHR(status.st_mode) && status.st_size == 0);
    CHECK(fstat(0, &status) == 0 && S_ISCHR(status.st_mode));
    CHECK(fails(fstat(9, &status), EBADF));
    CHECK(fails(read(1, buffer, 1), EBADF) && fails(write(0, buffer, 1), EBADF));
    CHECK(fails(pread(0, buffer, 1, 0), ESPIPE) && fails(pwrite(1, buffer, 1, 0), ESPIPE));
    CHECK(fails(pread(1, buffer, 1, 0), EBADF) && fails(lseek(1, 0, SEEK_SET), ESPIPE));
    CHECK(fails(ftruncate(1, 0), EINVAL) && fails(ftruncate(9, 0), EBADF));
    CHECK(fails(fsync(1), EINVAL) && fails(fsync(9), EBADF) && fails(fdatasync(9), EBADF));
    CHECK(fails(ioctl(1, 0x1234, 0), ENOTTY) && fails(ioctl(9, TIOCGWINSZ, 0), EBADF));
    CHECK(isatty(1) == 1 && fails(isatty(0) - 1, ENOTTY));
}

static void vectors_are_checked(void) {
    char text[] = "posix: in three parts\n";
    struct iovec parts[3] = {{text, 7}, {text + 7, 0}, {text + 7, 15}};
    CHECK(writev(1, parts, 3) == 22 && writev(1, parts, 0) == 0);
    CHECK(fails(writev(1, parts, IOV_MAX + 1), EINVAL) && fails(writev(1, parts, -1), EINVAL));
    parts[2].iov_len = SSIZE_MAX;
    CHECK(fails(writev(1, parts, 3), EINVAL) && fails(readv(0, parts, 3), EINVAL));
    parts[2].iov_len = 15;
    CHECK(readv(0, parts, 3) == 0 && fails(readv(9, parts, 3), EBADF));
    CHECK(fails(writev(9, parts, 3), EBADF) && fails(preadv(0, parts, 3, 0), ESPIPE));
}

void descriptor_tests(void) {
    run_test("numbers-are-the-lowest-free", numbers_are_the_lowest_free);
    run_test("numbers-run-out", numbers_run_out);
    run_test("numbers-can-be-chosen", numbers_can_be_chosen);
    run_test("flags-belong-to-numbers-or-descriptions", flags_belong_to_numbers_or_descriptions);
    run_test("the-console-is-no-file", the_console_is_no_file);
    run_test("vectors-are-checked", vectors_are_checked);
}
