// The entry to libFuzzer as a library (compiler-rt, fuzzer/FuzzerInterface.h): it calls `run` until its arguments say
// that it is enough, and returns only on an error or at the end.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *bytes, size_t count));
