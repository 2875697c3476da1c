//! The one place that is asked whether there is memory for something, before it is taken, and that
//! limits what is taken where nobody can tell beforehand how much that is.
//!
//! Free memory is the least that the machine, the control groups, the process's own limits and the
//! user leave. Workers are in the groups of their parent, so that an answer holds for both. Read
//! [`ask`] first.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use procfs::process::{Process, StatM};
use procfs::{Current, Meminfo};

use crate::sample::{Roots, cgroup};
use crate::units::Bytes;

/// Environment variable for how much a process of a run may take: `2GB`, `500MB`.
pub(crate) const LIMIT: &str = "ONNXPROF_MEMORY";
/// Share of what is free that may be taken: the rest is the machine's own, and what the kernel
/// counts is an estimate.
const SHARE: f64 = 0.9;
/// A quantity that is not asked for: there is no machine without it.
const UNASKED: Bytes = Bytes(1 << 20);

/// Less than this is not held to: threads and buffers that a first inference makes take some of it.
const LEAST_HELD: Bytes = Bytes(64 << 20);
/// Words of Rust, C++, the loader and ONNX Runtime where memory could not be had.
const SHORT: [&str; 4] = [
    "memory allocation of",
    "bad_alloc",
    "Cannot allocate memory",
    "Failed to allocate memory",
];

/// There is too little memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} would take {} of memory, and {} may be used {where_from}", needed.in_words(), free.in_words())]
pub struct TooMuch {
    /// The purpose of it.
    pub what: String,
    /// How much of it.
    pub needed: Bytes,
    /// How much may be taken.
    pub free: Bytes,
    /// The limit that leaves no more, as the end of a sentence.
    pub where_from: &'static str,
}

impl TooMuch {
    /// How many of `count` things there is room for, if each takes the same.
    #[must_use]
    pub fn fitting(&self, count: u64) -> u64 {
        (self.free.as_f64() / self.needed.as_f64() * count as f64) as u64
    }
}

/// Whether there is memory for something; where the system does not tell how much is free, there is
/// taken to be enough.
pub(crate) fn ask(needed: Bytes, what: impl FnOnce() -> String) -> Result<(), TooMuch> {
    if needed <= UNASKED {
        return Ok(());
    }
    match left() {
        Some((free, where_from)) if needed > free => Err(TooMuch {
            what: what(),
            needed,
            free,
            where_from,
        }),
        _ => Ok(()),
    }
}

pub(crate) fn free() -> Option<Bytes> {
    left().map(|(free, _)| free)
}

/// A limit of what this process may take, lifted as soon as this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    soft: u64,
    hard: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        // The limit was this one before.
        let _ = setrlimit(Resource::RLIMIT_DATA, self.soft, self.hard);
    }
}

/// Limits what this process may take to what is free now, so that what nobody could ask for
/// beforehand, such as an output of a size that is not known, fails in it or ends it, and does not
/// bring the machine down. Absent where the system does not tell what is free and taken, or limits
/// the process more, and where hardly anything is free.
#[must_use = "the limit is lifted as soon as what is returned is dropped"]
pub(crate) fn hold() -> Option<Held> {
    let free = free().filter(|&free| free >= LEAST_HELD)?;
    let taken = own_pages()?.data.checked_mul(procfs::page_size());
    let (soft, hard) = getrlimit(Resource::RLIMIT_DATA).ok()?;
    let limit = taken.filter(|&taken| taken > 0)?.saturating_add(free.0);
    if limit >= soft {
        return None;
    }
    setrlimit(Resource::RLIMIT_DATA, limit, hard).ok()?;
    Some(Held { soft, hard })
}

pub(crate) fn is_short(words: &str) -> bool {
    SHORT.iter().any(|sign| words.contains(sign))
}

/// Whether the user's own limit can be read; the error is the fault in it.
pub(crate) fn check_limit() -> Result<(), String> {
    asked_limit().map(drop)
}

