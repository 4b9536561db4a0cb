// SHA-256 and HMAC through the EVP interface, and memory that is wiped for certain.
#pragma once
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
