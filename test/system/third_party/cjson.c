// SPDX-License-Identifier: Apache-2.0
// cJSON: documents read, written and refused.
#include "check.h"

#include <cJSON.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_CODE = 42, DEEP = 1000, DEEP_STACK = 512 * 1024 };

// Whether `text`, read and written without spaces, is `wanted`.
static bool becomes(const char* text, const char* wanted) {
    cJSON* tree = cJSON_Parse(text);
    char* printed = cJSON_PrintUnformatted(tree);
    const bool same = printed != NULL && strcmp(printed, wanted) == 0;
    if (!same) {
        printf("cjson: text=%s printed=%s\n", text, printed != NULL ? printed : "nothing");
    }
    cJSON_free(printed);
    cJSON_Delete(tree);
    return same;
}

static void documents(void) {
    CHECK(becomes("{}", "{}") && becomes(" [ ] ", "[]") && becomes("null", "null"));
    CHECK(becomes("[true, false, null]", "[true,false,null]"));
    CHECK(becomes("{\"a\": {\"b\": [1, 2, {\"c\": \"d\"}]}, \"e\": \"\"}",
                  "{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]},\"e\":\"\"}"));
    CHECK(becomes("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""));
    cJSON* tree = cJSON_Parse("{\"name\": \"disk\", \"parts\": [{\"size\": 3}, {\"size\": 4}]}");
    CHECK(strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "name")), "disk") ==
          0);
    double sum = 0;
    const cJSON* part = NULL;
    cJSON_ArrayForEach(part, cJSON_GetObjectItem(tree, "PARTS")) {
        sum += cJSON_GetNumberValue(cJSON_GetObjectItem(part, "size"));
    }
    CHECK(sum > 6.5 && sum < 7.5);
    CHECK(cJSON_GetObjectItemCaseSensitive(tree, "PARTS") == NULL);
    char* printed = cJSON_Print(tree);
    cJSON* copy = cJSON_Parse(printed);
    CHECK(cJSON_Compare(tree, copy, true));
    cJSON_free(printed);
    cJSON_Delete(copy);
    cJSON_Delete(tree);
}

static void refused_at(const char* text, size_t place) {
    const char* end = NULL;
    CHECK(cJSON_ParseWithOpts(text, &end, true) == NULL);
    CHECK(end == text + place && cJSON_GetErrorPtr() == end);
    if (end != text + place) {
        printf("cjson: text=%s place=%d\n", text, (int)(end - text));
    }
}

static void errors(void) {
    refused_at("nul", 0);
    refused_at("[1, 2", 5);
    refused_at("[1, x]", 4);
    refused_at("{\"a\" 1}", 5);
    refused_at("[] []", 3);
    CHECK(cJSON_Parse("") == NULL && cJSON_Parse(NULL) == NULL && cJSON_Parse("\"open") == NULL);
    CHECK(cJSON_ParseWithLength("[1]", 2) == NULL && cJSON_Parse("{1: 2}") == NULL);
}

static cJSON* nested(int depth) {
    static char text[2 * DEEP + 3];
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = '\0';
    return cJSON_Parse(text);
}

static void* nest(void* unused) {
    CHECK(CJSON_NESTING_LIMIT == DEEP);
    cJSON* tree = nested(DEEP);
    CHECK(tree != NULL);
    char* printed = cJSON_PrintUnformatted(tree);
    CHECK(printed != NULL && strlen(printed) == 2 * (size_t)DEEP);
    cJSON_free(printed);
    cJSON_Delete(tree);
    CHECK(nested(DEEP + 1) == NULL);
    return unused;
}

// The main thread's 64 KiB are too few for the limit that cJSON sets itself.
static void nesting(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0 &&
          pthread_attr_setstacksize(&attributes, DEEP_STACK) == 0);
    if (CHECK(pthread_create(&thread, &attributes, nest, NULL) == 0)) {
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

static void numbers(void) {
    CHECK(becomes("[0, -1, 2147483648, 1e3, 1.5, -2.5e-3]", "[0,-1,2147483648,1000,1.5,-0.0025]"));
    CHECK(becomes("0.1", "0.1") && becomes("3.141592653589793", "3.1415926535897931"));
    CHECK(becomes("1e400", "null"));
    cJSON* tree = cJSON_Parse("[1e20, -1e20]");
    CHECK(cJSON_GetArrayItem(tree, 0)->valueint == INT_MAX &&
          cJSON_GetArrayItem(tree, 1)->valueint == INT_MIN);
    cJSON_Delete(tree);
}

static void unicode(void) {
    CHECK(becomes("\"\\u00e9\\u20ac\"", "\"\xc3\xa9\xe2\x82\xac\""));
    CHECK(becomes("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""));
    CHECK(becomes("\"\\u0001\"", "\"\\u0001\""));
    CHECK(becomes("\xef\xbb\xbf[1]", "[1]"));
    CHECK(cJSON_Parse("\"\\ud83d\"") == NULL && cJSON_Parse("\"\\ude00\"") == NULL);
}

static void building(void) {
    cJSON* tree = cJSON_CreateObject();
    cJSON* list = cJSON_AddArrayToObject(tree, "list");
    for (int i = 0; i < 1000; ++i) {
        CHECK(cJSON_AddItemToArray(list, cJSON_CreateNumber(i)));
    }
    CHECK(cJSON_GetArraySize(list) == 1000);
    cJSON_DeleteItemFromArray(list, 0);
    CHECK(cJSON_GetArrayItem(list, 0)->valueint == 1);
    CHECK(cJSON_ReplaceItemInObject(tree, "list", cJSON_CreateString("none")));
    CHECK(cJSON_AddBoolToObject(tree, "yes", 1) != NULL);
    char printed[64];
    CHECK(cJSON_PrintPreallocated(tree, printed, sizeof printed, false));
    CHECK(strcmp(printed, "{\"list\":\"none\",\"yes\":true}") == 0);
    CHECK(!cJSON_PrintPreallocated(tree, printed, 8, false));
    CHECK(cJSON_AddItemToObject(tree, "self", NULL) == 0 && !cJSON_AddItemToArray(tree, tree));
    cJSON_Delete(tree);
}

int main(void) {
    run_test("cjson-documents", documents);
    run_test("cjson-errors-have-places", errors);
    run_test("cjson-nesting", nesting);
    run_test("cjson-numbers", numbers);
    run_test("cjson-unicode", unicode);
    run_test("cjson-building", building);
    return EXIT_CODE;
}
