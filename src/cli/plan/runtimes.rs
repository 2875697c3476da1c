//! ONNX Runtime libraries by the words for them, installed where they are missing.

use std::time::{Duration, Instant};

use crate::cli::progress::Console;
use crate::cli::{CliError, exit};
use crate::plan::RuntimeChoice;
use crate::runner::FoundRuntime;
use crate::runtime::{self, FoundBy, Opener, RuntimeError};

pub struct Runtimes {
    pub found: Vec<FoundRuntime>,
    /// What installing those took that were missing: it happens once in the life of a machine, and
    /// is not of the run.
    pub installing: Duration,
}

/// Finds the runtimes, installing those that are missing, each once.
pub fn runtimes(words: &[String], console: &mut Console) -> Result<Runtimes, CliError> {
    let mut runtimes = Runtimes {
        found: Vec::new(),
        installing: Duration::ZERO,
    };
    if words.is_empty() {
        let (only, installing) = found(None, console)?;
        return Ok(Runtimes {
            found: vec![only],
            installing,
        });
    }
    for request in words {
        let (found, installing) = found(Some(request), console)?;
        runtimes.installing += installing;
        if runtimes
            .found
            .iter()
            .any(|known| known.choice == found.choice)
        {
            console.say(&format!(
                "`--runtime {request}` names a library that was named before; it is measured once"
            ));
        } else {
            runtimes.found.push(found);
        }
    }
    Ok(runtimes)
}

/// A runtime, and what installing it took, if it was missing.
fn found(
    request: Option<&str>,
    console: &mut Console,
) -> Result<(FoundRuntime, Duration), CliError> {
    if let Some(script) = request.and_then(|request| request.strip_prefix("script:")) {
        let choice = RuntimeChoice::Script(script.into());
        return Ok((
            FoundRuntime {
                choice,
                found_by: "given by --runtime".into(),
            },
            Duration::ZERO,
        ));
    }
    let began = Instant::now();
    let found = runtime::resolve(request, &opener()?, &mut |sentence| console.say(sentence))
        .map_err(|error| runtime_error(&error))?;
    let installing = if found.found_by == FoundBy::Installed {
        began.elapsed()
    } else {
        Duration::ZERO
    };
    let found_by = found.reason();
    Ok((
        FoundRuntime {
            choice: RuntimeChoice::Library(found.path),
            found_by,
        },
        installing,
    ))
}

/// Opens libraries with this program, in processes of its own.
pub fn opener() -> Result<Opener, CliError> {
    std::env::current_exe().map(Opener::new).map_err(|error| {
        CliError::message(
            exit::BUG,
            format!("failed to find the program itself: {error}"),
        )
    })
}

pub fn runtime_error(error: &RuntimeError) -> CliError {
    CliError::new(exit::BAD_INPUT, error).with_hint(error.hint())
}
