/* A library to preload (LD_PRELOAD) between a program and the disk: it tells what is done to the
 * files below one folder, and it can fail any of those calls.
 *
 * TORTURE_FOLDER  the folder; absolute, without a slash at its end
 * TORTURE_TRACE   a file to write every change to, as trace.py reads it (optional)
 * TORTURE_ACKS    a file outside: what the program writes to it goes into the trace, too (optional)
 * TORTURE_FAULT   a file of the size of struct fault that says which calls fail (optional)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, FSYNC, TRUNCATE, RENAME, UNLINK, ACK, ALLOCATE, FDATASYNC, SYNC_FOLDER,
       MKDIR, RMDIR, LINK };
enum { FILE_ = 1, ACKS, FOLDER };
enum { F_WRITE = 1, F_SYNC = 2, F_CREATE = 4, F_RENAME = 8, F_TRUNCATE = 16, F_MKDIR = 32,
       F_UNLINK = 64 };
enum { MOST = 65536, LONGEST = 4096 };

struct header { uint32_t op, flags; uint64_t file, offset, length; };
struct fault {
  int64_t left;   /* calls that still succeed; below 0: none fails */
  int64_t calls;  /* that were counted so far */
  int64_t failed; /* that were refused so far */
  int32_t kinds;  /* F_...: which calls are counted */
  int32_t error;  /* errno of those that fail */
  int32_t lasting;/* 0: only one fails; 1: all from there on */
  int32_t shortly;/* 1: a write that is to fail first writes half, as on a disk that becomes full */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ready, trace = -1;
static const char *folder, *acks;
static size_t depth;
static struct fault *fault;
static unsigned char kind_of[MOST];
static uint64_t file_of[MOST];

static void begin(void) {
  if (ready) return;
  ready = 1;
  folder = getenv("TORTURE_FOLDER");
  acks = getenv("TORTURE_ACKS");
  if (!folder) return;
  depth = strlen(folder);
  const char *path = getenv("TORTURE_TRACE");
  if (path) {
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    trace = fd < 0 ? -1 : syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900);
    if (fd >= 0) syscall(SYS_close, fd);
  }
  path = getenv("TORTURE_FAULT");
  if (path) {
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
    void *at = fd < 0 ? MAP_FAILED : mmap(0, sizeof *fault, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    fault = at == MAP_FAILED ? 0 : at;
    if (fd >= 0) syscall(SYS_close, fd);
  }
}

static void put(const void *data, size_t n) {
  const char *at = data;
  while (n) {
    long wrote = syscall(SYS_write, trace, at, n);
    if (wrote <= 0) _exit(97); /* a trace with a hole would prove nothing */
    at += wrote;
    n -= wrote;
  }
}

static void tell(uint32_t op, uint32_t flags, uint64_t file, uint64_t offset, const void *data,
                 uint64_t length) {
  if (trace < 0) return;
  struct header head = {op, flags, file, offset, length};
  put(&head, sizeof head);
  if (data) put(data, length);
}

/* Whether a path is below the folder; whole: that path, absolute, LONGEST bytes. */
static int inside(int at, const char *path, char *whole) {
  begin();
  if (!folder || !path) return 0;
  if (path[0] == '/') {
    if (strlen(path) >= LONGEST) return 0;
    strcpy(whole, path);
  } else {
    char link[64], where[LONGEST];
    if (at == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, where, sizeof where - 1);
    if (n < 0) return 0;
    where[n] = 0;
    if (snprintf(whole, LONGEST, "%s/%s", where, path) >= LONGEST) return 0;
  }
  return !strncmp(whole, folder, depth) && (whole[depth] == '/' || !whole[depth]);
}

static int kind(int fd) { return fd >= 0 && fd < MOST ? kind_of[fd] : 0; }

/* Counts a call. 0: let it be; else the errno that it fails with. */
static int refused(int kinds) {
  if (!fault || fault->left < 0 || !(fault->kinds & kinds)) return 0;
  int64_t number = __atomic_fetch_add(&fault->calls, 1, __ATOMIC_SEQ_CST);
  if (number < fault->left) return 0;
  if (number > fault->left && !fault->lasting) return 0;
  __atomic_fetch_add(&fault->failed, 1, __ATOMIC_SEQ_CST);
  return fault->error;
}

static int fail(int error) { errno = error; return -1; }

