//! How much earlier runs on this machine spread, for forecasts.

use std::path::PathBuf;

use super::kept::{keep, kept};
use crate::analysis::SeenRun;
use crate::record::Host;
use crate::runtime::Cache;

/// Runs that are remembered of a machine: machines change, and so does what else runs on them.
const MOST: usize = 16;

/// Earlier runs on this machine, the oldest first.
#[must_use]
pub fn earlier_runs(host: &Host) -> Vec<SeenRun> {
    file(host).as_deref().and_then(kept).unwrap_or_default()
}

/// Remembers what a run showed, in place of the oldest where there are many. Where there is no cache, nothing is.
pub fn remember_run(host: &Host, seen: SeenRun) {
    let Some(file) = file(host) else { return };
    let mut all: Vec<SeenRun> = kept(&file).unwrap_or_default();
    all.push(seen);
    let surplus = all.len().saturating_sub(MOST);
    keep(&file, &all.split_off(surplus));
}

/// A machine is told by its processor, its caches and the CPUs that may be used.
fn file(host: &Host) -> Option<PathBuf> {
    let identity = format!("{:?}", (&host.cpu, &host.caches, host.usable_cpus_count, &host.virtualization));
    let digest = crate::hash::copy(&mut identity.as_bytes(), &mut std::io::sink()).ok()?;
    Some(Cache::locate().ok()?.spreads().join(format!("{}.json", &digest[..16])))
}
