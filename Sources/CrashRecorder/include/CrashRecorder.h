// A library to preload (LD_PRELOAD) that watches what a program does to the files below one directory: it writes down every write, sync
// and change of names, in order, so that the states in which a power cut may leave a disk can be made from it (the room `CrashImages`); it
// kills the program at a named point; and it lets the disk be full for a while.
//
//   PT_RECORD_DIRECTORY   what is watched: absolute, no link in it
//   PT_RECORD_TRACE       the trace's file, made anew; not below the watched directory
//   PT_KILL_AT            MOMENT:POINT:NUMBER, where the process is killed by SIGKILL; its children are not
//     before, after       the call
//     write               of a file that was not opened with O_SYNC or O_DSYNC: LMDB's pages, SQLite's log
//     meta                of a file that was: LMDB's meta page, whose write is the commit
//     sync                fsync and fdatasync
//     rename              of a name below the directory
//     note                a write to PT_RECORD_NOTES: what was done is told
//     and a number        counted from 1: the call of this kind before or after which it happens
//   PT_FULL_WHILE         a file: while it exists, every write to what is watched fails with ENOSPC
//   PT_HANG_WHILE         a file: while it exists, fsync and fdatasync of what is watched do not return
//
// The trace is one entry after the other, numbers little-endian:
//
//   operation u8 | file u64 (inode) | offset u64 | length u32 | bytes
//
//   1 name      the file got the name in the bytes (created, or opened for the first time)
//   2 write     the bytes at the offset
//   3 sync      everything written to the file is on the disk
//   4 truncate  to the offset's length
//   5 rename    bytes: old name, a zero byte, new name
//   6 unlink    bytes: the name
//   7 syncDirectory   all changes of names are on the disk
//   8 note      bytes: what the program says of itself, by a write to the file descriptor that PT_RECORD_NOTES names
//
// A write through a descriptor that was opened with O_SYNC or O_DSYNC is a write and a sync. Names are those below the watched directory.

#ifndef CRASH_RECORDER_H
#define CRASH_RECORDER_H
#endif
