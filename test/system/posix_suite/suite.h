// SPDX-License-Identifier: Apache-2.0
// What build.py makes of the suite's files.
#pragma once

struct test {
    const char* name;  // null: the end
    int (*run)(int argc, char** argv);
};

extern const struct test tests[];
