//! ONNX Runtime libraries by the words for them, installed where they are missing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cli::progress::Console;
use crate::cli::{CliError, Result, exit};
use crate::plan::RuntimeChoice;
use crate::runner::FoundRuntime;
use crate::runtime::{self, Cache, FoundBy, Opener};

pub struct Runtimes {
    pub found: Vec<FoundRuntime>,
    /// Time that installing the missing ones took: it happens once in the life of a machine, and is
    /// not of the run.
    pub installing: Duration,
}

/// Finds the runtimes, installing those that are missing, each once.
pub fn runtimes(words: &[String], console: &mut Console) -> Result<Runtimes> {
    let mut runtimes = Runtimes {
        found: Vec::new(),
        installing: Duration::ZERO,
    };
    if words.is_empty() {
        let only = runtimes.find(None, console)?;
        runtimes.found.push(only);
    }
    for request in words {
        let found = runtimes.find(Some(request), console)?;
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

impl Runtimes {
    /// One runtime, which is installed if it is missing.
    fn find(&mut self, request: Option<&str>, console: &mut Console) -> Result<FoundRuntime> {
        if let Some(script) = request.and_then(|request| request.strip_prefix("script:")) {
            return Ok(FoundRuntime {
                choice: RuntimeChoice::Script(script.into()),
                found_by: "given by --runtime".into(),
                release: None,
            });
        }
        let began = Instant::now();
        let found = runtime::resolve(request, &opener()?, &mut |sentence| console.say(sentence))?;
        if found.found_by == FoundBy::Installed {
            self.installing += began.elapsed();
        }
        Ok(FoundRuntime {
            found_by: found.reason(),
            release: Cache::release_of(&found.path).map(|release| release.to_string()),
            choice: RuntimeChoice::Library(found.path),
        })
    }
}

/// Opens libraries with this program, in processes of its own.
pub fn opener() -> Result<Opener> {
    own_program().map(Opener::new)
}

/// This program.
pub fn own_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| {
        let message = format!("failed to find the program itself: {error}");
        CliError::message(exit::BUG, message)
    })
}
