//! Notes on options that do not do what they seem to: nothing asked for is dropped in silence.

use std::io::{self, Read};
use std::path::Path;

use memchr::memmem::Finder;

use super::schedule;
use crate::files::{self, Kind};
use crate::plan::{ExecutionMode, Plan, RuntimeChoice, SessionOptions};
use crate::record::Host;
use crate::text::distinct;

pub fn notes_on(plan: &Plan, host: &Host) -> Vec<String> {
    let options = &plan.sessions[0].options;
    let mut notes = Vec::new();
    notes.extend(crowded(options, schedule::cpus(&plan.schedule.pin, host)));
    notes.extend(idle_inter_threads(options));
    let libraries = distinct(plan.sessions.iter().filter_map(|spec| match &spec.runtime {
        RuntimeChoice::Library(library) => Some(library),
        RuntimeChoice::Script(_) | RuntimeChoice::Server(_) => None,
    }));
    for library in &libraries {
        let which = match libraries.len() {
            1 => String::new(),
            _ => format!(" `{}`", library.display()),
        };
        notes.extend(
            options
                .session_config
                .keys()
                .filter_map(|key| unknown_key(library, &which, key.exact())),
        );
    }
    notes
}

fn crowded(options: &SessionOptions, cpus: u64) -> Option<String> {
    let threads = options.intra_threads;
    (threads > cpus).then(|| {
        format!("{threads} intra-op threads share {cpus} CPU(s): latencies will be unsteady")
    })
}

fn idle_inter_threads(options: &SessionOptions) -> Option<String> {
    let idle = options.execution_mode == ExecutionMode::Sequential && options.inter_threads > 1;
    idle.then(|| "`--inter-threads` has no effect without `--execution-mode parallel`".to_owned())
}

/// ONNX Runtime takes any key in silence; one that it knows stands in its library's file.
fn unknown_key(library: &Path, which: &str, key: &str) -> Option<String> {
    match contains(library, key.as_bytes()) {
        Ok(false) => Some(format!(
            "session configuration `{key}` has no effect: this ONNX Runtime library{which} does not know the key"
        )),
        // A library that cannot be read is reported where it is opened.
        Ok(true) | Err(_) => None,
    }
}

/// Whether a file holds `text`, read piece by piece so that memory stays small.
fn contains(file: &Path, text: &[u8]) -> io::Result<bool> {
    const PIECE: usize = 1 << 20;
    let file = files::open(file, Kind::LIBRARY)?;
    let mut file = file.reader();
    let finder = Finder::new(text);
    let mut window = Vec::with_capacity(PIECE + text.len());
    loop {
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut window)?;
        if finder.find(&window).is_some() {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        // The text may lie across the border of two pieces.
        let kept = window.len().min(text.len() - 1);
        window.drain(..window.len() - kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_share_a_cpu_are_said_and_inter_op_threads_without_parallel_mode() {
        let mut options = SessionOptions {
            intra_threads: 2,
            ..SessionOptions::default()
        };
        assert_eq!(crowded(&options, 2), None);
        let note = "2 intra-op threads share 1 CPU(s): latencies will be unsteady";
        assert_eq!(crowded(&options, 1).unwrap(), note);
        assert_eq!(idle_inter_threads(&options), None);
        options.inter_threads = 2;
        assert!(idle_inter_threads(&options).is_some());
        options.execution_mode = ExecutionMode::Parallel;
        assert_eq!(idle_inter_threads(&options), None);
    }

    #[test]
    fn a_key_is_found_wherever_it_lies() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for offset in [0, (1 << 20) - 3, 1 << 20, (1 << 20) + 5] {
            let bytes = [&vec![0; offset][..], b"session.key\0"].concat();
            std::fs::write(file.path(), bytes).unwrap();
            for (key, is_there) in [(b"session.key", true), (b"session.kez", false)] {
                assert_eq!(contains(file.path(), key).unwrap(), is_there, "{offset}");
            }
        }
    }
}
