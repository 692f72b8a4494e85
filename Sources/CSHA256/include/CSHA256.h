// Two SHA-256 hashes at once (FIPS 180-4), for processors with the SHA extensions.
//
// Each round of SHA-256 waits for the one before. The instructions that do two rounds take four cycles, but another can begin after two: a
// single hash leaves half of the unit idle, and a second hash that shares nothing with it runs there for nothing. A journal has always
// two: its records' leaves, and the nodes above them.

#ifndef CSHA256_H
#define CSHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What is hashed: two pieces, one behind the other, that lie where they lie. A piece of no bytes may be NULL.
typedef struct {
  const uint8_t *head;
  size_t head_length;
  const uint8_t *body;
  size_t body_length;
} CSHA256Message;

/// Whether `csha256_two` may be called: the processor is asked once.
bool csha256_is_available(void);

/// Writes the digests, 32 bytes each, of two messages of any lengths.
void csha256_two(const CSHA256Message *one, const CSHA256Message *other, uint8_t *digest_of_one, uint8_t *digest_of_other);

#endif
