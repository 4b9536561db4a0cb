// deflateInit2 and inflateInit2 are macros that add the version and the size of z_stream; Swift sees only functions.
#pragma once
#include <zlib.h>

static inline int sluice_deflate_init(z_stream *z, int level, int window_bits, int mem_level) {
    return deflateInit2(z, level, Z_DEFLATED, window_bits, mem_level, Z_DEFAULT_STRATEGY);
}
static inline int sluice_inflate_init(z_stream *z, int window_bits) { return inflateInit2(z, window_bits); }
