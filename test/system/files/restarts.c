// SPDX-License-Identifier: Apache-2.0
// The server of files ends again and again. What was open then is EIO, at once and for good, and
// the next file is opened in its next life; nobody waits for ever.
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIVES = 12, MODE = 0644, PATIENCE_MS = 3000, EXIT_CODE = 42, BLOCK = 5000 };

/// Opens a file in the server's present life, or its next one.
static int open_patiently(const char* path) {
    const int64_t end = now_ms() + PATIENCE_MS;
    while (now_ms() < end) {
        const int file = open(path, O_CREAT | O_RDWR | O_TRUNC, MODE);
        if (file >= 0) {
            return file;
        }
        CHECK(errno == EIO);
        sleep_ms(5);
    }
    return -1;
}

/// Works until the server dies under it.
static void use_until_the_end(int file) {
    static char written[BLOCK];
    static char found[BLOCK];
    for (unsigned round = 0;; ++round) {
        memset(written, (int)('a' + round % 26), sizeof written);
        if (pwrite(file, written, sizeof written, 0) != BLOCK) {
            break;
        }
        if (pread(file, found, sizeof found, 0) != BLOCK) {
            break;
        }
        CHECK(memcmp(written, found, sizeof found) == 0);
    }
    CHECK(errno == EIO);
}

static void lives(void) {
    for (int life = 0; life < LIVES; ++life) {
        const int file = open_patiently("/f");
        if (!CHECK(file >= 0)) {
            return;
        }
        const int directory = open("/", O_RDONLY | O_DIRECTORY);
        use_until_the_end(file);
        char byte = 0;
        struct stat status;
        const int next = open_patiently("/g");
        CHECK(next >= 0 && write(next, "new", 3) == 3);
        CHECK(read(file, &byte, 1) == -1 && errno == EIO);
        CHECK(write(file, &byte, 1) == -1 && errno == EIO);
        CHECK(lseek(file, 0, SEEK_SET) == -1 && errno == EIO);
        CHECK(fsync(file) == -1 && errno == EIO);
        CHECK(fstat(file, &status) == -1 && errno == EIO);
        CHECK(directory < 0 || (openat(directory, "g", O_RDONLY) == -1 && errno == EIO));
        CHECK(pread(next, &byte, 1, 0) == 1 && byte == 'n');
        CHECK(close(file) == 0 && close(next) == 0);
        CHECK(directory < 0 || close(directory) == 0);
    }
}

int main(void) {
    run_test("files-outlive-their-server", lives);
    return EXIT_CODE;
}
