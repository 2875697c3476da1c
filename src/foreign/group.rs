//! A program with everything that it starts: one process group, which ends when its program does,
//! or this process.
//!
//! The group's guard is started in no folder of our own but in `/`. Nothing is looked up there or
//! anywhere else: the shell is named by its absolute path, its environment is cleared, so that it
//! has neither `PATH` nor start-up files, and what it runs is built into it. The root is always
//! there, and the guard keeps no folder from being removed.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getppid};

/// The shell that guards a group: its stdin ends when this process does, and it then ends the
/// group, itself included.
const GUARD: [&str; 3] = ["/bin/sh", "-c", "read -r _; kill -KILL 0"];

/// How often a program is looked after that may take so long and no longer.
pub(super) const TICK: Duration = Duration::from_millis(2);

/// Makes the process of a command end with the thread that starts it, however that ends. What it
/// starts in turn is not told.
pub fn ends_with_us(command: &mut Command) {
    let parent = std::process::id().cast_signed();
    let bind = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // This process may have ended before the wish was known.
        if getppid().as_raw() == parent {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    };
    // SAFETY: between fork and exec two system calls are made, which allocate nothing and take no
    // lock.
    unsafe { command.pre_exec(bind) };
}

/// A program that leads a process group, and the group's guard. All of it is gone when the value is
/// dropped.
pub(super) struct Group {
    pub(super) child: Child,
    id: Pid,
    guard: Option<Child>,
}

impl Group {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let id = Pid::from_raw(child.id().cast_signed());
        let mut guard = Command::new(GUARD[0]);
        guard
            .args(&GUARD[1..])
            .current_dir("/")
            .env_clear()
            .process_group(id.as_raw());
        guard
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Without a shell the program itself still ends with this process.
        Ok(Group {
            child,
            id,
            guard: guard.spawn().ok(),
        })
    }

    /// Waits for the program's end, and ends what it leaves behind.
    /// [`io::ErrorKind::TimedOut`] after `limit`.
    pub(super) fn wait(&mut self, limit: Option<Duration>) -> io::Result<ExitStatus> {
        let deadline = limit.map(|limit| Instant::now() + limit);
        let look = match limit {
            Some(_) => WaitPidFlag::WNOHANG,
            None => WaitPidFlag::empty(),
        };
        while !self.has_ended(look)? {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(TICK);
        }
        self.end();
        self.child.wait()
    }

    /// Whether the program has ended, which it is not asked to account for yet: its number stays
    /// taken.
    fn has_ended(&self, look: WaitPidFlag) -> io::Result<bool> {
        let look = look | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.id), look) {
            Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::EINTR) => Ok(false),
            Ok(_) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn end(&mut self) {
        // None may be left of it.
        let _ = killpg(self.id, Signal::SIGKILL);
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.kill();
            let _ = guard.wait();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.guard.is_some() || matches!(self.child.try_wait(), Ok(None)) {
            self.end();
            let _ = self.child.wait();
        }
    }
}
