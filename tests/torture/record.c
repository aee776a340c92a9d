// LD_PRELOAD library: writes down every change of files below $REC_DIR into $REC_TRACE.
//
// One record per change: kind, flags, inode, offset, length, then the bytes (see trace.py). Files
// that end in ".ack" are not part of the folder's state: what is written to them is what a program
// promised by then. Memory maps are not seen (SQLite's -shm is rebuilt whenever it is needed).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, FSYNC, TRUNCATE, RENAME, UNLINK, ACK, ALLOCATE, DIRSYNC, MKDIR };
enum { NOTHING, A_FILE, A_FOLDER, PROMISES };
struct head { uint32_t kind, flags; uint64_t inode, offset, length; };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int trace = -2;
static const char *folder;
static size_t folder_length;
static unsigned char what[65536];
static uint64_t inode_of[65536];
static char *path_of[65536];

static void begin(void) {
  if (trace != -2) return;
  folder = getenv("REC_DIR");
  const char *name = getenv("REC_TRACE");
  trace = -1;
  if (!folder || !name) return;
  folder_length = strlen(folder);
  int low = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (low < 0) return;
  trace = syscall(SYS_fcntl, low, F_DUPFD, 900);
  syscall(SYS_close, low);
}

static void put(const void *bytes, size_t n) {
  const char *at = bytes;
  while (n) {
    long done = syscall(SYS_write, trace, at, n);
    if (done <= 0) abort();
    at += done;
    n -= done;
  }
}

static void note(uint32_t kind, uint32_t flags, uint64_t inode, uint64_t offset, uint64_t length,
                 const void *bytes, size_t n) {
  struct head head = {kind, flags, inode, offset, length};
  put(&head, sizeof head);
  if (n) put(bytes, n);
}

static int inside(const char *path) {
  begin();
  return trace >= 0 && !strncmp(path, folder, folder_length);
}

static void note_path(uint32_t kind, uint32_t flags, uint64_t inode, const char *path) {
  path += folder_length;
  note(kind, flags, inode, 0, strlen(path), path, strlen(path));
}

static int kind_of(int file) { return file >= 0 && file < 65536 ? what[file] : NOTHING; }

static int opened(int at, const char *path, int flags, mode_t mode) {
  int ours = inside(path), existed = 0;
  if (ours) {
    struct stat about;
    pthread_mutex_lock(&turn);
    existed = !syscall(SYS_newfstatat, AT_FDCWD, path, &about, 0);
  }
  int file = syscall(SYS_openat, at, path, flags, mode);
  if (ours) {
    if (file >= 0 && file < 65536) {
      struct stat about;
      syscall(SYS_newfstatat, file, "", &about, AT_EMPTY_PATH);
      inode_of[file] = about.st_ino;
      size_t n = strlen(path);
      if (n >= 4 && !strcmp(path + n - 4, ".ack")) what[file] = PROMISES;
      else if (S_ISDIR(about.st_mode)) {
        what[file] = A_FOLDER;
        free(path_of[file]);
        path_of[file] = strdup(path);
      } else {
        what[file] = A_FILE;
        note_path(OPEN, (existed ? 0 : 1) | (flags & O_TRUNC ? 2 : 0), about.st_ino, path);
      }
    }
    pthread_mutex_unlock(&turn);
  }
  return file;
}

#define MODE(needed) \
  mode_t mode = 0; \
  if (flags & (needed)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }
int open(const char *path, int flags, ...) { MODE(O_CREAT | O_TMPFILE) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(O_CREAT | O_TMPFILE) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(O_CREAT | O_TMPFILE) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(O_CREAT | O_TMPFILE) return opened(at, path, flags | O_LARGEFILE, mode); }

int close(int file) {
  if (kind_of(file)) what[file] = NOTHING;
  return syscall(SYS_close, file);
}

