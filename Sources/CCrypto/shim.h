#ifndef CONCORD_CCRYPTO_H
#define CONCORD_CCRYPTO_H

// SHA256_Init, SHA256_Update and SHA256_Final keep their state in a plain struct: no allocation for a hash,
// and half the time of the EVP calls on the short inputs that a set of coins is made of.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ripemd.h>
#include <openssl/sha.h>

#endif
