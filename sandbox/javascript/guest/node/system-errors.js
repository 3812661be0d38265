// Names and texts of the system's errors, as on Linux.

const TABLE = `1 EPERM operation not permitted;2 ENOENT no such file or directory;4 EINTR interrupted system call;5 EIO i/o error
9 EBADF bad file descriptor;11 EAGAIN resource temporarily unavailable;12 ENOMEM not enough memory;13 EACCES permission denied
14 EFAULT bad address in system call argument;16 EBUSY resource busy or locked;17 EEXIST file already exists
20 ENOTDIR not a directory;21 EISDIR illegal operation on a directory;22 EINVAL invalid argument;24 EMFILE too many open files
27 EFBIG file too large;28 ENOSPC no space left on device;30 EROFS read-only file system;32 EPIPE broken pipe
71 EPROTO protocol error;88 ENOTSOCK socket operation on non-socket;90 EMSGSIZE message too long
97 EAFNOSUPPORT address family not supported;98 EADDRINUSE address already in use;99 EADDRNOTAVAIL address not available
100 ENETDOWN network is down;101 ENETUNREACH network is unreachable;103 ECONNABORTED software caused connection abort
104 ECONNRESET connection reset by peer;105 ENOBUFS no buffer space available;106 EISCONN socket is already connected
107 ENOTCONN socket is not connected;110 ETIMEDOUT connection timed out;111 ECONNREFUSED connection refused
112 EHOSTDOWN host is down;113 EHOSTUNREACH host is unreachable;114 EALREADY connection already in progress
125 ECANCELED operation canceled`;

/** @type {[number, [string, string]][]} */
const rows = TABLE.split(/;|\n/).map((row) => /^(\d+) (\w+) (.*)$/.exec(row)).map(([, number, name, text]) => [-Number(number), [name, text]]);

export const systemErrors = new Map(rows);
export const errnoConstants = Object.fromEntries(rows.map(([number, [name]]) => [name, -number]));
export const signals = Object.fromEntries(
  'SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM'
    .split(' ').map((name, at) => [name, at + 1]),
);
