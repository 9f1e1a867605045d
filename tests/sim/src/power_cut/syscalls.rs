//! What every file access of the process goes through: Rust's own, SQLite's, everybody's.
//!
//! Rust's standard library and SQLite call the C library by name; a program that defines such a
//! name itself is asked first. So this file sees each write, sync, rename and removal of both ends
//! exactly as the product does them, with no seam in the product and no second implementation of
//! its file handling. Outside a watched folder a call costs one look at a flag.
//!
//! A VFS would see SQLite alone; evidence files, keys and folders would need copies of the
//! product's code to be seen.
#![allow(
    unsafe_code,
    reason = "stands below the standard library, where files are numbers and names are pointers"
)]
#![deny(unsafe_op_in_unsafe_fn)]

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libc::{c_char, c_int, c_long, c_uint, c_void, iovec, mode_t, off64_t, size_t, ssize_t};

use super::tap::{self, Call, Verdict};

/// Asks the kernel itself. Sets `errno` as the C library does.
macro_rules! kernel {
    ($number:expr $(, $argument:expr)*) => {
        // SAFETY: the arguments are those that the caller of the hooked function gave for the
        // same call; they are handed on unchanged.
        unsafe { libc::syscall($number $(, $argument)*) }
    };
}

fn fail(errno: i32) {
    // SAFETY: the C library's own pointer to this thread's `errno`.
    unsafe { *libc::__errno_location() = errno };
}

fn short(result: c_long) -> c_int {
    c_int::try_from(result).unwrap_or(-1)
}

fn long(result: c_long) -> ssize_t {
    ssize_t::try_from(result).unwrap_or(-1)
}

/// What stands behind a file number: its path and inode, if it is a regular file or a folder.
fn behind(fd: c_int) -> Option<(PathBuf, u64, bool, u64)> {
    let mut stat = std::mem::MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: `stat` is large enough and is read only if the call says that it was filled.
    let stat = unsafe {
        if libc::fstat64(fd, stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    let folder = stat.st_mode & libc::S_IFMT == libc::S_IFDIR;
    if !folder && stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return None;
    }
    let link = format!("/proc/self/fd/{fd}\0");
    let mut buffer = [0_u8; 4096];
    // SAFETY: the link's name ends in a zero; the buffer is as long as stated.
    let count =
        unsafe { libc::readlink(link.as_ptr().cast(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let bytes = buffer.get(..usize::try_from(count).ok()?)?;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
    Some((path, stat.st_ino, folder, u64::try_from(stat.st_size).unwrap_or(0)))
}

fn named(path: *const c_char) -> Option<PathBuf> {
    if path.is_null() {
        return None;
    }
    // SAFETY: the caller gave a name that ends in a zero, as the C library demands.
    let name = unsafe { CStr::from_ptr(path) };
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes())))
}

fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(std::fs::symlink_metadata(path).ok()?.ino())
}

