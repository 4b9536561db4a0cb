// MHD_start_daemon and MHD_get_daemon_info are variadic: typed functions for the uses made of them.
#pragma once
#include <microhttpd.h>
