//! A disk that fails when told to, for SQLite: the system's own, with faults put in front of its calls.

use std::{
    collections::HashMap,
    ffi::{CStr, c_char, c_int, c_void},
    mem::size_of,
    path::{Path, PathBuf},
    ptr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use libsqlite3_sys::{
    SQLITE_CANTOPEN, SQLITE_OK, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_int64, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

/// What a URL names it by: `?vfs=faulty`.
pub const NAME: &str = "faulty";

/// What is to fail, and what did.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Calls that succeed before the next one fails.
    pub after: u64,
    /// How many calls fail in all.
    pub times: u32,
    /// Calls that succeed between two that fail.
    pub between: u64,
    /// SQLite's code for the failure.
    pub code: c_int,
    /// Whether half of what a failing write writes arrives.
    pub torn: bool,
    /// Calls so far.
    pub calls: u64,
}

/// The disk below one folder.
pub struct Disk {
    faults: Mutex<Faults>,
    /// How long it takes to synchronize a file.
    slow: Duration,
    /// Whether processes can share memory on it.
    shares_memory: bool,
    /// Where each file is copied to as it was when it was last synchronized: what a power cut leaves at the worst.
    durable: PathBuf,
}

impl Disk {
    /// The disk of a folder; what a power cut would leave of it goes to another one.
    pub fn of(folder: &Path, durable: &Path) -> Arc<Self> {
        Self::with(folder, durable, Duration::ZERO, true)
    }

    /// The same for a disk that is slow, or on which processes cannot share memory.
    pub fn with(folder: &Path, durable: &Path, slow: Duration, shares_memory: bool) -> Arc<Self> {
        register();
        let disk = Arc::new(Self { faults: Mutex::default(), slow, shares_memory, durable: durable.to_owned() });
        disks().insert(folder.to_owned(), disk.clone());
        disk
    }

    /// Sets faults; the calls are counted from here.
    pub fn set(&self, faults: Faults) {
        *self.faults.lock().expect("no panic") = faults;
    }

    /// What is left to fail.
    pub fn faults(&self) -> Faults {
        self.faults.lock().expect("no panic").clone()
    }

    /// Whether this call fails, how, and whether it is torn.
    fn strike(&self) -> Option<(c_int, bool)> {
        let mut faults = self.faults.lock().expect("no panic");
        faults.calls += 1;
        if faults.times == 0 {
            return None;
        }
        if faults.after > 0 {
            faults.after -= 1;
            return None;
        }
        faults.times -= 1;
        faults.after = faults.between;
        Some((faults.code, faults.torn))
    }
}

/// An open file: SQLite's view of it, then the real one right behind.
#[repr(C)]
struct File {
    base: sqlite3_file,
    open: *mut Open,
}

struct Open {
    disk: Option<Arc<Disk>>,
    path: PathBuf,
}

fn disks() -> std::sync::MutexGuard<'static, HashMap<PathBuf, Arc<Disk>>> {
    static DISKS: OnceLock<Mutex<HashMap<PathBuf, Arc<Disk>>>> = OnceLock::new();
    DISKS.get_or_init(Mutex::default).lock().expect("no panic")
}

fn register() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        // SAFETY: the default file system lives as long as the process, and so does what is leaked here. SQLite takes a
        // file system by a pointer to such a struct.
        unsafe {
            let system = sqlite3_vfs_find(ptr::null());
            assert!(!system.is_null(), "SQLite has a default file system");
            let mut ours = *system;
            ours.zName = c"faulty".as_ptr();
            ours.szOsFile += c_int::try_from(size_of::<File>()).expect("a small struct");
            ours.pNext = ptr::null_mut();
            ours.pAppData = system.cast();
            ours.xOpen = Some(open);
            assert_eq!(sqlite3_vfs_register(Box::leak(Box::new(ours)), 0), SQLITE_OK);
        }
    });
}

// All that follows is called by SQLite: with the file that `open` below made, whose memory has room for both views of
// it, and never with one file from two threads at once. Below, "SQLite's promise" is this.

unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite's promise, by which the real file's memory begins where ours ends.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

unsafe fn methods(file: *mut sqlite3_file) -> &'static sqlite3_io_methods {
    // SAFETY: SQLite's promise; the methods of an open file are the file system's own, which are never freed.
    unsafe { &*(*real(file)).pMethods }
}

