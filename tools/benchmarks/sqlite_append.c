// Another peer of the journal's append: SQLite in WAL mode with synchronous=FULL, doing the same work. Each record is a row with its leaf
// hash; the tree over them (RFC 6962) is kept as a row of its own, in the same transaction.
//
//   cc -O2 -o sqlite_append sqlite_append.c -lsqlite3 -lcrypto
//   sqlite_append DIRECTORY BATCH EVENTS [PAYLOAD]      DIRECTORY exists and is empty; prints one JSON line

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *db;

static void check(int code, const char *what) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
  exit(1);
}

static void run(const char *sql) { check(sqlite3_exec(db, sql, NULL, NULL, NULL), sql); }

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), sql);
  return statement;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static void big_endian(unsigned char *to, uint64_t value, int bytes) {
  for (int byte = 0; byte < bytes; byte++) to[byte] = (unsigned char)(value >> (8 * (bytes - 1 - byte)));
}

/// The roots of the perfect subtrees, largest first.
static unsigned char nodes[64][32];
static int node_count;

static void append_leaf(uint64_t size_before, const unsigned char *leaf) {
  unsigned char root[32], pair[65] = {1};
  memcpy(root, leaf, 32);
  for (uint64_t merging = size_before; merging & 1; merging >>= 1) {
    memcpy(pair + 1, nodes[--node_count], 32);
    memcpy(pair + 33, root, 32);
    SHA256(pair, sizeof pair, root);
  }
  memcpy(nodes[node_count++], root, 32);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: sqlite_append DIRECTORY BATCH EVENTS [PAYLOAD]\n");
    return 2;
  }
  uint64_t batch = strtoull(argv[2], NULL, 10), events = strtoull(argv[3], NULL, 10);
  int payload = argc > 4 ? atoi(argv[4]) : 300;
  unsigned char *canonical = calloc(1, (size_t)payload + 26);
  memset(canonical + 26, 0x5a, (size_t)payload);
  canonical[1] = 1;
  big_endian(canonical + 2, 1, 4);
  big_endian(canonical + 22, (uint64_t)payload, 4);

  char path[4096];
  snprintf(path, sizeof path, "%s/journal.sqlite", argv[1]);
  check(sqlite3_open(path, &db), "open");
  run("PRAGMA journal_mode=WAL");
  run("PRAGMA synchronous=FULL");
  run("CREATE TABLE record (epoch INTEGER, sequence INTEGER, time INTEGER, hash BLOB, payload BLOB, PRIMARY KEY (epoch, sequence)) WITHOUT ROWID");
  run("CREATE TABLE tree (epoch INTEGER PRIMARY KEY, frontier BLOB)");
  sqlite3_stmt *insert = prepare("INSERT INTO record VALUES (1, ?, ?, ?, ?)");
  sqlite3_stmt *keep = prepare("INSERT INTO tree VALUES (1, ?) ON CONFLICT (epoch) DO UPDATE SET frontier = excluded.frontier");

  double start = seconds();
  for (uint64_t done = 0; done < events;) {
    run("BEGIN IMMEDIATE");
    uint64_t time = (uint64_t)done;
    for (uint64_t i = 0; i < batch && done < events; i++, done++) {
      unsigned char leaf[32];
      big_endian(canonical + 6, done + 1, 8);
      big_endian(canonical + 14, time, 8);
      SHA256(canonical, (size_t)payload + 26, leaf);
      append_leaf(done, leaf);
      sqlite3_bind_int64(insert, 1, (sqlite3_int64)done + 1);
      sqlite3_bind_int64(insert, 2, (sqlite3_int64)time);
      sqlite3_bind_blob(insert, 3, leaf, 32, SQLITE_TRANSIENT);
      sqlite3_bind_blob(insert, 4, canonical + 26, payload, SQLITE_STATIC);
      check(sqlite3_step(insert), "insert");
      sqlite3_reset(insert);
    }
    sqlite3_bind_blob(keep, 1, nodes, 32 * node_count, SQLITE_STATIC);
    check(sqlite3_step(keep), "tree");
    sqlite3_reset(keep);
    run("COMMIT");
  }
  double elapsed = seconds() - start;
  printf("{\"benchmark\":\"sqlite.append.c\",\"batch\":%llu,\"payload\":%d,\"events\":%llu,\"seconds\":%.3f,\"events_per_second\":%.0f}\n",
         (unsigned long long)batch, payload, (unsigned long long)events, elapsed, events / elapsed);
  sqlite3_finalize(insert);
  sqlite3_finalize(keep);
  sqlite3_close(db);
  return 0;
}
