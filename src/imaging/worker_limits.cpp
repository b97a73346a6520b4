#include "imaging/worker_limits.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>

namespace alcove::imaging {

namespace {

// Descriptors 0 to 2 lead nowhere, 3 is the socket, 4 the shared memory.
constexpr rlim_t kMostFiles = 5;

#ifdef __SANITIZE_ADDRESS__
constexpr bool kShadowMemory = true;  // the address sanitizer reserves terabytes of addresses
#else
constexpr bool kShadowMemory = false;
#endif

bool limit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  const rlimit wanted{soft, hard};
  rlimit now{};
  return setrlimit(resource, &wanted) == 0 && getrlimit(resource, &now) == 0 && now.rlim_cur == soft;
}

bool allow(scmp_filter_ctx filter, int call) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
}
bool allow_if(scmp_filter_ctx filter, int call, scmp_arg_cmp condition) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, condition) == 0;
}

// Every other call fails with "not permitted": decoders that look for a font or a plug-in do without it.
bool load_filter() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)),
                                                                seccomp_release);
  if (!filter) return false;
  for (const int call :
       {SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(close), SCMP_SYS(exit), SCMP_SYS(exit_group),
        // memory
        SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
        // threads, which HEIC's and AVIF's decoders use
        SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
        // time, where the kernel does not answer without a call
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
        SCMP_SYS(getrandom)})
    if (!allow(filter.get(), call)) return false;
  // Memory that can be run as code is not to be had.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
    if (!allow_if(filter.get(), call, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))) return false;
  // Of the memory it shares with us it may take none away.
  for (const int advice : {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE})
    if (!allow_if(filter.get(), SCMP_SYS(madvise), SCMP_A2(SCMP_CMP_EQ, static_cast<scmp_datum_t>(advice))))
      return false;
  // A thread, never a process. Flags of clone3 lie in memory, out of the filter's sight; without it the C
  // library takes clone.
  if (!allow_if(filter.get(), SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)))
    return false;
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0) return false;
  return seccomp_load(filter.get()) == 0;
}

bool is_filtered() {
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (file >= 0) ::close(file);
  return file < 0 && errno == EPERM && ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 && errno == EPERM;
}

}  // namespace

GrantedLimits give_up_rights(const WorkerLimits& limits, pid_t parent) {
  const bool dies_with_parent = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  if (getppid() != parent) _exit(0);  // it ended before it was asked for
  const bool no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  const bool memory = !kShadowMemory && limit(RLIMIT_AS, limits.memory, limits.memory);
  // Past the first a signal says why; the second ends even what does not listen.
  const bool cpu_time = limit(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1);
  const bool files = limit(RLIMIT_NOFILE, kMostFiles, kMostFiles);
  const bool file_size = limit(RLIMIT_FSIZE, 0, 0);
  const bool no_core = limit(RLIMIT_CORE, 0, 0);
  const bool seccomp = load_filter() && is_filtered();

  GrantedLimits granted = 0;
  int bit = 0;
  for (const bool one :
       {seccomp, no_new_privileges, memory, cpu_time, files, file_size, no_core, dies_with_parent})
    granted = static_cast<GrantedLimits>(granted | (one ? 1 : 0) << bit++);
  return granted;
}

}  // namespace alcove::imaging
