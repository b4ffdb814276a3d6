// SPDX-License-Identifier: Apache-2.0
#include <rtl/string.h>

extern "C" {

void* rtl_memcpy(void* target, const void* source, rtl_size_t size) {
    return __builtin_memcpy(target, source, size);
}

void* rtl_memset(void* target, int value, rtl_size_t size) {
    return __builtin_memset(target, value, size);
}

int rtl_memcmp(const void* left, const void* right, rtl_size_t size) {
    return __builtin_memcmp(left, right, size);
}

rtl_size_t rtl_strlen(const char* text) { return __builtin_strlen(text); }

rtl_size_t rtl_strnlen(const char* text, rtl_size_t max) {
    rtl_size_t length = 0;
    while (length < max && text[length] != '\0') {
        ++length;
    }
    return length;
}

int rtl_strcmp(const char* left, const char* right) { return rtl_strncmp(left, right, SIZE_MAX); }

int rtl_strncmp(const char* left, const char* right, rtl_size_t max) {
    for (rtl_size_t i = 0; i < max; ++i) {
        const int difference =
            static_cast<unsigned char>(left[i]) - static_cast<unsigned char>(right[i]);
        if (difference != 0 || left[i] == '\0') {
            return difference;
        }
    }
    return 0;
}

char* rtl_strncpy(char* target, const char* source, rtl_size_t size) {
    const rtl_size_t length = rtl_strnlen(source, size);
    __builtin_memcpy(target, source, length);
    __builtin_memset(target + length, 0, size - length);
    return target;
}

rtl_size_t rtl_strlcpy(char* target, const char* source, rtl_size_t size) {
    const rtl_size_t length = __builtin_strlen(source);
    if (size != 0) {
        const rtl_size_t copied = length < size ? length : size - 1;
        __builtin_memcpy(target, source, copied);
        target[copied] = '\0';
    }
    return length;
}
}
