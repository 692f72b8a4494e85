// The block function keeps the eight words of the state in two registers, ABEF and CDGH, as `sha256rnds2` wants them, and four words of the
// message in each of four. Both hashes stand side by side in every step; the processor does the rest.

#include "CSHA256.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

enum { BLOCK = 64, LENGTH_FIELD = 8, DIGEST = 32 };

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

typedef struct {
  __m128i abef, cdgh;
} State;

bool csha256_is_available(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 29))) return false;  // SHA
  return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 9)) && (c & (1u << 19));     // SSSE3, SSE4.1
}

#define ACCELERATED __attribute__((target("sha,sse4.1,ssse3")))

/// H0 to H7 of FIPS 180-4, section 5.3.3.
ACCELERATED static inline State initial_state(void) {
  return (State){_mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
                 _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19)};
}

/// Four words of the message, made of the sixteen before them.
ACCELERATED static inline __m128i schedule(__m128i w16, __m128i w12, __m128i w8, __m128i w4) {
  __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w16, w12), _mm_alignr_epi8(w4, w8, 4));
  return _mm_sha256msg2_epu32(sum, w4);
}

ACCELERATED static inline void four_rounds(State *state, __m128i words, __m128i constants) {
  __m128i sums = _mm_add_epi32(words, constants);
  state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, sums);
  state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh, _mm_shuffle_epi32(sums, 0x0e));
}

ACCELERATED static inline __m128i big_endian_words(const uint8_t *bytes) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), order);
}

/// One block of each of `count` hashes: 1 or 2.
ACCELERATED static inline __attribute__((always_inline)) void compress(State *states, const uint8_t *const *blocks, const int count) {
  State work[2];
  __m128i words[2][4];
  for (int hash = 0; hash < count; hash++) work[hash] = states[hash];
#pragma clang loop unroll(full)
  for (int group = 0; group < 16; group++) {
    __m128i constants = _mm_load_si128((const __m128i *)&round_constants[4 * group]);
#pragma clang loop unroll(full)
    for (int hash = 0; hash < count; hash++) {
      __m128i *w = words[hash];
      w[group & 3] = group < 4 ? big_endian_words(blocks[hash] + 16 * group)
                               : schedule(w[group & 3], w[(group + 1) & 3], w[(group + 2) & 3], w[(group + 3) & 3]);
      four_rounds(&work[hash], w[group & 3], constants);
    }
  }
  for (int hash = 0; hash < count; hash++) {
    states[hash].abef = _mm_add_epi32(states[hash].abef, work[hash].abef);
    states[hash].cdgh = _mm_add_epi32(states[hash].cdgh, work[hash].cdgh);
  }
}

static inline size_t message_length(const CSHA256Message *message) { return message->head_length + message->body_length; }

/// The message, 0x80, zeros, and its length: always whole blocks.
static inline size_t block_count(const CSHA256Message *message) {
  return (message_length(message) + 1 + LENGTH_FIELD + BLOCK - 1) / BLOCK;
}

/// Copies what of a piece, which begins at `start` of the message, lies in the block that begins at `from`.
static inline void copy_piece(uint8_t *block, size_t from, const uint8_t *piece, size_t start, size_t length) {
  size_t begin = start > from ? start : from, end = start + length < from + BLOCK ? start + length : from + BLOCK;
  if (begin < end) memcpy(block + (begin - from), piece + (begin - start), end - begin);
}

/// Where a block's bytes are: in the body, if all of it lies there, else put together in `scratch`.
static inline const uint8_t *block_at(const CSHA256Message *message, size_t index, uint8_t *scratch) {
  size_t from = index * BLOCK, length = message_length(message);
  if (from >= message->head_length && from + BLOCK <= length) return message->body + (from - message->head_length);
  memset(scratch, 0, BLOCK);
  copy_piece(scratch, from, message->head, 0, message->head_length);
  copy_piece(scratch, from, message->body, message->head_length, message->body_length);
  if (length >= from && length < from + BLOCK) scratch[length - from] = 0x80;
  if (index + 1 == block_count(message)) {
    uint64_t bits = __builtin_bswap64((uint64_t)length * 8);
    memcpy(scratch + BLOCK - LENGTH_FIELD, &bits, LENGTH_FIELD);
  }
  return scratch;
}

ACCELERATED static inline void write_digest(const State *state, uint8_t *digest) {
  uint32_t feba[4], hgdc[4];
  _mm_storeu_si128((__m128i *)feba, state->abef);
  _mm_storeu_si128((__m128i *)hgdc, state->cdgh);
  const uint32_t words[8] = {feba[3], feba[2], hgdc[3], hgdc[2], feba[1], feba[0], hgdc[1], hgdc[0]};
  for (int word = 0; word < 8; word++) {
    uint32_t swapped = __builtin_bswap32(words[word]);
    memcpy(digest + 4 * word, &swapped, 4);
  }
}

/// The digests of `count` messages: 1 or 2.
ACCELERATED static inline __attribute__((always_inline)) void hash_messages(const CSHA256Message *messages, const int count,
                                                                            uint8_t *digests) {
  State states[2] = {initial_state(), initial_state()};
  uint8_t scratch[2][BLOCK];
  size_t counts[2] = {block_count(&messages[0]), count == 2 ? block_count(&messages[1]) : 0};
  size_t both = counts[0] < counts[1] ? counts[0] : counts[1];
  for (size_t index = 0; index < both; index++) {
    const uint8_t *blocks[2] = {block_at(&messages[0], index, scratch[0]), block_at(&messages[1], index, scratch[1])};
    compress(states, blocks, 2);
  }
  for (int hash = 0; hash < count; hash++) {
    for (size_t index = both; index < counts[hash]; index++) {
      const uint8_t *block = block_at(&messages[hash], index, scratch[hash]);
      compress(&states[hash], &block, 1);
    }
    write_digest(&states[hash], digests + DIGEST * hash);
  }
}

ACCELERATED void csha256_many(const CSHA256Message *messages, size_t count, uint8_t *digests) {
  size_t done = 0;
  for (; done + 2 <= count; done += 2) hash_messages(messages + done, 2, digests + DIGEST * done);
  if (done < count) hash_messages(messages + done, 1, digests + DIGEST * done);
}

ACCELERATED void csha256_pairs(uint8_t prefix, uint8_t *digests, size_t pairs) {
  size_t done = 0;
  // Both digests of a message have been read when the digest that takes their place is written.
  for (; done + 2 <= pairs; done += 2) {
    const uint8_t *below = digests + 2 * DIGEST * done;
    const CSHA256Message nodes[2] = {{&prefix, 1, below, 2 * DIGEST}, {&prefix, 1, below + 2 * DIGEST, 2 * DIGEST}};
    hash_messages(nodes, 2, digests + DIGEST * done);
  }
  if (done < pairs) {
    const CSHA256Message node = {&prefix, 1, digests + 2 * DIGEST * done, 2 * DIGEST};
    hash_messages(&node, 1, digests + DIGEST * done);
  }
}

#else

#include <stdlib.h>

bool csha256_is_available(void) { return false; }

// Whoever calls these did not ask `csha256_is_available`.

void csha256_many(const CSHA256Message *messages, size_t count, uint8_t *digests) {
  (void)messages, (void)count, (void)digests;
  abort();
}

void csha256_pairs(uint8_t prefix, uint8_t *digests, size_t pairs) {
  (void)prefix, (void)digests, (void)pairs;
  abort();
}

#endif
