// SPDX-License-Identifier: Apache-2.0
// Files in plain C: a diary whose new pages are made in memory, at /, and kept on a disk, at /keep.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PAGES = 3, PATH = 64, LINE = 128 };

static int fail(const char* what) {
    printf("diary: %s: %s\n", what, strerror(errno));
    return 1;
}

/// Appends a line to a file of memory, which needs no care.
static int note(const char* path, const char* text) {
    FILE* const file = fopen(path, "a");
    return file == NULL || fprintf(file, "%s\n", text) < 0 || fclose(file) != 0 ? -1 : 0;
}

/// Copies `from` to `to` so that a power cut leaves the old `to` or the new one: written under
/// another name, on the disk, and only then renamed.
static int keep(const char* from, const char* to) {
    char bytes[LINE];
    const int source = open(from, O_RDONLY);
    const int target = open("/keep/new", O_CREAT | O_TRUNC | O_WRONLY, 0644);
    ssize_t size = 0;
    while ((size = read(source, bytes, sizeof bytes)) > 0) {
        if (write(target, bytes, (size_t)size) != size) {
            size = -1;
            break;
        }
    }
    const int written = size == 0 ? fsync(target) : -1;
    if (source < 0 || target < 0 || close(source) != 0 || close(target) != 0 || written != 0) {
        return -1;
    }
    const int folder = rename("/keep/new", to) == 0 ? open("/keep", O_RDONLY | O_DIRECTORY) : -1;
    return folder >= 0 && fsync(folder) == 0 ? close(folder) : -1;
}

static int list(const char* path) {
    DIR* const folder = opendir(path);
    if (folder == NULL) {
        return -1;
    }
    for (const struct dirent* entry; (entry = readdir(folder)) != NULL;) {
        struct stat status;
        if (entry->d_type == DT_REG && fstatat(dirfd(folder), entry->d_name, &status, 0) == 0) {
            printf(
                "diary: %s has %s, %lld bytes\n", path, entry->d_name, (long long)status.st_size);
        }
    }
    return closedir(folder);
}

int main(void) {
    for (int page = 1; page <= PAGES; ++page) {
        char draft[PATH];
        char kept[PATH];
        (void)snprintf(draft, sizeof draft, "/draft%d", page);
        (void)snprintf(kept, sizeof kept, "/keep/page%d", page);
        for (int line = 0; line < page; ++line) {
            if (note(draft, "nothing happened") != 0) {
                return fail(draft);
            }
        }
        if (keep(draft, kept) != 0 || unlink(draft) != 0) {
            return fail(kept);
        }
    }
    struct statvfs disk;
    if (list("/") != 0 || list("/keep") != 0 || statvfs("/keep", &disk) != 0) {
        return fail("/keep");
    }
    // The two mounts are two file systems.
    if (rename("/keep/page1", "/page1") != -1 || errno != EXDEV) {
        return fail("rename");
    }
    printf("diary: %d pages kept, %s\n", PAGES, disk.f_bavail > 0 ? "there is room" : "full");
    return 0;
}
