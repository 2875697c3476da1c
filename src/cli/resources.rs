//! Resources that the system lets this process have: the indispensable ones are made sure of at the
//! start, and a lack of them is said in words.

use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::{CliError, Result, exit};

/// Stack of the main threads, from which ONNX Runtime's threads take their size, and what there
/// must be.
const USUAL_STACK: u64 = 8 << 20;
const LEAST_STACK: u64 = 1 << 20;

/// Makes sure of the stack, and of words where memory runs out.
pub(super) fn secure() -> Result<()> {
    say_aborted();
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_STACK) else {
        return Ok(());
    };
    if soft < USUAL_STACK {
        // Whether it helped is read back.
        let _ = setrlimit(Resource::RLIMIT_STACK, USUAL_STACK.min(hard), hard);
    }
    match getrlimit(Resource::RLIMIT_STACK) {
        Ok((soft, _)) if soft < LEAST_STACK => Err(too_small(soft)),
        _ => Ok(()),
    }
}

fn too_small(stack: u64) -> CliError {
    CliError::bad_input(
        format!(
            "the stack is limited to {} KiB, and {} KiB are needed",
            stack / 1024,
            LEAST_STACK / 1024
        ),
        "raise the limit with `ulimit -s 8192`",
    )
}

/// Last words of a process that aborts, after the cause itself has said why, as where memory runs
/// out.
const ABORTED: &str = "error: the process was aborted\nhint: if memory ran out, raise `ulimit -v`, or the limit of its \
control group\n";

/// Ends a process that aborts, as one does whose memory runs out, in words and with an exit code.
fn say_aborted() {
    let action = SigAction::new(
        SigHandler::Handler(end),
        SaFlags::SA_RESETHAND,
        SigSet::empty(),
    );
    // SAFETY: the handler calls `write` and `_exit` alone, which may be called in one.
    let _ = unsafe { sigaction(Signal::SIGABRT, &action) };
}

extern "C" fn end(_: libc::c_int) {
    // SAFETY: the text lives as long as the process, and the length is its own; `_exit` does not
    // return.
    unsafe {
        libc::write(libc::STDERR_FILENO, ABORTED.as_ptr().cast(), ABORTED.len());
        libc::_exit(i32::from(exit::BAD_INPUT));
    }
}
