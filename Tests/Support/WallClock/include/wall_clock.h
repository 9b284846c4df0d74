// The file that holds the shift: one signed 64-bit number of milliseconds, in the byte order of the machine.
#define WALL_CLOCK_VARIABLE "USHER_TEST_WALL_CLOCK"
