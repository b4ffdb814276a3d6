// SPDX-License-Identifier: Apache-2.0
// Many tests of the suite in one program: each is a file whose main() has a name of its own and
// whose other names nobody else sees. A process runs one, so it finds nothing that another left.
#include "suite.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
    for (const struct test* test = tests; argc > 1 && test->name; ++test) {
        if (strcmp(test->name, argv[1]) == 0) {
            return test->run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "no such test\n");
    return 100;
}
