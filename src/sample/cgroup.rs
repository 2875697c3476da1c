//! Limits that control groups put on this process, and the workers it starts.
//!
//! A limit holds for everything below the group that has it, so the tightest from this process's
//! group up to the root counts. Both versions are read: a controller of a version 1 hierarchy, if
//! mounted, is not part of version 2.

use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use procfs::{ProcessCGroup, ProcessCGroups};

use super::{Roots, number, parse, parsed, read, value};
use crate::record::{CgroupLimits, Throttling};
use crate::units::{Bytes, Nanos};

/// Version 1 writes no limit as the largest number of whole pages.
const V1_UNLIMITED_BYTES: u64 = 1 << 62;

/// The limits in force; absent ones where there are none, or where control groups cannot be read.
#[must_use]
pub fn limits(roots: &Roots) -> CgroupLimits {
    let memory = Hierarchy::of(roots, "memory");
    CgroupLimits {
        cpu_quota_count: Hierarchy::of(roots, "cpu").tightest(Hierarchy::cpu_quota),
        memory_max_bytes: memory.tightest(Hierarchy::memory_max).map(Bytes),
        memory_high_bytes: memory.tightest(Hierarchy::memory_high).map(Bytes),
    }
}

/// Memory that is left in the group that has the least of it left, pages of files that the kernel
/// would give up included; absent where no group has a limit.
#[must_use]
pub fn memory_left(roots: &Roots) -> Option<Bytes> {
    Hierarchy::of(roots, "memory")
        .tightest(Hierarchy::memory_left)
        .map(Bytes)
}

/// `cpu.stat` of every group that limits this process's CPU time.
pub(super) fn throttled_files(roots: &Roots) -> Vec<PathBuf> {
    let hierarchy = Hierarchy::of(roots, "cpu");
    hierarchy
        .groups
        .iter()
        .filter(|group| hierarchy.cpu_quota(group).is_some())
        .map(|group| group.join("cpu.stat"))
        .collect()
}

pub(super) fn throttling(cpu_stat: &Path) -> Option<Throttling> {
    let text = read(cpu_stat).ok()?;
    Some(Throttling {
        periods_count: number(&text, "nr_periods ")?,
        throttled_periods_count: number(&text, "nr_throttled ")?,
        throttled_ns: throttled(cpu_stat)?,
    })
}

pub(super) fn throttled(cpu_stat: &Path) -> Option<Nanos> {
    let text = read(cpu_stat).ok()?;
    number(&text, "throttled_usec ")
        .map(|micros| Nanos(micros * 1000))
        .or_else(|| number(&text, "throttled_time ").map(Nanos))
}

#[derive(Clone, Copy, Default)]
enum Version {
    V1,
    #[default]
    V2,
}

/// The folders of this process's group in one controller's hierarchy and of all groups above it.
#[derive(Default)]
struct Hierarchy {
    version: Version,
    groups: Vec<PathBuf>,
}

impl Hierarchy {
    fn of(roots: &Roots, controller: &str) -> Hierarchy {
        let memberships = parse::<ProcessCGroups>(&roots.proc.join("self/cgroup"))
            .map(|groups| groups.0)
            .unwrap_or_default();
        let membership = membership(&memberships, controller);
        membership.map_or_else(Hierarchy::default, |(version, group)| Hierarchy {
            version,
            groups: folders(roots, version, controller, &group.pathname),
        })
    }

    fn tightest<T: PartialOrd>(&self, limit: impl Fn(&Self, &Path) -> Option<T>) -> Option<T> {
        self.groups
            .iter()
            .filter_map(|group| limit(self, group))
            .reduce(|tightest, other| if other < tightest { other } else { tightest })
    }

    /// CPUs' worth of time per period.
    fn cpu_quota(&self, group: &Path) -> Option<f64> {
        // No limit is -1 in version 1 and `max` in version 2: neither is a positive number.
        let (quota, period): (u64, u64) = match self.version {
            Version::V1 => (
                parsed(&group.join("cpu.cfs_quota_us"))?,
                parsed(&group.join("cpu.cfs_period_us"))?,
            ),
            Version::V2 => {
                let line = value(&group.join("cpu.max"))?;
                let (quota, period) = line.split_once(' ')?;
                (quota.parse().ok()?, period.parse().ok()?)
            }
        };
        (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
    }

    fn memory_max(&self, group: &Path) -> Option<u64> {
        let file = match self.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        };
        parsed(&group.join(file)).filter(|&limit| limit < V1_UNLIMITED_BYTES)
    }

    fn memory_left(&self, group: &Path) -> Option<u64> {
        let limit = self
            .memory_max(group)
            .into_iter()
            .chain(self.memory_high(group))
            .min()?;
        let (file, prefix) = match self.version {
            Version::V1 => ("memory.usage_in_bytes", "total_"),
            Version::V2 => ("memory.current", ""),
        };
        let used: u64 = parsed(&group.join(file))?;
        let text = read(&group.join("memory.stat")).unwrap_or_default();
        let pages = |key: &str| number(&text, &format!("{prefix}{key} ")).unwrap_or(0);
        let of_files = pages("inactive_file").saturating_add(pages("active_file"));
        Some(limit.saturating_sub(used.saturating_sub(of_files)))
    }

    fn memory_high(&self, group: &Path) -> Option<u64> {
        match self.version {
            Version::V1 => None,
            Version::V2 => parsed(&group.join("memory.high")),
        }
    }
}

/// The group that a controller is in: one of version 1 that has it, or else the one of version 2.
fn membership<'a>(
    memberships: &'a [ProcessCGroup],
    controller: &str,
) -> Option<(Version, &'a ProcessCGroup)> {
    let v1 = memberships
        .iter()
        .find(|group| group.controllers.iter().any(|name| name == controller));
    let v2 = memberships.iter().find(|group| group.hierarchy == 0);
    v1.map(|group| (Version::V1, group))
        .or(v2.map(|group| (Version::V2, group)))
}