/// Runs a call under the watch of its path: first whether it may, then what it did.
fn watched(
    path: &Path,
    call: &Call<'_>,
    run: impl FnOnce(Verdict) -> c_long,
    after: impl FnOnce(&mut tap::Watched<'_>, c_long),
) -> c_long {
    let Some(shared) = tap::find(path) else { return run(Verdict::Pass) };
    let mut watch = shared.lock();
    let verdict = watch.admit(call);
    if let Verdict::Fail(errno) = verdict {
        fail(errno);
        return -1;
    }
    let result = run(verdict);
    if result >= 0 {
        after(&mut watch, result);
    }
    result
}

fn opened(path: *const c_char, flags: c_int, run: impl FnOnce() -> c_long) -> c_int {
    if !tap::active() {
        return short(run());
    }
    let Some(name) = named(path) else { return short(run()) };
    let there = inode(&name).is_some();
    let creates = flags & libc::O_CREAT != 0;
    let empties = flags & libc::O_TRUNC != 0;
    let call = if creates && !there { Call::Create(&name) } else { Call::Open(&name) };
    short(watched(
        &name,
        &call,
        |_| run(),
        |watch, _| {
            let Some(inode) = inode(&name) else { return };
            if creates && !there {
                watch.created(&name, inode);
            } else if empties {
                watch.resized(&name, inode, 0);
            }
        },
    ))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    opened(path, flags, || kernel!(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    opened(path, flags | libc::O_LARGEFILE, || {
        kernel!(libc::SYS_openat, libc::AT_FDCWD, path, flags | libc::O_LARGEFILE, mode)
    })
}

fn wrote(
    fd: c_int,
    bytes: &[u8],
    offset: impl FnOnce(u64) -> u64,
    run: impl FnOnce(usize) -> c_long,
) -> ssize_t {
    let found = if tap::active() { behind(fd) } else { None };
    let Some((path, inode, _, length)) = found else { return long(run(bytes.len())) };
    let start = offset(length);
    long(watched(
        &path,
        &Call::Write(&path, bytes.len()),
        |verdict| match verdict {
            Verdict::Short(count) => run(count.min(bytes.len())),
            _ => run(bytes.len()),
        },
        |watch, count| {
            let count = usize::try_from(count).unwrap_or(0);
            watch.wrote(&path, inode, start, bytes.get(..count).unwrap_or_default());
        },
    ))
}

fn slice<'a>(bytes: *const c_void, count: size_t) -> &'a [u8] {
    if bytes.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller says that so many bytes may be read there.
    unsafe { std::slice::from_raw_parts(bytes.cast(), count) }
}

/// Where a write without an offset goes.
fn place(fd: c_int, length: u64) -> u64 {
    let flags = kernel!(libc::SYS_fcntl, fd, libc::F_GETFL);
    if flags & c_long::from(libc::O_APPEND) != 0 {
        return length;
    }
    u64::try_from(kernel!(libc::SYS_lseek, fd, 0, libc::SEEK_CUR)).unwrap_or(0)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    if !tap::active() {
        return long(kernel!(libc::SYS_write, fd, bytes, count));
    }
    wrote(
        fd,
        slice(bytes, count),
        |length| place(fd, length),
        |count| kernel!(libc::SYS_write, fd, bytes, count),
    )
}

fn wrote_at(fd: c_int, bytes: *const c_void, count: size_t, offset: off64_t) -> ssize_t {
    if !tap::active() {
        return long(kernel!(libc::SYS_pwrite64, fd, bytes, count, offset));
    }
    wrote(
        fd,
        slice(bytes, count),
        |_| u64::try_from(offset).unwrap_or(0),
        |count| kernel!(libc::SYS_pwrite64, fd, bytes, count, offset),
    )
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    wrote_at(fd, bytes, count, offset)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    wrote_at(fd, bytes, count, offset)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    let found = if tap::active() { behind(fd) } else { None };
    if found.is_none() || count < 1 || parts.is_null() {
        return long(kernel!(libc::SYS_writev, fd, parts, count));
    }
    // Of several parts the first is written: callers go on after a short write.
    // SAFETY: there is at least one part, as was checked.
    let first = unsafe { *parts };
    wrote(
        fd,
        slice(first.iov_base, first.iov_len),
        |length| place(fd, length),
        |count| kernel!(libc::SYS_write, fd, first.iov_base, count),
    )
}

fn was_read(fd: c_int, run: impl FnOnce() -> c_long) -> ssize_t {
    let found = if tap::counts_reads() { behind(fd) } else { None };
    let Some((path, ..)) = found else { return long(run()) };
    long(watched(&path, &Call::Read(&path), |_| run(), |_, _| {}))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, bytes: *mut c_void, count: size_t) -> ssize_t {
    was_read(fd, || kernel!(libc::SYS_read, fd, bytes, count))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pread(
    fd: c_int,
    bytes: *mut c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    was_read(fd, || kernel!(libc::SYS_pread64, fd, bytes, count, offset))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pread64(
    fd: c_int,
    bytes: *mut c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    was_read(fd, || kernel!(libc::SYS_pread64, fd, bytes, count, offset))
}

fn cut(fd: c_int, length: off64_t) -> c_int {
    let run = || kernel!(libc::SYS_ftruncate, fd, length);
    let found = if tap::active() { behind(fd) } else { None };
    let Some((path, inode, ..)) = found else { return short(run()) };
    let call = Call::Resize(&path);
    let length = u64::try_from(length).unwrap_or(0);
    short(watched(&path, &call, |_| run(), |watch, _| watch.resized(&path, inode, length)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(fd: c_int, length: off64_t) -> c_int {
    cut(fd, length)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, length: off64_t) -> c_int {
    cut(fd, length)
}

fn synced(fd: c_int, number: c_long) -> c_int {
    let run = || kernel!(number, fd);
    let found = if tap::active() { behind(fd) } else { None };
    let Some((path, inode, folder, _)) = found else { return short(run()) };
    short(watched(
        &path,
        &Call::Sync(&path),
        |_| run(),
        |watch, _| if folder { watch.synced_folder(&path) } else { watch.synced(inode) },
    ))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    synced(fd, libc::SYS_fsync)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    synced(fd, libc::SYS_fdatasync)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let run = || kernel!(libc::SYS_renameat, libc::AT_FDCWD, from, libc::AT_FDCWD, to);
    let names = if tap::active() { named(from).zip(named(to)) } else { None };
    let Some((from, to)) = names else { return short(run()) };
    let call = Call::Rename(&from);
    short(watched(&from, &call, |_| run(), |watch, _| watch.renamed(&from, &to)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linkat(
    from_fd: c_int,
    from: *const c_char,
    to_fd: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    let run = || kernel!(libc::SYS_linkat, from_fd, from, to_fd, to, flags);
    let names = if tap::active() { named(from).zip(named(to)) } else { None };
    let Some((from, to)) = names else { return short(run()) };
    short(watched(
        &from,
        &Call::Create(&to),
        |_| run(),
        |watch, _| {
            if let Some(inode) = inode(&to) {
                watch.linked(&to, inode);
            }
        },
    ))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let run = || kernel!(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0);
    let name = if tap::active() { named(path) } else { None };
    let Some(name) = name else { return short(run()) };
    short(watched(&name, &Call::Remove(&name), |_| run(), |watch, _| watch.removed(&name)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: c_uint) -> c_int {
    let run = || kernel!(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode);
    let name = if tap::active() { named(path) } else { None };
    let Some(name) = name else { return short(run()) };
    short(watched(&name, &Call::Create(&name), |_| run(), |watch, _| watch.made_folder(&name)))
}
