#ifndef CONCORD_CSQLITE_H
#define CONCORD_CSQLITE_H

#include <sqlite3.h>

#endif
