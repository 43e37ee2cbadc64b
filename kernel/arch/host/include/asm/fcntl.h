/* Host body of <uapi/fcntl.h>'s architecture part: x86-64's values. */
#include "../../../x86_64/include/asm/fcntl.h"