/// The fault of this call, if it has one.
unsafe fn strike(file: *mut sqlite3_file) -> Option<(c_int, bool)> {
    // SAFETY: SQLite's promise; `open` has put it there, and only `close` takes it away.
    let open = unsafe { &*(*file.cast::<File>()).open };
    open.disk.as_ref().and_then(|disk| disk.strike())
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's promise; the name ends with a zero, and `register` has put the system's file system there.
    unsafe {
        (*file).pMethods = ptr::null();
        let path =
            if name.is_null() { PathBuf::new() } else { PathBuf::from(CStr::from_ptr(name).to_str().unwrap_or("")) };
        let kept = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL) != 0;
        let disk = path.parent().filter(|_| kept).and_then(|folder| disks().get(folder).cloned());
        if disk.as_ref().is_some_and(|disk| disk.strike().is_some()) {
            return SQLITE_CANTOPEN;
        }
        let shares_memory = disk.as_ref().is_none_or(|disk| disk.shares_memory);
        let system: *mut sqlite3_vfs = (*vfs).pAppData.cast();
        let opened = (*system).xOpen.expect("it opens")(system, name, real(file), flags, out);
        if opened == SQLITE_OK {
            (*file.cast::<File>()).open = Box::into_raw(Box::new(Open { disk, path }));
            (*file).pMethods = if shares_memory { &WITH_SHARED_MEMORY } else { &WITHOUT_SHARED_MEMORY };
        }
        opened
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's promise; it closes a file once, and calls nothing of it afterwards.
    unsafe {
        let closed = methods(file).xClose.expect("it closes")(real(file));
        drop(Box::from_raw((*file.cast::<File>()).open));
        closed
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, bytes: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's promise; `from` has as many bytes as it says, and half of them all the more.
    unsafe {
        let write = methods(file).xWrite.expect("it writes");
        match strike(file) {
            Some((code, torn)) => {
                if torn {
                    write(real(file), from, bytes / 2, at);
                }
                code
            }
            None => write(real(file), from, bytes, at),
        }
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, bytes: sqlite3_int64) -> c_int {
    // SAFETY: SQLite's promise.
    unsafe {
        match strike(file) {
            Some((code, _)) => code,
            None => methods(file).xTruncate.expect("it truncates")(real(file), bytes),
        }
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite's promise; what is read into has room for as many bytes as are read.
    unsafe {
        if let Some((code, _)) = strike(file) {
            return code;
        }
        // Nothing here outlives the process, so that the real thing would only take its time.
        let _ = flags;
        let open = &*(*file.cast::<File>()).open;
        if let (Some(disk), Some(name)) = (&open.disk, open.path.file_name()) {
            std::thread::sleep(disk.slow);
            let mut size = 0;
            methods(file).xFileSize.expect("it has a size")(real(file), &mut size);
            let mut content = vec![0_u8; usize::try_from(size).expect("a size")];
            let bytes = c_int::try_from(size).expect("a small file");
            if bytes > 0 {
                methods(file).xRead.expect("it reads")(real(file), content.as_mut_ptr().cast(), bytes, 0);
            }
            std::fs::write(disk.durable.join(name), content).expect("what is durable is kept");
        }
        SQLITE_OK
    }
}

/// Hands calls through to the real file.
macro_rules! through {
    ($($name:ident = $method:ident($($argument:ident: $kind:ty),*) $(-> $answer:ty)?;)+) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) $(-> $answer)? {
            // SAFETY: SQLite's promise; the arguments are its own.
            unsafe { methods(file).$method.expect("the system has it")(real(file) $(, $argument)*) }
        }
    )+};
}

through! {
    read = xRead(to: *mut c_void, bytes: c_int, at: sqlite3_int64) -> c_int;
    file_size = xFileSize(size: *mut sqlite3_int64) -> c_int;
    lock = xLock(level: c_int) -> c_int;
    unlock = xUnlock(level: c_int) -> c_int;
    check_reserved_lock = xCheckReservedLock(out: *mut c_int) -> c_int;
    file_control = xFileControl(operation: c_int, argument: *mut c_void) -> c_int;
    sector_size = xSectorSize() -> c_int;
    device_characteristics = xDeviceCharacteristics() -> c_int;
    shm_map = xShmMap(page: c_int, bytes: c_int, extend: c_int, out: *mut *mut c_void) -> c_int;
    shm_lock = xShmLock(offset: c_int, number: c_int, flags: c_int) -> c_int;
    shm_barrier = xShmBarrier();
    shm_unmap = xShmUnmap(delete: c_int) -> c_int;
    fetch = xFetch(at: sqlite3_int64, bytes: c_int, out: *mut *mut c_void) -> c_int;
    unfetch = xUnfetch(at: sqlite3_int64, from: *mut c_void) -> c_int;
}

const METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

static WITH_SHARED_MEMORY: sqlite3_io_methods = METHODS;

/// Version 1 of the methods ends before those of shared memory.
static WITHOUT_SHARED_MEMORY: sqlite3_io_methods = sqlite3_io_methods { iVersion: 1, ..METHODS };
