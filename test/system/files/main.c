// SPDX-License-Identifier: Apache-2.0
// Files as POSIX has them, on a ramfs at / and a safefs at /safe.
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MODE = 0644, LARGE = 300 * 1000, EXIT_CODE = 42 };

#define REFUSED(call, error) CHECK((errno = 0, (call) == -1) && errno == (error))

static const char* const places[] = {"/", "/safe"};

static void in_each_place(void (*body)(void)) {
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        CHECK(chdir(places[i]) == 0);
        body();
    }
}

static void write_file(const char* path, const char* text) {
    const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, MODE);
    CHECK(file >= 0);
    CHECK(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(file) == 0);
}

static bool has_text(const char* path, const char* text) {
    char found[256] = {0};
    const int file = open(path, O_RDONLY);
    const ssize_t size = read(file, found, sizeof found - 1);
    return close(file) == 0 && size == (ssize_t)strlen(text) && strcmp(found, text) == 0;
}

static void round_trip(void) {
    write_file("a", "hello");
    CHECK(has_text("a", "hello"));
    const int file = open("a", O_RDWR | O_APPEND);
    CHECK(write(file, ", world", 7) == 7);
    CHECK(lseek(file, 0, SEEK_CUR) == 12);
    CHECK(pwrite(file, "!", 1, 0) == 1);
    CHECK(lseek(file, -6, SEEK_END) == 7);
    char text[8] = {0};
    CHECK(read(file, text, sizeof text) == 6 && strcmp(text, "world!") == 0);
    CHECK(read(file, text, sizeof text) == 0);
    CHECK(pread(file, text, 5, 0) == 5 && memcmp(text, "hello", 5) == 0);
    CHECK(ftruncate(file, 3) == 0 && fsync(file) == 0 && fdatasync(file) == 0);
    CHECK(close(file) == 0 && has_text("a", "hel"));
    CHECK(truncate("a", 1) == 0 && has_text("a", "h"));
    CHECK(unlink("a") == 0);
    REFUSED(open("a", O_RDONLY), ENOENT);
}

static void round_trips(void) { in_each_place(round_trip); }