static int opened(int at, const char *path, int flags, mode_t mode) {
  char whole[LONGEST];
  begin();
  if (acks && path && !strcmp(path, acks)) {
    int fd = syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && fd < MOST) kind_of[fd] = ACKS;
    return fd;
  }
  if (!inside(at, path, whole)) return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&mutex);
  struct stat about;
  int there = !syscall(SYS_newfstatat, AT_FDCWD, whole, &about, 0);
  int error = !there && flags & O_CREAT ? refused(F_CREATE)
              : there && flags & O_TRUNC ? refused(F_TRUNCATE) : 0;
  int fd = error ? fail(error) : syscall(SYS_openat, at, path, flags, mode);
  if (fd >= 0 && fd < MOST) {
    syscall(SYS_newfstatat, fd, "", &about, AT_EMPTY_PATH);
    file_of[fd] = about.st_ino;
    kind_of[fd] = S_ISDIR(about.st_mode) ? FOLDER : FILE_;
    uint32_t how = (there ? 0 : 1) | (flags & O_TRUNC ? 2 : 0);
    if (kind_of[fd] == FILE_ && how)
      tell(OPEN, how, about.st_ino, 0, whole + depth, strlen(whole + depth));
    if (kind_of[fd] == FOLDER) /* a sync names the folder by this number */
      tell(OPEN, 4, about.st_ino, 0, whole + depth, strlen(whole + depth));
  }
  pthread_mutex_unlock(&mutex);
  return fd;
}

#define MODE(flags, mode) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }

int close(int fd) {
  if (fd >= 0 && fd < MOST) kind_of[fd] = 0;
  return syscall(SYS_close, fd);
}

static ssize_t written(int fd, const void *data, size_t n, off_t offset, int placed) {
  int what = kind(fd);
  if (!what || what == FOLDER)
    return placed ? syscall(SYS_pwrite64, fd, data, n, offset) : syscall(SYS_write, fd, data, n);
  pthread_mutex_lock(&mutex);
  int error = what == FILE_ ? refused(F_WRITE) : 0;
  if (error && fault->shortly && n > 1 && fault->calls - 1 == fault->left) { error = 0; n /= 2; }
  ssize_t wrote = error ? fail(error)
                  : placed ? syscall(SYS_pwrite64, fd, data, n, offset) : syscall(SYS_write, fd, data, n);
  if (wrote > 0) {
    if (!placed) offset = syscall(SYS_lseek, fd, 0, SEEK_CUR) - wrote;
    if (what == ACKS) tell(ACK, 0, 0, 0, data, wrote);
    else tell(WRITE, 0, file_of[fd], offset, data, wrote);
  }
  pthread_mutex_unlock(&mutex);
  return wrote;
}

ssize_t write(int fd, const void *data, size_t n) { return written(fd, data, n, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t n, off_t offset) { return written(fd, data, n, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t offset) { return written(fd, data, n, offset, 1); }

static ssize_t gathered(int fd, const struct iovec *parts, int n, off_t offset, int placed) {
  ssize_t sum = 0;
  for (int i = 0; i < n; i++) {
    ssize_t wrote = written(fd, parts[i].iov_base, parts[i].iov_len, offset + sum, placed);
    if (wrote < 0) return sum ? sum : wrote;
    sum += wrote;
    if ((size_t)wrote < parts[i].iov_len) break;
  }
  return sum;
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
  return kind(fd) ? gathered(fd, parts, n, 0, 0) : syscall(SYS_writev, fd, parts, n);
}
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset) { return gathered(fd, parts, n, offset, 1); }
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset) { return gathered(fd, parts, n, offset, 1); }

/* Copies inside the kernel would go unseen: callers fall back to read and write. */
ssize_t sendfile(int out, int in, off_t *offset, size_t n) {
  return kind(out) ? fail(EINVAL) : syscall(SYS_sendfile, out, in, offset, n);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t n) {
  return kind(out) ? fail(EINVAL) : syscall(SYS_sendfile, out, in, offset, n);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags) {
  return kind(out) ? fail(EINVAL) : syscall(SYS_copy_file_range, in, from, out, to, n, flags);
}

