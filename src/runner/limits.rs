//! Limits of the system on this process that a run has to know.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::error::{LEAST_FILES, RunError};

/// Files that a parent or a worker gets where the system allows it.
const USUAL_FILES: u64 = 1024;

/// Makes sure that as many files may be open as it takes, in workers as well, which inherit the limit.
pub(super) fn require_files() -> Result<(), RunError> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if soft < USUAL_FILES {
        // Whether it helped is read back.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, USUAL_FILES.min(hard), hard);
    }
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).map_err(std::io::Error::from)?;
    if limit < LEAST_FILES { Err(RunError::Files { limit }) } else { Ok(()) }
}

/// Makes a write beyond the limit on the size of files an error like that of a full disk, not the end of the process.
pub(super) fn survive_file_size_limit() -> std::io::Result<()> {
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe { nix::sys::signal::signal(nix::sys::signal::SIGXFSZ, nix::sys::signal::SigHandler::SigIgn) }?;
    Ok(())
}
