//! Files of every kind that onnxprof reads, damaged at random for five seconds each, in a process
//! whose memory is limited.
//!
//! A binary of its own, because the limit is a whole process's. `tests/fuzz` reads by the same
//! functions for as long as one likes, and lets itself be led by what code is reached.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails; clippy's own exception leaves out helpers"
)]

mod mutation;
mod readers;

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, setrlimit};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use readers::{Reader, models};

/// For how long each kind is read.
const TIME: Duration = Duration::from_secs(5);
const SEED: u64 = 13;
/// Address space of this process, for all kinds that are read at a time.
const MEMORY_BYTES: u64 = 4 << 30;
/// Fixtures that are larger are left out: most of them is weights.
const SEED_BYTES: u64 = 16 << 10;

/// The files of that kind, in the order of their paths.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut folders = vec![models("corpus").join(name)];
    if name == "model" {
        folders.push(models("fixtures"));
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if name != "model" || is_small_model(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn is_small_model(path: &Path) -> bool {
    let is_model = path
        .extension()
        .is_some_and(|extension| extension == "onnx" || extension == "ort");
    is_model && path.metadata().unwrap().len() <= SEED_BYTES
}

fn limit_memory() {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| setrlimit(Resource::RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES).unwrap());
}

/// The folder of that kind, which stays, so that what ended the whole process is in it.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("damaged")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text")
}

/// Reads damaged files of that kind until the time is over.
fn try_reader(name: &str) {
    limit_memory();
    let Reader { read, .. } = Reader::named(name);
    let (seeds, folder) = (corpus(name), folder(name));
    let try_one = |bytes: &[u8]| {
        let last = folder.join("last");
        fs::write(&last, bytes).unwrap();
        catch_unwind(AssertUnwindSafe(|| read(&folder, bytes))).unwrap_or_else(|panic| {
            panic!(
                "reading `{}` as {name} panics: {}",
                last.display(),
                words(panic.as_ref())
            )
        })
    };
    let taken = seeds.iter().filter_map(|seed| try_one(seed)).count();
    assert!(
        taken * 2 >= seeds.len(),
        "of {} files only {taken} are taken, and damaging the others shows little",
        seeds.len()
    );
    let mut random = Pcg64::seed_from_u64(SEED);
    let begin = Instant::now();
    while begin.elapsed() < TIME {
        let [seed, other] = [(); 2].map(|()| &seeds[random.random_range(0..seeds.len())]);
        try_one(&mutation::mutated(seed, other, &mut random));
    }
}

macro_rules! each_kind {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            try_reader(stringify!($name));
        })*

        #[test]
        fn every_reader_is_tried() {
            assert_eq!(readers::READERS.map(|reader| reader.name), [$(stringify!($name)),*]);
        }
    };
}

each_kind!(
    model, npz, npy, pb, record, journal, trace, rules, context, plan, protocol
);