static ssize_t written(int file, const void *bytes, size_t n, off_t offset, int here) {
  int kind = kind_of(file);
  if (!kind) return here ? syscall(SYS_write, file, bytes, n) : syscall(SYS_pwrite64, file, bytes, n, offset);
  pthread_mutex_lock(&turn);
  ssize_t done;
  if (here) {
    done = syscall(SYS_write, file, bytes, n);
    offset = syscall(SYS_lseek, file, 0, SEEK_CUR) - (done > 0 ? done : 0);
  } else done = syscall(SYS_pwrite64, file, bytes, n, offset);
  if (done > 0) {
    if (kind == PROMISES) note(ACK, 0, 0, 0, done, bytes, done);
    else note(WRITE, 0, inode_of[file], offset, done, bytes, done);
  }
  pthread_mutex_unlock(&turn);
  return done;
}
ssize_t write(int file, const void *bytes, size_t n) { return written(file, bytes, n, 0, 1); }
ssize_t pwrite(int file, const void *bytes, size_t n, off_t offset) { return written(file, bytes, n, offset, 0); }
ssize_t pwrite64(int file, const void *bytes, size_t n, off64_t offset) { return written(file, bytes, n, offset, 0); }
ssize_t writev(int file, const struct iovec *parts, int count) {
  if (!kind_of(file)) return syscall(SYS_writev, file, parts, count);
  ssize_t sum = 0;
  for (int i = 0; i < count; i++) {
    ssize_t done = written(file, parts[i].iov_base, parts[i].iov_len, 0, 1);
    if (done < 0) return sum ? sum : done;
    sum += done;
  }
  return sum;
}

static int synced(int file, int number) {
  int kind = kind_of(file);
  if (!kind) return syscall(number, file);
  pthread_mutex_lock(&turn);
  int failed = syscall(number, file);
  if (!failed && kind == A_FOLDER) note_path(DIRSYNC, 0, 0, path_of[file]);
  if (!failed && kind == A_FILE) note(FSYNC, number == SYS_fdatasync, inode_of[file], 0, 0, 0, 0);
  pthread_mutex_unlock(&turn);
  return failed;
}
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static int cut(int file, off_t length) {
  if (!kind_of(file)) return syscall(SYS_ftruncate, file, length);
  pthread_mutex_lock(&turn);
  int failed = syscall(SYS_ftruncate, file, length);
  if (!failed) note(TRUNCATE, 0, inode_of[file], length, 0, 0, 0);
  pthread_mutex_unlock(&turn);
  return failed;
}
int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off_t length) { return cut(file, length); }

static int allocated(int file, int mode, off_t offset, off_t length) {
  if (!kind_of(file)) return syscall(SYS_fallocate, file, mode, offset, length);
  pthread_mutex_lock(&turn);
  int failed = syscall(SYS_fallocate, file, mode, offset, length);
  if (!failed) note(ALLOCATE, mode, inode_of[file], offset, length, 0, 0);
  pthread_mutex_unlock(&turn);
  return failed;
}
int fallocate(int file, int mode, off_t offset, off_t length) { return allocated(file, mode, offset, length); }
int fallocate64(int file, int mode, off_t offset, off_t length) { return allocated(file, mode, offset, length); }
int posix_fallocate(int file, off_t offset, off_t length) { return allocated(file, 0, offset, length); }
int posix_fallocate64(int file, off_t offset, off_t length) { return allocated(file, 0, offset, length); }

int rename(const char *old, const char *new) {
  int ours = inside(old) || inside(new);
  if (!ours) return syscall(SYS_rename, old, new);
  pthread_mutex_lock(&turn);
  int failed = syscall(SYS_rename, old, new);
  if (!failed) {
    char both[8192];
    int n = snprintf(both, sizeof both, "%s\n%s", old + folder_length, new + folder_length);
    note(RENAME, 0, 0, 0, n, both, n);
  }
  pthread_mutex_unlock(&turn);
  return failed;
}
int renameat(int at, const char *old, int to, const char *new) {
  return inside(old) || inside(new) ? rename(old, new) : syscall(SYS_renameat, at, old, to, new);
}

static int removed(const char *path, int number) {
  if (!inside(path)) return syscall(number, path);
  pthread_mutex_lock(&turn);
  int failed = syscall(number, path);
  if (!failed) note_path(UNLINK, 0, 0, path);
  pthread_mutex_unlock(&turn);
  return failed;
}
int unlink(const char *path) { return removed(path, SYS_unlink); }
int rmdir(const char *path) { return removed(path, SYS_rmdir); }
int remove(const char *path) {
  struct stat about;
  int is_folder = !syscall(SYS_newfstatat, AT_FDCWD, path, &about, AT_SYMLINK_NOFOLLOW) && S_ISDIR(about.st_mode);
  return is_folder ? rmdir(path) : unlink(path);
}
int unlinkat(int at, const char *path, int flags) {
  if (!inside(path)) return syscall(SYS_unlinkat, at, path, flags);
  return flags & AT_REMOVEDIR ? rmdir(path) : unlink(path);
}

int mkdir(const char *path, mode_t mode) {
  if (!inside(path)) return syscall(SYS_mkdir, path, mode);
  pthread_mutex_lock(&turn);
  int failed = syscall(SYS_mkdir, path, mode);
  if (!failed) note_path(MKDIR, 0, 0, path);
  pthread_mutex_unlock(&turn);
  return failed;
}