static int synced(int fd, int number, int op) {
  int what = kind(fd);
  if (!what || what == ACKS) return syscall(number, fd);
  pthread_mutex_lock(&mutex);
  int error = refused(F_SYNC);
  int done = error ? fail(error) : syscall(number, fd);
  if (!done) tell(what == FOLDER ? SYNC_FOLDER : op, 0, file_of[fd], 0, 0, 0);
  pthread_mutex_unlock(&mutex);
  return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync, FSYNC); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync, FDATASYNC); }

static int truncated(int fd, off_t size) {
  if (kind(fd) != FILE_) return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&mutex);
  int error = refused(F_TRUNCATE);
  int done = error ? fail(error) : syscall(SYS_ftruncate, fd, size);
  if (!done) tell(TRUNCATE, 0, file_of[fd], size, 0, 0);
  pthread_mutex_unlock(&mutex);
  return done;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

static int allocated(int fd, int mode, off_t offset, off_t length) {
  if (kind(fd) != FILE_) return syscall(SYS_fallocate, fd, mode, offset, length);
  pthread_mutex_lock(&mutex);
  int error = refused(F_TRUNCATE);
  int done = error ? fail(error) : syscall(SYS_fallocate, fd, mode, offset, length);
  if (!done) tell(ALLOCATE, mode, file_of[fd], offset + length, 0, 0);
  pthread_mutex_unlock(&mutex);
  return done;
}

int fallocate(int fd, int mode, off_t offset, off_t length) { return allocated(fd, mode, offset, length); }
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return allocated(fd, mode, offset, length); }
int posix_fallocate(int fd, off_t offset, off_t length) { return allocated(fd, 0, offset, length) ? errno : 0; }
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return allocated(fd, 0, offset, length) ? errno : 0; }

/* What has two names: told as "from\nto". */
static int moved(int number, int op, int a, const char *from, int b, const char *to) {
  char whole[2 * LONGEST + 1], other[LONGEST];
  int first = inside(a, from, whole), second = inside(b, to, other);
  if (!first && !second) return syscall(number, a, from, b, to, 0);
  pthread_mutex_lock(&mutex);
  int error = refused(F_RENAME);
  int done = error ? fail(error) : syscall(number, a, from, b, to, 0);
  if (!done && (!first || !second)) _exit(96); /* in or out of the folder: not foreseen */
  if (!done) {
    size_t n = strlen(whole + depth);
    whole[depth + n] = '\n';
    strcpy(whole + depth + n + 1, other + depth);
    tell(op, 0, 0, 0, whole + depth, strlen(whole + depth));
  }
  pthread_mutex_unlock(&mutex);
  return done;
}

int rename(const char *from, const char *to) { return moved(SYS_renameat2, RENAME, AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int a, const char *from, int b, const char *to) { return moved(SYS_renameat2, RENAME, a, from, b, to); }
int link(const char *from, const char *to) { return moved(SYS_linkat, LINK, AT_FDCWD, from, AT_FDCWD, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
  return flags ? syscall(SYS_linkat, a, from, b, to, flags) : moved(SYS_linkat, LINK, a, from, b, to);
}

static int named(int op, int kinds, int at, const char *path, int flags, mode_t mode) {
  char whole[LONGEST];
  int mine = inside(at, path, whole);
  if (mine) pthread_mutex_lock(&mutex);
  int error = mine ? refused(kinds) : 0;
  int done = error ? fail(error)
             : op == MKDIR ? syscall(SYS_mkdirat, at, path, mode) : syscall(SYS_unlinkat, at, path, flags);
  if (mine) {
    if (!done) tell(op, 0, 0, 0, whole + depth, strlen(whole + depth));
    pthread_mutex_unlock(&mutex);
  }
  return done;
}

int mkdir(const char *path, mode_t mode) { return named(MKDIR, F_MKDIR, AT_FDCWD, path, 0, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return named(MKDIR, F_MKDIR, at, path, 0, mode); }
int rmdir(const char *path) { return named(RMDIR, F_UNLINK, AT_FDCWD, path, AT_REMOVEDIR, 0); }
int unlink(const char *path) { return named(UNLINK, F_UNLINK, AT_FDCWD, path, 0, 0); }
int unlinkat(int at, const char *path, int flags) {
  return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, F_UNLINK, at, path, flags, 0);
}
int remove(const char *path) {
  struct stat about;
  if (syscall(SYS_newfstatat, AT_FDCWD, path, &about, AT_SYMLINK_NOFOLLOW)) return -1;
  return S_ISDIR(about.st_mode) ? rmdir(path) : unlink(path);
}
