// Many SHA-256 hashes, two at once (FIPS 180-4), for processors with the SHA extensions.
//
// Each round of SHA-256 waits for the one before. The instructions that do two rounds take four cycles, but another can begin after two: a
// single hash leaves half of the unit idle, and a second hash that shares nothing with it runs there for nothing. A journal has always
// many: its records' leaves, and the nodes above them.

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

/// Whether the others may be called: the processor is asked once.
bool csha256_is_available(void);

/// Writes the digests, 32 bytes each, of `count` messages of any lengths, one behind the other.
void csha256_many(const CSHA256Message *messages, size_t count, uint8_t *digests);

/// Replaces `2 * pairs` digests by the `pairs` digests of `prefix` and two of them each: a level of a Merkle tree by the next.
void csha256_pairs(uint8_t prefix, uint8_t *digests, size_t pairs);

#endif
