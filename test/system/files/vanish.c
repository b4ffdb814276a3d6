// SPDX-License-Identifier: Apache-2.0
// The driver of a disk ends and does not come back. What has to reach the disk is EIO, the first
// time after a while, then at once; nothing hangs, and what is on other file systems goes on.
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0644, BLOCK = 8192, PATIENCE_MS = 30000, SOON_MS = 3000, EXIT_CODE = 42 };

#define REFUSED(call, error) CHECK((errno = 0, (call) == -1) && errno == (error))

static char block[BLOCK];

static void vanishes(void) {
    const int lost = open("/safe/lost", O_CREAT | O_RDWR, MODE);
    const int other = open("/other", O_CREAT | O_RDWR, MODE);
    CHECK(lost >= 0 && other >= 0 && pwrite(lost, "first", 5, 0) == 5 && fsync(lost) == 0);

    // Until the driver has gone.
    const int64_t end = now_ms() + PATIENCE_MS;
    int rounds = 0;
    while (now_ms() < end && pwrite(lost, block, BLOCK, 0) > 0 && fsync(lost) == 0) {
        ++rounds;
    }
    CHECK(errno == EIO && rounds > 0 && now_ms() < end);

    // Changes may still be made in memory, but nobody is told that they are durable.
    const int64_t begun = now_ms();
    (void)mkdir("/safe/directory", 0755);
    (void)rename("/safe/lost", "/safe/found");
    REFUSED(fsync(lost), EIO);
    REFUSED(fdatasync(lost), EIO);
    REFUSED(pwrite(lost, block, BLOCK, 0), EIO);
    REFUSED(pread(lost, block, BLOCK, 0), EIO);
    REFUSED(fsync(lost), EIO);
    CHECK(close(lost) == 0);
    CHECK(now_ms() - begun < SOON_MS);

    char found[5] = "";
    CHECK(pwrite(other, "other", 5, 0) == 5 && fsync(other) == 0);
    CHECK(pread(other, found, 5, 0) == 5 && memcmp(found, "other", 5) == 0);
    CHECK(rename("/other", "/another") == 0 && unlink("/another") == 0 && close(other) == 0);
}

int main(void) {
    run_test("files-of-a-vanished-disk", vanishes);
    return EXIT_CODE;
}
