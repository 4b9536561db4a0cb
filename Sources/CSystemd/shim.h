// Journal entries, readiness and watchdog messages, and passed sockets.
#pragma once
// Without this, sd_journal_sendv is a macro that adds this header's own place as CODE_FILE and CODE_LINE.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
