#ifndef CONCORD_CSYSTEM_H
#define CONCORD_CSYSTEM_H

#if defined(__linux__)
// Declared by unistd.h only for those who ask for GNU extensions, which Swift's Glibc module does not.
int syncfs(int descriptor);
#endif

#endif