static void refusal(void) {
    write_file("f", "x");
    CHECK(mkdir("d", 0755) == 0);
    CHECK(close(open("only-new", O_CREAT | O_EXCL | O_WRONLY, MODE)) == 0 &&
          unlink("only-new") == 0);
    REFUSED(open("f", O_CREAT | O_EXCL | O_WRONLY, MODE), EEXIST);
    REFUSED(open("f/g", O_RDONLY), ENOTDIR);
    REFUSED(open("d", O_WRONLY), EISDIR);
    REFUSED(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    REFUSED(open("", O_RDONLY), ENOENT);
    REFUSED(mkdir("d", 0755), EEXIST);
    REFUSED(mkdir("nothing/d", 0755), ENOENT);
    REFUSED(rmdir("f"), ENOTDIR);
    REFUSED(unlink("d"), EISDIR);
    REFUSED(rename("f", "d"), EISDIR);
    REFUSED(rename("d", "f"), ENOTDIR);
    REFUSED(rename("d", "d/e"), EINVAL);
    REFUSED(chdir("f"), ENOTDIR);
    char longest[300];
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    REFUSED(open(longest, O_RDONLY), ENAMETOOLONG);
    const int reader = open("f", O_RDONLY);
    REFUSED(write(reader, "x", 1), EBADF);
    REFUSED(lseek(reader, -1, SEEK_SET), EINVAL);
    REFUSED(read(77, longest, 1), EBADF);
    REFUSED(pread(reader, longest, 1, -1), EINVAL);
    CHECK(close(reader) == 0);
    REFUSED(close(reader), EBADF);
    CHECK(chmod("f", 0200) == 0);
    REFUSED(open("f", O_RDONLY), EACCES);
    REFUSED(access("f", R_OK), EACCES);
    CHECK(access("f", W_OK) == 0);
    CHECK(unlink("f") == 0 && rmdir("d") == 0);
}

static void refusals(void) { in_each_place(refusal); }

static void large_file(void) {
    unsigned char* const written = malloc(LARGE);
    unsigned char* const found = malloc(LARGE);
    for (int i = 0; i < LARGE; ++i) {
        written[i] = (unsigned char)((unsigned)i * 2654435761U >> 24);
    }
    const int file = open("large", O_CREAT | O_RDWR, MODE);
    CHECK(write(file, written, LARGE) == LARGE);
    CHECK(pread(file, found, LARGE, 0) == LARGE && memcmp(written, found, LARGE) == 0);
    CHECK(pread(file, found, LARGE, 1000) == LARGE - 1000 &&
          memcmp(written + 1000, found, LARGE - 1000) == 0);
    const struct iovec parts[] = {{found, 10}, {found + 20, 100000}, {found + 200000, 5}};
    CHECK(lseek(file, 0, SEEK_SET) == 0);
    CHECK(readv(file, parts, 3) == 100015);
    CHECK(memcmp(found + 20, written + 10, 100000) == 0 &&
          memcmp(found + 200000, written + 100010, 5) == 0);
    CHECK(close(file) == 0 && unlink("large") == 0);
    free(written);
    free(found);
}

static void large_files(void) { in_each_place(large_file); }

static void directory(void) {
    CHECK(mkdir("list", 0755) == 0 && chdir("list") == 0);
    char name[16];
    for (int i = 0; i < 50; ++i) {
        (void)snprintf(name, sizeof name, "entry%d", i);
        write_file(name, "");
    }
    unsigned long long seen = 0;
    int others = 0;
    DIR* const entries = opendir(".");
    CHECK(entries != NULL);
    for (const struct dirent* entry; (entry = readdir(entries)) != NULL;) {
        int number = 0;
        if (sscanf(entry->d_name, "entry%d", &number) == 1) {
            CHECK(entry->d_type == DT_REG && (seen & 1ULL << number) == 0);
            seen |= 1ULL << number;
        } else {
            CHECK(entry->d_type == DT_DIR);
            ++others;
        }
    }
    CHECK(seen == (1ULL << 50) - 1 && others == 2);
    rewinddir(entries);
    CHECK(readdir(entries) != NULL);
    CHECK(closedir(entries) == 0);
    char path[64];
    CHECK(getcwd(path, sizeof path) != NULL && strstr(path, "/list") != NULL);
    errno = 0;
    CHECK(getcwd(path, 3) == NULL && errno == ERANGE);
    for (int i = 0; i < 50; ++i) {
        (void)snprintf(name, sizeof name, "entry%d", i);
        CHECK(unlink(name) == 0);
    }
    CHECK(chdir("..") == 0 && rmdir("list") == 0);
}

static void directories(void) { in_each_place(directory); }

static void names(void) {
    write_file("one", "text");
    CHECK(link("one", "two") == 0 && symlink("two", "three") == 0);
    struct stat status;
    CHECK(stat("three", &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 2 &&
          status.st_size == 4);
    CHECK(lstat("three", &status) == 0 && S_ISLNK(status.st_mode));
    char text[8] = {0};
    CHECK(readlink("three", text, sizeof text) == 3 && strcmp(text, "two") == 0);
    CHECK(rename("two", "four") == 0);
    REFUSED(open("three", O_RDONLY), ENOENT);
    CHECK(has_text("four", "text"));
    const int directory = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(fstatat(directory, "four", &status, 0) == 0 && unlinkat(directory, "four", 0) == 0);
    CHECK(fstat(directory, &status) == 0 && S_ISDIR(status.st_mode));
    const int file = open("one", O_RDWR);
    CHECK(unlink("one") == 0 && unlink("three") == 0);
    CHECK(fstat(file, &status) == 0 && status.st_nlink == 0);
    CHECK(pread(file, text, 4, 0) == 4 && memcmp(text, "text", 4) == 0);
    REFUSED(openat(file, "x", O_RDONLY), ENOTDIR);
    CHECK(close(file) == 0 && close(directory) == 0);
}

static void all_names(void) { in_each_place(names); }

static void attributes(void) {
    CHECK(umask(077) == 022);
    write_file("f", "x");
    struct stat status;
    CHECK(stat("f", &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(umask(022) == 077);
    CHECK(chmod("f", 04751) == 0 && stat("f", &status) == 0 && (status.st_mode & 07777) == 04751);
    const struct timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 5000},
                                      {.tv_sec = 2000, .tv_nsec = 7000}};
    CHECK(utimensat(AT_FDCWD, "f", times, 0) == 0 && stat("f", &status) == 0);
    CHECK(status.st_atim.tv_sec == 1000 && status.st_mtim.tv_sec == 2000);
    CHECK(status.st_mtim.tv_nsec == 7000);
    const int file = open("f", O_WRONLY);
    CHECK(fchmod(file, 0600) == 0 && futimens(file, NULL) == 0 && fstat(file, &status) == 0);
    CHECK((status.st_mode & 0777) == 0600 && status.st_mtim.tv_sec != 2000);
    CHECK(fchown(file, 0, 5) == 0 && fstat(file, &status) == 0 && status.st_gid == 5);
    CHECK(close(file) == 0 && unlink("f") == 0);
    struct statvfs room;
    CHECK(statvfs(".", &room) == 0 && room.f_bavail > 0 && room.f_bfree >= room.f_bavail &&
          room.f_blocks > room.f_bfree);
}

static void all_attributes(void) { in_each_place(attributes); }

static void streams(void) {
    FILE* const file = fopen("/safe/lines", "w+");
    CHECK(file != NULL);
    for (int i = 0; i < 1000; ++i) {
        CHECK(fprintf(file, "line %d\n", i) > 0);
    }
    rewind(file);
    char line[32];
    int count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        int number = -1;
        CHECK(sscanf(line, "line %d", &number) == 1 && number == count);
        ++count;
    }
    CHECK(count == 1000 && feof(file) && fclose(file) == 0);
    CHECK(remove("/safe/lines") == 0);
    FILE* const temporary = tmpfile();
    CHECK(temporary != NULL || errno == ENOENT);  // there is no /tmp yet
    CHECK(mkdir("/tmp", 01777) == 0);
    FILE* const other = tmpfile();
    CHECK(other != NULL && fputs("x", other) >= 0 && fclose(other) == 0);
    CHECK(rmdir("/tmp") == 0);
}

static void full_disk(void) {
    static char block[4096];
    memset(block, 'x', sizeof block);
    const int file = open("/small/f", O_CREAT | O_WRONLY, MODE);
    ssize_t done = 0;
    int count = 0;
    while ((done = write(file, block, sizeof block)) == (ssize_t)sizeof block) {
        ++count;
    }
    CHECK(count > 4 && count < 16);
    CHECK((done == -1 && errno == ENOSPC) || (done > 0 && write(file, block, 1) == -1));
    CHECK(errno == ENOSPC);
    CHECK(ftruncate(file, 0) == 0 && write(file, block, sizeof block) == (ssize_t)sizeof block);
    CHECK(close(file) == 0 && unlink("/small/f") == 0);
    REFUSED(open("/ro/f", O_CREAT | O_WRONLY, MODE), EROFS);
    REFUSED(rename("/small", "/safe/small"), EBUSY);
    write_file("/f", "");
    REFUSED(rename("/f", "/safe/f"), EXDEV);
    REFUSED(link("/f", "/safe/f"), EXDEV);
    CHECK(unlink("/f") == 0);
}

// Fills a directory's file system; gives how many blocks went in.
static int fill(const char* path) {
    static char block[16384];
    memset(block, 'f', sizeof block);
    const int file = open(path, O_CREAT | O_WRONLY, MODE);
    CHECK(file >= 0);
    int count = 0;
    ssize_t done = 0;
    while ((done = write(file, block, sizeof block)) == (ssize_t)sizeof block) {
        ++count;
    }
    // The last part may go in; then it is said.
    while (done > 0) {
        done = write(file, block, 1);
    }
    CHECK(done == -1 && errno == ENOSPC);
    CHECK(fsync(file) == 0 && close(file) == 0);
    return count;
}

static void full_and_again(void) {
    write_file("kept", "what was there");
    const int first = fill("filler");
    CHECK(first > 10);
    errno = 0;
    const int more = open("more", O_CREAT | O_WRONLY, MODE);
    if (more >= 0) {
        CHECK(write(more, "x", 1) == -1);
        CHECK(close(more) == 0 && unlink("more") == 0);
    }
    CHECK(errno == ENOSPC || more >= 0);
    REFUSED(mkdir("directory", 0755), ENOSPC);
    CHECK(has_text("kept", "what was there"));
    CHECK(unlink("filler") == 0);
    const int second = fill("filler");
    CHECK(second >= first - 1);
    CHECK(unlink("filler") == 0 && has_text("kept", "what was there") && unlink("kept") == 0);
}

static void full_disks_recover(void) {
    CHECK(chdir("/safe") == 0);
    full_and_again();
    if (chdir("/fat") == 0) {
        full_and_again();
    }
    CHECK(chdir("/") == 0);
}

static void too_large_in(off_t least) {
    struct stat status;
    const int file = open("large", O_CREAT | O_RDWR, MODE);
    CHECK(write(file, "x", 1) == 1);
    REFUSED(ftruncate(file, INT64_MAX), EFBIG);
    REFUSED(pwrite(file, "x", 1, INT64_MAX - 1), EFBIG);
    REFUSED(ftruncate(file, least), EFBIG);
    REFUSED(pwrite(file, "x", 1, least), EFBIG);
    CHECK(lseek(file, least, SEEK_SET) == least);
    REFUSED(write(file, "x", 1), EFBIG);
    CHECK(fstat(file, &status) == 0 && status.st_size == 1);
    CHECK(close(file) == 0 && unlink("large") == 0);
}

static void too_large(void) {
    CHECK(chdir("/safe") == 0);
    too_large_in((off_t)1 << 50);
    if (chdir("/fat") == 0) {
        too_large_in((off_t)1 << 32);
    }
    CHECK(chdir("/") == 0);
    too_large_in((off_t)1 << 50);
}

static void devices(void) {
    unsigned char bytes[64];
    const int zero = open("/dev/zero", O_RDONLY);
    memset(bytes, 1, sizeof bytes);
    CHECK(read(zero, bytes, sizeof bytes) == (ssize_t)sizeof bytes && bytes[0] == 0 &&
          bytes[63] == 0);
    const int null = open("/dev/null", O_RDWR);
    CHECK(write(null, bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    CHECK(read(null, bytes, sizeof bytes) == 0);
    const int full = open("/dev/full", O_WRONLY);
    REFUSED(write(full, bytes, 1), ENOSPC);
    const int random = open("/dev/urandom", O_RDONLY);
    unsigned char others[sizeof bytes];
    CHECK(read(random, bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    CHECK(read(random, others, sizeof others) == (ssize_t)sizeof others);
    CHECK(memcmp(bytes, others, sizeof bytes) != 0);
    const int console = open("/dev/console", O_WRONLY);
    CHECK(write(console, "posix: by the console's file\r\n", 30) == 30);
    struct stat status;
    CHECK(fstat(null, &status) == 0 && S_ISCHR(status.st_mode));
    REFUSED(open("/dev/nothing", O_CREAT | O_WRONLY, MODE), EROFS);
    CHECK(close(zero) == 0 && close(null) == 0 && close(full) == 0 && close(random) == 0 &&
          close(console) == 0);
}

static void fat(void) {
    if (chdir("/fat") != 0) {
        return;  // not in this image
    }
    round_trip();
    large_file();
    directory();
    write_file("Long name with CAPITALS.text", "x");
    CHECK(has_text("LONG NAME WITH capitals.TEXT", "x"));
    REFUSED(symlink("a", "b"), ENOSYS);
    CHECK(unlink("Long name with CAPITALS.text") == 0);
}

/// What the image has besides programs, flat, by the last part of its name.
static void image(void) {
    if (chdir("/etc/image") != 0) {
        return;  // not in this image
    }
    CHECK(has_text("greeting.txt", "Good day from the image.\n"));
    struct stat status;
    CHECK(stat("greeting.txt", &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 25);
    REFUSED(open("greeting.txt", O_RDWR), EROFS);
    REFUSED(open("new", O_CREAT | O_WRONLY, MODE), EROFS);
    REFUSED(unlink("greeting.txt"), EROFS);
    REFUSED(open("tests", O_RDONLY), ENOENT);
    int count = 0;
    DIR* const entries = opendir(".");
    for (struct dirent* entry = NULL; (entry = readdir(entries)) != NULL;) {
        count += strcmp(entry->d_name, "fstab") == 0 || strcmp(entry->d_name, "greeting.txt") == 0;
    }
    CHECK(count == 2 && closedir(entries) == 0);
}

static void locks(void) {
    const int file = open("/f", O_CREAT | O_RDWR, MODE);
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    CHECK(fcntl(file, F_SETLK, &range) == 0);
    range.l_type = F_RDLCK;
    CHECK(fcntl(file, F_GETLK, &range) == 0 && range.l_type == F_UNLCK);
    range.l_type = F_UNLCK;
    CHECK(fcntl(file, F_SETLKW, &range) == 0);
    range.l_type = 9;
    REFUSED(fcntl(file, F_SETLK, &range), EINVAL);
    CHECK(close(file) == 0 && unlink("/f") == 0);
}

enum { WRITERS = 6, ROUNDS = 100, RECORD = 64 };

static void* append_records(void* argument) {
    const int file = open("/safe/log", O_WRONLY | O_APPEND);
    char record[RECORD];
    memset(record, 'a' + (int)(intptr_t)argument, sizeof record);
    record[RECORD - 1] = '\n';
    for (int i = 0; i < ROUNDS; ++i) {
        CHECK(write(file, record, sizeof record) == RECORD);
    }
    CHECK(close(file) == 0);
    return NULL;
}

static void threads(void) {
    CHECK(close(open("/safe/log", O_CREAT | O_WRONLY, MODE)) == 0);
    pthread_t writers[WRITERS];
    for (intptr_t i = 0; i < WRITERS; ++i) {
        CHECK(pthread_create(&writers[i], NULL, append_records, (void*)i) == 0);
    }
    for (int i = 0; i < WRITERS; ++i) {
        CHECK(pthread_join(writers[i], NULL) == 0);
    }
    int counts[WRITERS] = {0};
    const int file = open("/safe/log", O_RDONLY);
    char record[RECORD];
    while (read(file, record, sizeof record) == RECORD) {
        const int writer = record[0] - 'a';
        bool whole = writer >= 0 && writer < WRITERS && record[RECORD - 1] == '\n';
        for (int i = 0; whole && i < RECORD - 1; ++i) {
            whole = record[i] == record[0];
        }
        CHECK(whole);
        if (whole) {
            ++counts[writer];
        }
    }
    for (int i = 0; i < WRITERS; ++i) {
        CHECK(counts[i] == ROUNDS);
    }
    CHECK(close(file) == 0 && unlink("/safe/log") == 0);
}

/// In a process of its own, on a copy of its parent's connection: what is open there is not open
/// here, and all names are the same.
static int be_child(const char* number) {
    char text[64];
    (void)snprintf(text, sizeof text, "from the child %s", number);
    const bool is_apart = fcntl(3, F_GETFD) == -1;
    const int file = open(number, O_CREAT | O_EXCL | O_WRONLY, MODE);
    const bool good = is_apart && has_text("/from-parent", "from the parent") &&
                      write(file, text, strlen(text)) == (ssize_t)strlen(text);
    return good ? EXIT_CODE : 1;  // its files are closed for it
}

static void children(void) {
    enum { CHILDREN = 40, AT_ONCE = 2 };

    extern char** environ;
    write_file("/from-parent", "from the parent");
    const int file = open("/from-parent", O_RDONLY);
    CHECK(chdir("/") == 0);
    for (int i = 0; i < CHILDREN; i += AT_ONCE) {
        pid_t pids[AT_ONCE] = {0};
        char names[AT_ONCE][16];
        for (int j = 0; j < AT_ONCE; ++j) {
            (void)snprintf(names[j], sizeof names[j], "child-%d", i + j);
            char* const arguments[] = {"tests", "child", names[j], NULL};
            CHECK(posix_spawn(&pids[j], "tests", NULL, NULL, arguments, environ) == 0);
        }
        for (int j = 0; j < AT_ONCE; ++j) {
            char wanted[64];
            int status = 0;
            CHECK(waitpid(pids[j], &status, 0) == pids[j]);
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE);
            (void)snprintf(wanted, sizeof wanted, "from the child %s", names[j]);
            CHECK(has_text(names[j], wanted) && unlink(names[j]) == 0);
        }
    }
    char byte = 0;
    CHECK(pread(file, &byte, 1, 5) == 1 && byte == 't');
    CHECK(close(file) == 0 && unlink("/from-parent") == 0);
}

int main(int argc, char** argv) {
    if (argc == 3 && strcmp(argv[1], "child") == 0) {
        return be_child(argv[2]);
    }
    run_test("files-round-trips", round_trips);
    run_test("files-refusals", refusals);
    run_test("files-large", large_files);
    run_test("files-directories", directories);
    run_test("files-names", all_names);
    run_test("files-attributes", all_attributes);
    run_test("files-streams", streams);
    run_test("files-full-disk", full_disk);
    run_test("files-full-disks-recover", full_disks_recover);
    run_test("files-too-large", too_large);
    run_test("files-devices", devices);
    run_test("files-fat", fat);
    run_test("files-image", image);
    run_test("files-children", children);
    run_test("files-locks", locks);
    run_test("files-threads", threads);
    return EXIT_CODE;
}
