#ifndef CONCORD_CSECP256K1_H
#define CONCORD_CSECP256K1_H

#include <secp256k1.h>

#endif