fn left() -> Option<(Bytes, &'static str)> {
    let share = |free: Bytes| Bytes((free.as_f64() * SHARE) as u64);
    let machine = Meminfo::current()
        .ok()
        .and_then(|memory| memory.mem_available)
        .map(Bytes);
    let bounds = [
        (machine.map(share), "on this machine"),
        (
            cgroup::memory_left(&Roots::system()).map(share),
            "in this control group",
        ),
        (
            of_process().map(share),
            "by this process, which has a limit (`ulimit -v`)",
        ),
        (
            asked_limit().ok().flatten().map(less_own),
            "by the limit in ONNXPROF_MEMORY",
        ),
    ];
    bounds
        .into_iter()
        .filter_map(|(free, by)| Some((free?, by)))
        .min_by_key(|(free, _)| *free)
}

/// Memory that this process has taken, files that it has mapped left out; absent where the system
/// does not tell.
pub(crate) fn taken() -> Option<Bytes> {
    let status = Process::myself().and_then(|own| own.status()).ok()?;
    Some(Bytes(status.rssanon?.saturating_mul(1 << 10)))
}

fn own_pages() -> Option<StatM> {
    Process::myself().and_then(|own| own.statm()).ok()
}

fn of_process() -> Option<Bytes> {
    let own = own_pages()?;
    [
        (Resource::RLIMIT_AS, own.size),
        (Resource::RLIMIT_DATA, own.data),
    ]
    .into_iter()
    .filter_map(|(resource, pages)| {
        let (soft, _) = getrlimit(resource).ok()?;
        (soft < 1 << 62).then(|| Bytes(soft.saturating_sub(pages * procfs::page_size())))
    })
    .min()
}

/// A limit of this process, less what it has taken, files that it has mapped left out.
fn less_own(limit: Bytes) -> Bytes {
    Bytes(limit.0.saturating_sub(taken().unwrap_or_default().0))
}

fn asked_limit() -> Result<Option<Bytes>, String> {
    let Some(text) = std::env::var_os(LIMIT).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let text = text.to_string_lossy();
    parse(&text)
        .map(Some)
        .ok_or_else(|| format!("`{text}` in {LIMIT} is no quantity of memory such as 500MB or 2GB"))
}

/// A quantity such as `500MB` or `2GiB`.
fn parse(text: &str) -> Option<Bytes> {
    const UNITS: [(&str, u64); 8] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let text = text.trim();
    let (number, unit) = UNITS
        .into_iter()
        .find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    number
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused_with_what_there_is() {
        let refused = ask(Bytes(u64::MAX), || "a batch".to_owned()).unwrap_err();
        assert!(
            refused.free < refused.needed && refused.free.0 > 0,
            "{refused}"
        );
        let said = refused.to_string();
        assert!(
            said.starts_with("a batch would take 18446744 TB of memory, and "),
            "{said}"
        );
        assert!(ask(UNASKED, || panic!("nothing is said of what fits")).is_ok());
        assert!(
            ask(Bytes(UNASKED.0 + 1), || panic!(
                "nothing is said of what fits"
            ))
            .is_ok()
        );
    }

    #[test]
    fn what_is_not_free_cannot_be_had_while_the_limit_is_held() {
        let limit = || getrlimit(Resource::RLIMIT_DATA).unwrap().0;
        let before = limit();
        let too_much = usize::try_from(free().unwrap().0).unwrap() * 2;
        let held = hold();
        assert!(held.is_none() || limit() < before);
        assert!(Vec::<u8>::new().try_reserve_exact(too_much).is_err());
        drop(held);
        assert_eq!(limit(), before);
    }

    #[test]
    fn as_many_fit_as_there_is_room_for() {
        let refused = TooMuch {
            what: String::new(),
            needed: Bytes(1_000),
            free: Bytes(250),
            where_from: "",
        };
        assert_eq!(
            (refused.fitting(1_000_000), refused.fitting(3)),
            (250_000, 0)
        );
    }

    #[test]
    fn a_limit_is_a_number_with_a_unit() {
        assert_eq!(
            ["500MB", "2 GiB", "0B"].map(parse),
            [500_000_000, 2 << 30, 0].map(|bytes| Some(Bytes(bytes)))
        );
        for nonsense in ["", "5", "GB", "-1GB", "1.5GB", "99999999999TB", "1XB"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
