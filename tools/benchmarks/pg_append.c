// The ceiling of a hub on PostgreSQL: the rows that it stores, written by plain libpq with the same durability and nothing else done.
//
// usage: pg_append CONNINFO copy|insert ROWS_PER_COMMIT ROWS PAYLOAD_BYTES
//
// The table is the hub's own `record` (hash-partitioned, primary key install, epoch, sequence). Each commit waits for the flush
// (synchronous_commit = on). copy: COPY in binary form, one a commit; insert: INSERT of many rows from arrays, prepared once.
// Prints one line of JSON.
#include <endian.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static PGconn *connection;

static void check(PGresult *result, ExecStatusType expected) {
  if (PQresultStatus(result) != expected) {
    fprintf(stderr, "pg_append: %s", PQerrorMessage(connection));
    exit(1);
  }
  PQclear(result);
}

static void run(const char *sql) { check(PQexec(connection, sql), PGRES_COMMAND_OK); }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

struct buffer {
  char *bytes;
  size_t count;
};

static void put(struct buffer *buffer, const void *bytes, size_t count) {
  memcpy(buffer->bytes + buffer->count, bytes, count);
  buffer->count += count;
}

static void put16(struct buffer *buffer, uint16_t value) { value = htobe16(value); put(buffer, &value, 2); }
static void put32(struct buffer *buffer, uint32_t value) { value = htobe32(value); put(buffer, &value, 4); }
static void put64(struct buffer *buffer, uint64_t value) { value = htobe64(value); put(buffer, &value, 8); }

// Bytes that do not compress, as hashes and packed events do not.
static uint64_t state = 1;
static void fill(char *bytes, size_t count) {
  for (size_t place = 0; place < count; place++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[place] = (char)(state >> 56);
  }
}

static void field64(struct buffer *buffer, uint64_t value) { put32(buffer, 8); put64(buffer, value); }
static void fieldBytes(struct buffer *buffer, const char *bytes, uint32_t count) { put32(buffer, count); put(buffer, bytes, count); }

static void copyRows(struct buffer *buffer, uint64_t first, uint64_t rows, char *payload, uint32_t payloadBytes) {
  char hash[32];
  buffer->count = 0;
  put(buffer, "PGCOPY\n\377\r\n\0", 11);
  put32(buffer, 0);
  put32(buffer, 0);
  for (uint64_t row = first; row < first + rows; row++) {
    fill(hash, sizeof hash);
    fill(payload, payloadBytes);
    put16(buffer, 6);
    field64(buffer, 1);
    field64(buffer, 1);
    field64(buffer, row);
    field64(buffer, row * 1000000);
    fieldBytes(buffer, hash, sizeof hash);
    fieldBytes(buffer, payload, payloadBytes);
  }
  put16(buffer, 0xFFFF);
  check(PQexec(connection, "COPY record (install, epoch, sequence, time, hash, payload) FROM STDIN (FORMAT binary)"), PGRES_COPY_IN);
  if (PQputCopyData(connection, buffer->bytes, (int)buffer->count) != 1 || PQputCopyEnd(connection, NULL) != 1) {
    fprintf(stderr, "pg_append: %s", PQerrorMessage(connection));
    exit(1);
  }
  check(PQgetResult(connection), PGRES_COMMAND_OK);
  PQclear(PQgetResult(connection));
}

// The head of a one-dimensional array of binary values (array_send in PostgreSQL's utils/adt/arrayfuncs.c).
static void arrayHead(struct buffer *buffer, uint32_t type, uint32_t count) {
  buffer->count = 0;
  put32(buffer, 1);
  put32(buffer, 0);
  put32(buffer, type);
  put32(buffer, count);
  put32(buffer, 1);
}

static void insertRows(struct buffer columns[4], uint64_t first, uint64_t rows, char *payload, uint32_t payloadBytes) {
  enum { bigintType = 20, byteaType = 17 };
  char hash[32];
  arrayHead(&columns[0], bigintType, (uint32_t)rows);
  arrayHead(&columns[1], bigintType, (uint32_t)rows);
  arrayHead(&columns[2], byteaType, (uint32_t)rows);
  arrayHead(&columns[3], byteaType, (uint32_t)rows);
  for (uint64_t row = first; row < first + rows; row++) {
    fill(hash, sizeof hash);
    fill(payload, payloadBytes);
    field64(&columns[0], row);
    field64(&columns[1], row * 1000000);
    fieldBytes(&columns[2], hash, sizeof hash);
    fieldBytes(&columns[3], payload, payloadBytes);
  }
  const char *values[4];
  int lengths[4], formats[4] = {1, 1, 1, 1};
  for (int column = 0; column < 4; column++) {
    values[column] = columns[column].bytes;
    lengths[column] = (int)columns[column].count;
  }
  check(PQexecPrepared(connection, "rows", 4, values, lengths, formats, 1), PGRES_COMMAND_OK);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: pg_append CONNINFO copy|insert ROWS_PER_COMMIT ROWS PAYLOAD_BYTES\n");
    return 64;
  }
  int isCopy = strcmp(argv[2], "copy") == 0;
  uint64_t perCommit = strtoull(argv[3], NULL, 10), rows = strtoull(argv[4], NULL, 10);
  uint32_t payloadBytes = (uint32_t)strtoul(argv[5], NULL, 10);
  if (perCommit == 0 || perCommit > 100000 || payloadBytes > 1u << 16) return 64;
  connection = PQconnectdb(argv[1]);
  if (PQstatus(connection) != CONNECTION_OK) {
    fprintf(stderr, "pg_append: %s", PQerrorMessage(connection));
    return 1;
  }
  run("SET synchronous_commit = on");
  if (!isCopy) {
    check(PQprepare(connection, "rows",
                    "INSERT INTO record (install, epoch, sequence, time, hash, payload) "
                    "SELECT 1, 1, * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])",
                    0, NULL),
          PGRES_COMMAND_OK);
  }
  size_t room = perCommit * (payloadBytes + 128) + 64;
  struct buffer columns[4];
  for (int column = 0; column < 4; column++) columns[column] = (struct buffer){malloc(room), 0};
  char *payload = malloc(payloadBytes + 1);
  double start = now();
  for (uint64_t first = 1; first <= rows; first += perCommit) {
    run("BEGIN");
    if (isCopy) copyRows(&columns[0], first, perCommit, payload, payloadBytes);
    else insertRows(columns, first, perCommit, payload, payloadBytes);
    run("COMMIT");
  }
  double seconds = now() - start;
  printf("{\"benchmark\":\"pg_append.%s\",\"rows\":%llu,\"rows_per_commit\":%llu,\"seconds\":%.3f,\"rows_per_second\":%.0f}\n", argv[2],
         (unsigned long long)rows, (unsigned long long)perCommit, seconds, (double)rows / seconds);
  PQfinish(connection);
  return 0;
}
