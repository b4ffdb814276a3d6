// SPDX-License-Identifier: Apache-2.0
// The driver of the disks ends again and again under files that are in use. Nobody who uses them
// notices: no call fails, and what is read is what was written, at once and in the end. The host
// looks at the disk of the FAT once more (disk_files.py); what a file holds follows from its number
// and its version.
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODE = 0644,
    EXIT_CODE = 42,
    FILES = 6,
    MOST = 48 * 1024,
    PATH_SIZE = 40,
    MS_OF_LIFE = 1250
};

struct place {
    const char* path;
    unsigned versions[FILES];  // 0: there is no such file
    unsigned random;
    unsigned rounds;
    unsigned char bytes[MOST];
};

static struct place places[] = {{.path = "/fat", .random = 1}, {.path = "/safe", .random = 2}};
static int64_t end_ms;

static unsigned draw(struct place* place, unsigned below) {
    place->random = place->random * 1664525 + 1013904223;
    return (place->random >> 8) % below;
}

static size_t size_of(unsigned file, unsigned version) {
    return (file * 7919 + version * 4051) % MOST;
}

static unsigned char byte_of(unsigned file, unsigned version, size_t at) {
    return (unsigned char)(at * (2 * version + 1) + file * 31 + version);
}

static void name(const struct place* place, unsigned file, char* path) {
    (void)snprintf(path, PATH_SIZE, "%s/f%u", place->path, file);
}

static bool write_version(struct place* place, unsigned file) {
    char path[PATH_SIZE];
    name(place, file, path);
    const unsigned version = place->versions[file] + 1;
    const size_t size = size_of(file, version);
    for (size_t i = 0; i < size; ++i) {
        place->bytes[i] = byte_of(file, version, i);
    }
    const int opened = open(path, O_CREAT | O_TRUNC | O_WRONLY, MODE);
    bool good = CHECK(opened >= 0);
    for (size_t done = 0; good && done < size;) {
        const size_t part = 1 + draw(place, 12000);
        const ssize_t written =
            write(opened, place->bytes + done, part < size - done ? part : size - done);
        good = CHECK(written > 0);
        done += good ? (size_t)written : 0;
    }
    good = good && (draw(place, 2) == 0 || CHECK(fsync(opened) == 0));
    good = CHECK(close(opened) == 0) && good;
    place->versions[file] = version;
    return good;
}

static bool is_as_written(struct place* place, unsigned file) {
    char path[PATH_SIZE];
    name(place, file, path);
    const unsigned version = place->versions[file];
    const size_t size = size_of(file, version);
    const int opened = open(path, O_RDONLY);
    if (version == 0) {
        return CHECK(opened < 0);
    }
    bool good = CHECK(opened >= 0);
    size_t done = 0;
    for (ssize_t got = 1; good && got > 0; done += (size_t)got) {
        got = read(opened, place->bytes + done, MOST - done);
        good = CHECK(got >= 0);
    }
    good = CHECK(close(opened) == 0) && good && CHECK(done == size);
    for (size_t i = 0; good && i < size; ++i) {
        good = CHECK(place->bytes[i] == byte_of(file, version, i));
    }
    return good;
}

static bool remove_file(struct place* place, unsigned file) {
    char path[PATH_SIZE];
    name(place, file, path);
    const bool was_there = place->versions[file] != 0;
    place->versions[file] = 0;
    return CHECK((unlink(path) == 0) == was_there);
}

static void* use(void* argument) {
    struct place* const place = argument;
    bool good = true;
    while (good && now_ms() < end_ms) {
        const unsigned file = draw(place, FILES);
        const unsigned what = draw(place, 8);
        good = what == 0   ? remove_file(place, file)
               : what <= 3 ? write_version(place, file)
                           : is_as_written(place, file);
        ++place->rounds;
    }
    for (unsigned file = 0; good && file < FILES; ++file) {
        good = is_as_written(place, file);
    }
    return good ? place : NULL;
}

static void outlive(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i) {
        CHECK(pthread_create(&threads[i], NULL, use, &places[i]) == 0);
    }
    for (int i = 0; i < 2; ++i) {
        void* result = NULL;
        CHECK(pthread_join(threads[i], &result) == 0 && result != NULL);
        CHECK(places[i].rounds > 100);
    }
    sync();
    for (unsigned file = 0; file < FILES; ++file) {
        printf("files: fat file=%u version=%u\n", file, places[0].versions[file]);
    }
    printf("files: rounds fat=%u safe=%u\n", places[0].rounds, places[1].rounds);
}

/// deaths: how many the driver is to have died meanwhile.
int main(int argc, char** argv) {
    const long deaths = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    end_ms = now_ms() + deaths * MS_OF_LIFE;
    run_test("files-outlive-their-driver", outlive);
    return deaths > 0 ? EXIT_CODE : 1;
}
