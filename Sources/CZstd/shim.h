// Nothing is changed: Swift sees zstd's functions as they are.
#pragma once
#include <zstd.h>
#include <zstd_errors.h>
