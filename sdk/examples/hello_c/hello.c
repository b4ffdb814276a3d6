// SPDX-License-Identifier: Apache-2.0
// Plain C: nothing here knows of Tessera.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
    const char* greeting = getenv("GREETING");
    printf("%s, %s: %d argument(s), pi is about %.5f\n",
           greeting != NULL ? greeting : "hello",
           argv[0],
           argc - 1,
           3.14159265);
    for (int i = 1; i < argc; ++i) {
        printf("hello: argument %d is \"%s\"\n", i, argv[i]);
    }
    return 0;
}
