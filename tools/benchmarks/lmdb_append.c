// The peer of the journal's append: plain C on LMDB, with keys and values of the same sizes, one named database, MDB_APPEND and
// the same durability. It hashes nothing, keeps no tree, no head and no projection: it is the ceiling.
//
//   cc -O2 -o lmdb_append lmdb_append.c -llmdb
//   lmdb_append DIRECTORY BATCH EVENTS [PAYLOAD]      DIRECTORY exists and is empty; prints one JSON line

#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check(int code, const char *what) {
  if (code == 0) return;
  fprintf(stderr, "%s: %s\n", what, mdb_strerror(code));
  exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: lmdb_append DIRECTORY BATCH EVENTS [PAYLOAD]\n");
    return 2;
  }
  uint64_t batch = strtoull(argv[2], NULL, 10), events = strtoull(argv[3], NULL, 10);
  size_t payload = argc > 4 ? strtoull(argv[4], NULL, 10) : 300;
  size_t length = 42 + payload;
  unsigned char *value = malloc(length);
  memset(value, 0x5a, length);

  MDB_env *env;
  MDB_txn *txn;
  MDB_dbi dbi;
  check(mdb_env_create(&env), "create");
  check(mdb_env_set_maxdbs(env, 6), "maxdbs");
  check(mdb_env_set_mapsize(env, (size_t)64 << 30), "mapsize");
  check(mdb_env_open(env, argv[1], MDB_NOTLS, 0600), "open");
  check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
  check(mdb_dbi_open(txn, "records", MDB_CREATE, &dbi), "dbi");
  check(mdb_txn_commit(txn), "commit");

  double start = seconds();
  for (uint64_t done = 0; done < events;) {
    check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    for (uint64_t i = 0; i < batch && done < events; i++, done++) {
      unsigned char bytes[12] = {0, 0, 0, 1};
      for (int byte = 0; byte < 8; byte++) bytes[4 + byte] = (unsigned char)((done + 1) >> (56 - 8 * byte));
      MDB_val key = {sizeof bytes, bytes}, data = {length, value};
      check(mdb_put(txn, dbi, &key, &data, MDB_APPEND), "put");
    }
    check(mdb_txn_commit(txn), "commit");
  }
  double elapsed = seconds() - start;
  printf("{\"benchmark\":\"lmdb.append.c\",\"batch\":%llu,\"payload\":%zu,\"events\":%llu,\"seconds\":%.3f,\"events_per_second\":%.0f}\n",
         (unsigned long long)batch, payload, (unsigned long long)events, elapsed, events / elapsed);
  mdb_env_close(env);
  return 0;
}
