// SPDX-License-Identifier: Apache-2.0
// What needs no kernel at all, and shows that the library is whole: floats, numbers, sorting.
#include "check.h"

#include <errno.h>
#include <fenv.h>
#include <iconv.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { NUMBERS = 2000 };

static bool prints(const char* wanted, const char* format, ...) {
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return length == (int)strlen(wanted) && strcmp(text, wanted) == 0;
}

static void printf_formats(void) {
    CHECK(prints("0.333 -1.5e+10 1e-05", "%.3f %.1e %g", 1.0 / 3, -1.5e10, 0.00001));
    CHECK(prints("1.7976931348623157e+308", "%.17g", 1.7976931348623157e308));
    CHECK(prints("0x1.8p+1 inf nan", "%a %f %f", 3.0, (double)INFINITY, (double)fabs(NAN)));
    CHECK(prints("3.1415926535897932384626", "%.22Lf", 3.14159265358979323846264338327950288L));
    CHECK(prints("  +42|42   |0x2a|-2147483648", "%+5d|%-5d|%#x|%d", 42, 42, 42, INT_MIN));
    CHECK(prints("18446744073709551615 ab", "%" PRIu64 " %.2s", UINT64_MAX, "abc"));
    char small[4];
    CHECK(snprintf(small, sizeof(small), "%d", 123456) == 6 && strcmp(small, "123") == 0);
}

static void numbers_are_read(void) {
    char* end = NULL;
    CHECK(strtod("3.25xyz", &end) == 3.25 && strcmp(end, "xyz") == 0);
    CHECK(strtod("0x1p-3", NULL) == 0.125);
    CHECK(strtod("4.9406564584124654e-324", NULL) > 0);
    errno = 0;
    CHECK(strtod("1e400", NULL) == HUGE_VAL && errno == ERANGE);
    errno = 0;
    CHECK(strtol("99999999999999999999", NULL, 10) == LONG_MAX && errno == ERANGE);
    CHECK(strtol("-7f", NULL, 16) == -127);
    int whole = 0;
    double part = 0;
    char word[8] = "";
    CHECK(sscanf("17 2.5 seven", "%d %lf %7s", &whole, &part, word) == 3);
    CHECK(whole == 17 && part == 2.5 && strcmp(word, "seven") == 0);
}

static int compare(const void* left, const void* right) {
    const int a = *(const int*)left;
    const int b = *(const int*)right;
    return (a > b) - (a < b);
}

static void sorting_and_searching(void) {
    static int numbers[NUMBERS];
    uint32_t state = 7;
    uint64_t sum_before = 0;
    uint64_t sum_after = 0;
    for (int i = 0; i < NUMBERS; ++i) {
        state = state * 1664525u + 1013904223u;
        numbers[i] = (int)(state >> 4);
        sum_before += (uint64_t)numbers[i];
    }
    qsort(numbers, NUMBERS, sizeof(int), compare);
    bool ordered = true;
    for (int i = 0; i < NUMBERS; ++i) {
        ordered = ordered && (i == 0 || numbers[i - 1] <= numbers[i]);
        sum_after += (uint64_t)numbers[i];
    }
    CHECK(ordered && sum_before == sum_after);
    const int wanted = numbers[NUMBERS / 3];
    const int* found = bsearch(&wanted, numbers, NUMBERS, sizeof(int), compare);
    CHECK(found != NULL && *found == wanted);
}

static void floating_point(void) {
    volatile double two = 2;
    volatile double third = 3;
    CHECK(fabs(sin(two) - 0.90929742682568169540) < 1e-15);
    CHECK(fabs(pow(two, 0.5) * pow(two, 0.5) - 2) < 1e-15);
    CHECK(fma(two, third, 1) == 7 && floor(-2.5) == -3);
    CHECK(fesetround(FE_UPWARD) == 0);
    volatile double up = 1 / third;
    CHECK(fesetround(FE_DOWNWARD) == 0);
    volatile double down = 1 / third;
    CHECK(fesetround(FE_TONEAREST) == 0 && up > down);
}

static void wide_characters(void) {
    CHECK(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    wchar_t wide[8];
    CHECK(mbstowcs(wide, "\xc3\xa4\xe2\x82\xac", 8) == 2 && wide[0] == 0xE4 && wide[1] == 0x20AC);
    char narrow[8];
    CHECK(wcstombs(narrow, wide, sizeof(narrow)) == 5 &&
          strcmp(narrow, "\xc3\xa4\xe2\x82\xac") == 0);
}

/// Bytes of EUC-KR that mean nothing once led beyond the output (CVE-2025-26519).
static void conversions(void) {
    iconv_t converter = iconv_open("UTF-8", "EUC-KR");
    if (!CHECK(converter != (iconv_t)-1)) {
        return;
    }
    char valid[] = "\xb0\xa1";
    char invalid[] = "\xc8\x41";
    char target[16];
    char* in = valid;
    char* out = target;
    size_t in_left = 2;
    size_t out_left = sizeof(target);
    CHECK(iconv(converter, &in, &in_left, &out, &out_left) == 0 && out_left == sizeof(target) - 3);
    CHECK(memcmp(target, "\xea\xb0\x80", 3) == 0);
    in = invalid;
    in_left = 2;
    errno = 0;
    CHECK(iconv(converter, &in, &in_left, &out, &out_left) == (size_t)-1 && errno == EILSEQ);
    CHECK(out_left == sizeof(target) - 3);
    CHECK(iconv_close(converter) == 0);
}

void text_tests(void) {
    run_test("printf-formats", printf_formats);
    run_test("numbers-are-read", numbers_are_read);
    run_test("sorting-and-searching", sorting_and_searching);
    run_test("floating-point", floating_point);
    run_test("wide-characters", wide_characters);
    run_test("conversions", conversions);
}
