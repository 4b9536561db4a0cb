// journal entries, readiness and watchdog messages, and passed sockets.
#pragma once
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
