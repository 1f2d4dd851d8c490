//! What the child takes away from itself before it reads foreign bytes.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Address space.
const MEMORY_BYTES: u64 = 1 << 30;
/// Processor time for one document.
const SECONDS_PER_DOCUMENT: u64 = 20;
/// Open files: the three standard ones and some room for the runtime.
const OPEN_FILES: u64 = 16;

/// Limits memory and files; no core dumps, which would write the document to disk.
pub(super) fn limit_resources() -> io::Result<()> {
    let fixed = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(Resource::As, fixed(MEMORY_BYTES))?;
    setrlimit(Resource::Core, fixed(0))?;
    setrlimit(Resource::Nofile, fixed(OPEN_FILES))?;
    Ok(())
}

/// Grants the next document its processor time on top of what was used.
pub(super) fn allow_more_time() -> io::Result<()> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec;
    let used = u64::try_from(used).unwrap_or(0);
    // Only the soft limit moves; reaching it ends the process by SIGXCPU.
    let limit = Rlimit { current: Some(used + SECONDS_PER_DOCUMENT), maximum: None };
    Ok(setrlimit(Resource::Cpu, limit)?)
}

/// Denies network, programs, threads, other processes and every change to files, with `EPERM`.
#[cfg(target_os = "linux")]
pub(super) fn deny_system_calls() -> io::Result<()> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    let target = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let mut rules: std::collections::BTreeMap<i64, Vec<_>> =
        DENIED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_openat, writing(2)?);
    #[cfg(target_arch = "x86_64")]
    {
        rules.extend(DENIED_X86.iter().map(|call| (*call, Vec::new())));
        rules.insert(libc::SYS_open, writing(1)?);
    }
    let deny = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, deny, target).map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    seccompiler::apply_filter_all_threads(&program).map_err(io::Error::other)
}

/// Opening for anything but reading: the access mode in argument `flags` is not `O_RDONLY`, or it creates.
#[cfg(target_os = "linux")]
fn writing(flags: u8) -> io::Result<Vec<seccompiler::SeccompRule>> {
    use seccompiler::{SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq, SeccompCondition, SeccompRule};

    [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT]
        .into_iter()
        .map(|bit| {
            let bit = u64::from(bit.unsigned_abs());
            let condition =
                SeccompCondition::new(flags, Dword, MaskedEq(bit), bit).map_err(io::Error::other)?;
            SeccompRule::new(vec![condition]).map_err(io::Error::other)
        })
        .collect()
}

/// Nothing is denied where seccomp does not exist.
#[cfg(not(target_os = "linux"))]
pub(super) fn deny_system_calls() -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(target_os = "linux")]
const DENIED: &[i64] = &[
    // Network.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    // Programs, threads and other processes. `tgkill` stays: abort needs it.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_setns,
    libc::SYS_unshare,
    // Files.
    libc::SYS_openat2,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_truncate,
    libc::SYS_memfd_create,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    // The kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
];

/// Calls that only the older table has.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const DENIED_X86: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_creat,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_mknod,
    libc::SYS_chmod,
    libc::SYS_chown,
];
