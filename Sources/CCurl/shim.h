// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one typed function per kind of argument.
#pragma once
#include <curl/curl.h>
