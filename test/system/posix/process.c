// SPDX-License-Identifier: Apache-2.0
// What a process is told, what it says of itself, and what there is not.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static int argument_count;
static char** arguments;

static void arguments_and_environment(void) {
    CHECK(argument_count == 3 && strcmp(arguments[0], "tests") == 0);
    CHECK(strcmp(arguments[1], "one") == 0 && strcmp(arguments[2], "two words") == 0);
    CHECK(arguments[3] == NULL);
    arguments[1][0] = 'O';  // may be changed
    CHECK(strcmp(arguments[1], "One") == 0);
    const char* home = getenv("HOME");
    CHECK(home != NULL && strcmp(home, "/nowhere") == 0);
    CHECK(getenv("HOM") == NULL && getenv("ABSENT") == NULL);
    CHECK(setenv("ABSENT", "now there", 0) == 0 && strcmp(getenv("ABSENT"), "now there") == 0);
    CHECK(unsetenv("HOME") == 0 && getenv("HOME") == NULL);
}

static void identity(void) {
    CHECK(getpid() > 0 && getppid() == 1 && getuid() == 0);
    struct utsname name;
    CHECK(uname(&name) == 0);
    CHECK(strcmp(name.sysname, "Tessera") == 0 && strcmp(name.machine, "aarch64") == 0);
    CHECK(strcmp(name.nodename, "tests") == 0 && name.release[0] != '\0');
    CHECK(sysconf(_SC_PAGESIZE) == 4096);
}

static void randomness(void) {
    unsigned char bytes[2][100] = {{0}};
    CHECK(getrandom(bytes[0], 100, 0) == 100 && getrandom(bytes[1], 100, 0) == 100);
    CHECK(memcmp(bytes[0], bytes[1], 100) != 0);
    int seen[256] = {0};
    int distinct = 0;
    for (int i = 0; i < 200; ++i) {
        distinct += seen[bytes[i / 100][i % 100]]++ == 0;
    }
    CHECK(distinct > 90 && distinct < 185);  // of 256: 139 on average
    CHECK(getentropy(bytes[0], 32) == 0);
}

static void there_is_one_user(void) {
    CHECK(setuid(0) == 0 && setgid(0) == 0 && seteuid(0) == 0 && setegid(0) == 0);
    CHECK(setreuid((uid_t)-1, 0) == 0 && setregid(0, (gid_t)-1) == 0);
    errno = 0;
    CHECK(setuid(1) == -1 && errno == EINVAL);
    errno = 0;
    CHECK(setegid(100) == -1 && errno == EINVAL);
    CHECK(getuid() == 0 && getegid() == 0);
    CHECK(getgroups(0, NULL) == 0);
    CHECK(getpgrp() == getpid() && getpgid(0) == getpid() && getsid(getpid()) == getpid());
    errno = 0;
    CHECK(getpgid(getpid() + 1) == -1 && errno == ESRCH);
}

static bool is_missing(int result, int wanted) { return result == -1 && errno == wanted; }

static void what_there_is_not(void) {
    char buffer[8];
    CHECK(is_missing(open("/etc/passwd", O_RDONLY), ENOSYS));
    CHECK(fopen("file", "w") == NULL && errno == ENOSYS);
    CHECK(is_missing(socket(AF_INET, SOCK_STREAM, 0), ENOSYS));
    CHECK(is_missing(mkdir("folder", 0700), ENOSYS));
    CHECK(is_missing((int)write(7, "x", 1), EBADF));
    CHECK(is_missing((int)lseek(1, 0, SEEK_SET), ESPIPE));
    CHECK(is_missing(close(9), EBADF));
    CHECK(read(0, buffer, sizeof(buffer)) == 0 && getchar() == EOF);
}

static void output(void) {
    CHECK(isatty(1) == 1 && isatty(0) == 0);
    CHECK(fprintf(stderr, "posix: a line on stderr\n") == 24);
    char line[600];
    memset(line, 'l', sizeof(line));
    memcpy(line, "posix: long ", 12);
    line[598] = '|';
    line[599] = '\n';
    CHECK(write(1, line, sizeof(line)) == sizeof(line));
    CHECK(printf("posix: in ") == 10 && printf("%s\n", "parts") == 6);
}

void process_tests(int argc, char** argv) {
    argument_count = argc;
    arguments = argv;
    run_test("arguments-and-environment", arguments_and_environment);
    run_test("identity", identity);
    run_test("there-is-one-user", there_is_one_user);
    run_test("randomness", randomness);
    run_test("what-there-is-not", what_there_is_not);
    run_test("output", output);
}