/// Folders of the group `pathname` and of those above it, up to the mount point of the controller's
/// hierarchy.
fn folders(roots: &Roots, version: Version, controller: &str, pathname: &str) -> Vec<PathBuf> {
    let Some(mount) = mounted(roots, version, controller) else {
        return Vec::new();
    };
    let top = mount
        .mount_point
        .strip_prefix("/sys")
        .map_or_else(|_| mount.mount_point.clone(), |below| roots.sys.join(below));
    // A container may see its group's path from the host's root while only the part below
    // `mount.root` is mounted.
    Path::new(pathname)
        .strip_prefix(&mount.root)
        .unwrap_or(Path::new(""))
        .ancestors()
        .map(|group| top.join(group))
        .collect()
}

fn mounted(roots: &Roots, version: Version, controller: &str) -> Option<MountInfo> {
    read(&roots.proc.join("self/mountinfo"))
        .ok()?
        .lines()
        .filter(|line| line.contains(" - cgroup"))
        .filter_map(|line| MountInfo::from_line(line).ok())
        .find(|mount| match version {
            Version::V1 => {
                mount.fs_type == "cgroup" && mount.super_options.contains_key(controller)
            }
            Version::V2 => mount.fs_type == "cgroup2",
        })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    const V2_MOUNT: &str =
        "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn tightest_limit_on_the_way_to_the_root_counts() {
        let machine = Machine::new(
            "proc/self/cgroup 0::/user.slice/job
             sys/fs/cgroup/user.slice/job/cpu.max max 100000
             sys/fs/cgroup/user.slice/job/memory.max 8589934592
             sys/fs/cgroup/user.slice/job/memory.high max
             sys/fs/cgroup/user.slice/cpu.max 150000 100000
             sys/fs/cgroup/user.slice/memory.max 4294967296
             sys/fs/cgroup/user.slice/memory.high 3221225472",
        )
        .with("proc/self/mountinfo", V2_MOUNT);
        let expected = CgroupLimits {
            cpu_quota_count: Some(1.5),
            memory_max_bytes: Some(Bytes(4 << 30)),
            memory_high_bytes: Some(Bytes(3 << 30)),
        };
        assert_eq!(limits(&machine.roots()), expected);
        assert_eq!(
            throttled_files(&machine.roots()),
            [machine.roots().sys.join("fs/cgroup/user.slice/cpu.stat")]
        );
    }

    #[test]
    fn pages_of_files_count_as_memory_that_is_left() {
        let machine = Machine::new(
            "proc/self/cgroup 0::/job
             sys/fs/cgroup/job/memory.max 1000000
             sys/fs/cgroup/job/memory.high 900000
             sys/fs/cgroup/job/memory.current 700000
             sys/fs/cgroup/job/memory.stat anon 400000
             sys/fs/cgroup/job/memory.stat file 300000
             sys/fs/cgroup/job/memory.stat inactive_file 100000
             sys/fs/cgroup/job/memory.stat active_file 50000",
        )
        .with("proc/self/mountinfo", V2_MOUNT);
        assert_eq!(
            memory_left(&machine.roots()),
            Some(Bytes(900_000 - (700_000 - 150_000)))
        );
        assert_eq!(memory_left(&Machine::new("").roots()), None);
    }

    #[test]
    fn version_1_container_sees_its_limits_at_the_mount_point() {
        let machine = Machine::new(
            "proc/self/cgroup 4:memory:/docker/c0ffee
             proc/self/cgroup 3:cpu,cpuacct:/docker/c0ffee
             proc/self/cgroup 0::/
             proc/self/mountinfo 32 31 0:29 /docker/c0ffee /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
             proc/self/mountinfo 35 31 0:32 /docker/c0ffee /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
             proc/self/mountinfo 41 31 0:38 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw
             sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us 250000
             sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us 100000
             sys/fs/cgroup/cpu,cpuacct/cpu.stat nr_periods 9
             sys/fs/cgroup/cpu,cpuacct/cpu.stat nr_throttled 1
             sys/fs/cgroup/cpu,cpuacct/cpu.stat throttled_time 4500
             sys/fs/cgroup/memory/memory.limit_in_bytes 1073741824",
        );
        let limits = limits(&machine.roots());
        assert_eq!(limits.cpu_quota_count, Some(2.5));
        assert_eq!(limits.memory_max_bytes, Some(Bytes(1 << 30)));
        assert_eq!(
            throttled(&throttled_files(&machine.roots())[0]),
            Some(Nanos(4500))
        );
    }

    #[test]
    fn groups_without_limits_and_machines_without_groups_have_none() {
        let version_1 = "proc/self/cgroup 4:memory:/
             proc/self/cgroup 1:cpu:/
             proc/self/mountinfo 32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
             proc/self/mountinfo 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
             sys/fs/cgroup/cpu/cpu.cfs_quota_us -1
             sys/fs/cgroup/cpu/cpu.cfs_period_us 100000
             sys/fs/cgroup/memory/memory.limit_in_bytes 9223372036854771712";
        let version_2 = Machine::new("proc/self/cgroup 0::/").with("proc/self/mountinfo", V2_MOUNT);
        for (machine, name) in [
            (Machine::new(version_1), "version 1"),
            (version_2, "version 2"),
            (Machine::new(""), "nothing"),
        ] {
            assert_eq!(limits(&machine.roots()), CgroupLimits::default(), "{name}");
            assert!(throttled_files(&machine.roots()).is_empty(), "{name}");
        }
    }
}
