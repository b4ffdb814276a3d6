// SPDX-License-Identifier: Apache-2.0
// One line for each number that is answered.
#include <array>
#include <kernel/base/status.hpp>
#include <musl_errno.h>
#include <musl_numbers.h>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/record.hpp>

namespace sdk::posix {

namespace {

struct Line {
    u64 number;
    Function function;
};

constexpr Line kLines[] = {
    {__NR_brk, move_break},
    {__NR_mmap, map_memory},
    {__NR_munmap, unmap_memory},
    {__NR_mprotect, protect_memory},
    {__NR_madvise, advise_memory},
    {__NR_mincore, memory_residence},
    {__NR_mlock, lock_memory},
    {__NR_munlock, lock_memory},
    {__NR_mlockall, lock_all_memory},
    {__NR_munlockall, lock_all_memory},
    {__NR_msync, synchronise_memory},

    {__NR_exit, end_thread},
    {__NR_exit_group, end_process},
    {__NR_set_tid_address, set_tid_address},
    {__NR_gettid, thread_id},
    {__NR_set_robust_list, keep_robust_list},
    {__NR_get_robust_list, keep_robust_list},
    {__NR_futex, futex},

    {__NR_kill, signal_process},
    {__NR_tkill, signal_thread},
    {__NR_tgkill, signal_thread_of_process},
    {__NR_rt_sigqueueinfo, queue_signal},
    {__NR_rt_sigaction, set_action},
    {__NR_rt_sigprocmask, change_mask},
    {__NR_rt_sigpending, pending_signals},
    {__NR_rt_sigsuspend, suspend},
    {__NR_rt_sigtimedwait, take_awaited_signal},
    {__NR_sigaltstack, set_signal_stack},

    {__NR_timer_create, create_timer},
    {__NR_timer_settime, set_timer},
    {__NR_timer_gettime, get_timer},
    {__NR_timer_getoverrun, timer_overruns},
    {__NR_timer_delete, delete_timer},
    {__NR_setitimer, set_interval_timer},
    {__NR_getitimer, get_interval_timer},

    {__NR_clock_gettime, clock_time},
    {__NR_clock_settime, set_clock},
    {__NR_clock_getres, clock_resolution},
    {__NR_nanosleep, sleep},
    {__NR_clock_nanosleep, clock_sleep},
    {__NR_gettimeofday, time_of_day},

    {__NR_sched_yield, yield},
    {__NR_sched_setscheduler, set_scheduler},
    {__NR_sched_getscheduler, get_scheduler},
    {__NR_sched_setparam, set_parameters},
    {__NR_sched_getparam, get_parameters},
    {__NR_sched_get_priority_max, highest_priority},
    {__NR_sched_get_priority_min, lowest_priority},
    {__NR_sched_rr_get_interval, round_robin_interval},
    {__NR_sched_setaffinity, set_affinity},
    {__NR_sched_getaffinity, get_affinity},

    {__NR_wait4, wait_process},
    {__NR_waitid, wait_id},

    {__NR_getpid, process_id},
    {__NR_getppid, parent_id},
    {__NR_getuid, user_id},
    {__NR_geteuid, user_id},
    {__NR_getgid, user_id},
    {__NR_getegid, user_id},
    {__NR_setuid, set_user_id},
    {__NR_setgid, set_user_id},
    {__NR_setreuid, set_user_id},
    {__NR_setregid, set_user_id},
    {__NR_setresuid, set_user_id},
    {__NR_setresgid, set_user_id},
    {__NR_getgroups, further_groups},
    {__NR_getpgid, process_group},
    {__NR_getsid, process_group},
    {__NR_uname, system_name},

    {__NR_getrandom, random_bytes},

    {__NR_read, read},
    {__NR_write, write},
    {__NR_readv, read_vector},
    {__NR_writev, write_vector},
    {__NR_pread64, read_at},
    {__NR_pwrite64, write_at},
    {__NR_preadv, read_vector_at},
    {__NR_pwritev, write_vector_at},
    {__NR_lseek, seek},
    {__NR_ioctl, control_device},
    {__NR_fadvise64, advise_descriptor},
    {__NR_openat, open_file},
    {__NR_mkdirat, make_directory},
    {__NR_mknodat, make_node},
    {__NR_unlinkat, unlink_name},
    {__NR_linkat, link_name},
    {__NR_renameat, rename_name},
    {__NR_symlinkat, make_symbolic_link},
    {__NR_readlinkat, read_symbolic_link},
    {__NR_newfstatat, describe_path},
    {__NR_faccessat, check_access_plainly},
    {__NR_faccessat2, check_access},
    {__NR_fchmodat, change_mode},
    {__NR_fchmod, change_mode_of_file},
    {__NR_fchownat, change_owner},
    {__NR_fchown, change_owner_of_file},
    {__NR_utimensat, change_times},
    {__NR_chdir, change_directory},
    {__NR_fchdir, change_directory_to_file},
    {__NR_chroot, change_root},
    {__NR_getcwd, working_directory},
    {__NR_umask, set_creation_mask},
    {__NR_truncate, truncate_path},
    {__NR_statfs, describe_file_system},
    {__NR_fstatfs, describe_file_system_of_file},
    {__NR_getdents64, read_directory},
    {__NR_fallocate, allocate},
    {__NR_sync, sync_all},
    {__NR_mount, mount},
    {__NR_umount2, unmount},

    {__NR_fstat, status_of_descriptor},
    {__NR_ftruncate, truncate_descriptor},
    {__NR_fsync, synchronise_descriptor},
    {__NR_fdatasync, synchronise_descriptor},
    {__NR_close, close},
    {__NR_dup, duplicate},
    {__NR_dup3, duplicate_to},
    {__NR_fcntl, control_descriptor},
    {__NR_pipe2, create_pipe},
    {__NR_mq_open, open_queue},
    {__NR_mq_unlink, unlink_queue},
    {__NR_mq_timedsend, send_message},
    {__NR_mq_timedreceive, receive_message},
    {__NR_mq_notify, set_notification},
    {__NR_mq_getsetattr, exchange_attributes},
    {__NR_socket, create_socket},
    {__NR_socketpair, create_socket_pair},
    {__NR_sendto, send},
    {__NR_recvfrom, receive},
    {__NR_shutdown, shut_down},
    {__NR_ppoll, poll},
    {__NR_pselect6, select},
    {__NR_prlimit64, resource_limits},
};

constexpr u64 kNumbers = 440;

constexpr s32 kNeverCancelled = 0;

s64 answer_nothing(const Call& call) {
    (void)call;
    return -ENOSYS;
}

constexpr std::array<Function, kNumbers> make_table() {
    std::array<Function, kNumbers> table{};
    for (Function& function : table) {
        function = answer_nothing;
    }
    for (const Line& line : kLines) {
        table[line.number] = line.function;
    }
    return table;
}

constexpr std::array<Function, kNumbers> kTable = make_table();

}  // namespace

Function find_function(u64 number) { return number < kNumbers ? kTable[number] : answer_nothing; }

s64 failure(Status status) {
    switch (status) {
    case Status::Ok:
        return 0;
    case Status::InvalidArgument:
        return -EINVAL;
    case Status::OutOfMemory:
        return -ENOMEM;
    case Status::SourceFault:
    case Status::TargetFault:
        return -EFAULT;
    case Status::IpcInterrupt:
        return -EINTR;
    case Status::BadHandle:
    case Status::ResourceNotFound:
        return -ESRCH;
    case Status::NoCapability:
    case Status::SecurityDisallow:
        return -EPERM;
    case Status::Unimplemented:
        return -ENOSYS;
    case Status::Busy:
        return -EBUSY;
    case Status::Timeout:
        return -ETIMEDOUT;
    case Status::AlreadyExists:
        return -EEXIST;
    case Status::Deadlock:
        return -EDEADLK;
    default:
        return -EIO;
    }
}

}  // namespace sdk::posix

/// Where __tessera_syscall and __tessera_syscall_cp (entry.S) lead.
extern "C" base::s64 tessera_posix_call(base::u64 number,
                                        base::u64 a,
                                        base::u64 b,
                                        base::u64 c,
                                        base::u64 d,
                                        base::u64 e,
                                        base::u64 f,
                                        const volatile base::s32* cancelled);

base::s64 tessera_posix_call(base::u64 number,
                             base::u64 a,
                             base::u64 b,
                             base::u64 c,
                             base::u64 d,
                             base::u64 e,
                             base::u64 f,
                             const volatile base::s32* cancelled) {
    const sdk::posix::Call call{.number = number,
                                .word = {a, b, c, d, e, f},
                                .cancelled = cancelled != nullptr ? cancelled
                                                                  : &sdk::posix::kNeverCancelled};
    while (true) {
        const base::s64 result = sdk::posix::find_function(number)(call);
        sdk::posix::Record& record = sdk::posix::current_record();
        if (!sdk::posix::has_signals(record) || !sdk::posix::take_signals(record, call, result)) {
            return result;
        }
    }
}
