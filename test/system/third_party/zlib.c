// SPDX-License-Identifier: Apache-2.0
// zlib as its users use it: memory to memory, in pieces, and as files of gzip.
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { SIZE = 1024 * 1024, PIECE = 4000, EXIT_CODE = 42 };

static unsigned char* plain;
static unsigned char* packed;
static unsigned char* again;
static uLong room;

// Words in a random order: neither empty of repetitions nor made of them.
static void generate(void) {
    static const char* const words[] = {
        "kernel ", "policy ", "message ", "of ", "the ", "a ", "thread\n", "page "};
    uint32_t state = 1;
    for (size_t at = 0; at < SIZE;) {
        state = state * 1664525U + 1013904223U;
        const char* word = words[state >> 29U];
        for (; *word != '\0' && at < SIZE; ++word) {
            plain[at++] = (unsigned char)*word;
        }
        if ((state >> 20U & 7U) == 0 && at < SIZE) {
            plain[at++] = (unsigned char)(state >> 8U);
        }
    }
}

static void sums(void) {
    CHECK(strcmp(zlibVersion(), ZLIB_VERSION) == 0);
    CHECK(crc32(0, Z_NULL, 0) == 0 && adler32(0, Z_NULL, 0) == 1);
    CHECK(crc32(0, (const Bytef*)"123456789", 9) == 0xCBF43926);
    CHECK(adler32(1, (const Bytef*)"Wikipedia", 9) == 0x11E60398);
    const uLong whole = crc32(0, plain, SIZE);
    CHECK(crc32(crc32(0, plain, PIECE), plain + PIECE, SIZE - PIECE) == whole);
    CHECK(crc32_combine(crc32(0, plain, PIECE),
                        crc32(0, plain + PIECE, SIZE - PIECE),
                        SIZE - PIECE) == whole);
}

static void levels(void) {
    static const int all[] = {1, 6, 9};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        const int64_t begun = now_ms();
        uLongf size = room;
        CHECK(compress2(packed, &size, plain, SIZE, all[i]) == Z_OK);
        CHECK(size > SIZE / 100 && size < SIZE / 2);
        const int64_t middle = now_ms();
        uLongf length = SIZE;
        memset(again, 0, SIZE);
        CHECK(uncompress(again, &length, packed, size) == Z_OK);
        CHECK(length == SIZE && memcmp(plain, again, SIZE) == 0);
        printf("zlib: level=%d bytes=%lu deflate-ms=%d inflate-ms=%d\n",
               all[i],
               size,
               (int)(middle - begun),
               (int)(now_ms() - middle));
    }
}

// Small windows of input and output on both sides.
static void pieces(void) {
    z_stream out = {0};
    CHECK(deflateInit(&out, Z_DEFAULT_COMPRESSION) == Z_OK);
    out.next_out = packed;
    for (uLong at = 0; at < SIZE;) {
        const uInt some = SIZE - at < PIECE ? (uInt)(SIZE - at) : PIECE;
        out.next_in = plain + at;
        out.avail_in = some;
        at += some;
        int result = Z_OK;
        do {
            out.avail_out = 777;
            result = deflate(&out, at == SIZE ? Z_FINISH : Z_NO_FLUSH);
        } while (out.avail_out == 0);
        CHECK(result == (at == SIZE ? Z_STREAM_END : Z_OK) || result == Z_BUF_ERROR);
    }
    const uLong size = out.total_out;
    CHECK(deflateEnd(&out) == Z_OK);

    z_stream in = {0};
    CHECK(inflateInit(&in) == Z_OK);
    memset(again, 0, SIZE);
    in.next_in = packed;
    in.next_out = again;
    int result = Z_OK;
    while (result == Z_OK) {
        in.avail_in = size - in.total_in < 333 ? (uInt)(size - in.total_in) : 333;
        in.avail_out = SIZE - in.total_out < PIECE ? (uInt)(SIZE - in.total_out) : PIECE;
        result = inflate(&in, Z_NO_FLUSH);
    }
    CHECK(result == Z_STREAM_END && in.total_out == SIZE && in.total_in == size);
    CHECK(memcmp(plain, again, SIZE) == 0 && inflateEnd(&in) == Z_OK);
}

static void in_file(const char* path) {
    gzFile file = gzopen(path, "wb6");
    CHECK(file != NULL);
    for (int at = 0; at < SIZE; at += SIZE / 16) {
        CHECK(gzwrite(file, plain + at, SIZE / 16) == SIZE / 16);
    }
    CHECK(gzprintf(file, "%s %d\n", "and a line", 7) == 13 && gzclose(file) == Z_OK);

    file = gzopen(path, "rb");
    CHECK(file != NULL);
    memset(again, 0, SIZE);
    CHECK(gzread(file, again, SIZE) == SIZE && memcmp(plain, again, SIZE) == 0);
    char line[32] = {0};
    CHECK(gzgets(file, line, sizeof line) == line && strcmp(line, "and a line 7\n") == 0);
    CHECK(gzgetc(file) == -1 && gzeof(file) == 1);
    CHECK(gzseek(file, SIZE - 5, SEEK_SET) == SIZE - 5 && gzread(file, again, 5) == 5);
    CHECK(memcmp(plain + SIZE - 5, again, 5) == 0 && gzclose(file) == Z_OK);

    // Its last bytes, the sum and the length, are gone.
    FILE* raw = fopen(path, "rb");
    CHECK(raw != NULL && fseek(raw, 0, SEEK_END) == 0);
    const long length = ftell(raw);
    CHECK(length > 0 && fclose(raw) == 0 && truncate(path, length - 4) == 0);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    while (gzread(file, again, SIZE) > 0) {
    }
    int error = Z_OK;
    (void)gzerror(file, &error);
    CHECK(error == Z_BUF_ERROR);
    (void)gzclose(file);
    CHECK(unlink(path) == 0 && gzopen(path, "rb") == NULL);
}

static void files(void) {
    in_file("/text.gz");
    in_file("/data/text.gz");
}

static void corrupt(void) {
    uLongf size = room;
    CHECK(compress2(packed, &size, plain, SIZE, 6) == Z_OK);
    for (uLong i = 0; i < 16; ++i) {
        const uLong at = i * (size / 16);
        packed[at] ^= 0x10U;
        uLongf length = SIZE;
        CHECK(uncompress(again, &length, packed, size) != Z_OK);
        packed[at] ^= 0x10U;
    }
    uLongf length = SIZE;
    CHECK(uncompress(again, &length, packed, size - 1) == Z_BUF_ERROR);
    length = SIZE - 1;
    CHECK(uncompress(again, &length, packed, size) == Z_BUF_ERROR);
    packed[size - 1] ^= 1U;
    length = SIZE;
    CHECK(uncompress(again, &length, packed, size) == Z_DATA_ERROR);
    CHECK(uncompress(again, &length, (const Bytef*)"not a stream", 12) == Z_DATA_ERROR);
}

int main(void) {
    room = compressBound(SIZE);
    plain = malloc(SIZE);
    packed = malloc(room);
    again = malloc(SIZE);
    if (plain == NULL || packed == NULL || again == NULL) {
        return 1;
    }
    generate();
    run_test("zlib-sums", sums);
    run_test("zlib-levels", levels);
    run_test("zlib-in-pieces", pieces);
    run_test("zlib-files", files);
    run_test("zlib-corrupt-is-refused", corrupt);
    return EXIT_CODE;
}
