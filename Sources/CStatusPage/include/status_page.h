// The bytes of the page that the daemon serves at "/".
//
// They are a part of the program, so that it needs no file beside it. #embed puts them there without a
// literal of 60,000 numbers, which takes the Swift compiler a quarter of a minute.
#include <stddef.h>

/// Where the page begins; it is there as long as the process.
const unsigned char *status_page_bytes(void);

/// How many bytes it has.
size_t status_page_size(void);
