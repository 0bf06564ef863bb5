#ifndef CONCORD_CZSTD_H
#define CONCORD_CZSTD_H

#include <zstd.h>
#include <zstd_errors.h>

#endif
