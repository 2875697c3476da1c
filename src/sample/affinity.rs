//! On which CPUs workers and parent run.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::{Roots, SampleError, list, parsed, process};

/// Capacity of the fastest kind of core, by the kernel's scale.
const FASTEST: u64 = 1024;
/// Capacity that stands for an efficient core where the kernel gives no number: any below that of
/// the others will do.
const EFFICIENT: u64 = 512;

/// The CPUs of a machine, core by core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Cores with at least one CPU that is online, in the order of their first CPU.
    pub cores: Vec<Core>,
}

/// One physical core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Its CPUs that are online, ascending: more than one where hardware threads share the core.
    pub cpus: Vec<u64>,
    /// Number of the package (socket) that it belongs to; 0 where the kernel does not tell.
    pub package: u64,
    /// How fast it is compared with other cores of the machine, 1024 for the fastest kind.
    pub capacity: u64,
}

/// Who runs where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuAssignment {
    /// CPUs of every worker, ascending.
    pub worker: Vec<u64>,
    /// CPUs of the parent, ascending.
    pub parent: Vec<u64>,
}

impl Topology {
    /// The running machine's, or what `roots` says. CPUs whose siblings are not known count as
    /// cores of their own.
    #[must_use]
    pub fn read(roots: &Roots) -> Topology {
        let online: BTreeSet<u64> = list(&roots.cpu("online")).into_iter().flatten().collect();
        // Where there are efficient cores beside performance cores, x86 lists each kind, and others
        // rate each CPU.
        let efficient = list(&roots.sys.join("devices/cpu_atom/cpus")).unwrap_or_default();
        let mut unplaced = online.clone();
        let mut cores = Vec::new();
        while let Some(cpu) = unplaced.pop_first() {
            let cpus: BTreeSet<u64> =
                list(&roots.cpu(format!("cpu{cpu}/topology/thread_siblings_list")))
                    .into_iter()
                    .flatten()
                    .filter(|sibling| online.contains(sibling))
                    .chain([cpu])
                    .collect();
            unplaced.retain(|other| !cpus.contains(other));
            let usual = if efficient.contains(&cpu) {
                EFFICIENT
            } else {
                FASTEST
            };
            let package = roots.cpu(format!("cpu{cpu}/topology/physical_package_id"));
            cores.push(Core {
                cpus: cpus.into_iter().collect(),
                // -1 where the firmware does not tell.
                package: parsed(&package).unwrap_or(0),
                capacity: parsed(&roots.cpu(format!("cpu{cpu}/cpu_capacity"))).unwrap_or(usual),
            });
        }
        Topology { cores }
    }
}

/// Chooses CPUs out of `affinity`, which is not empty, for workers of `threads` threads each, and
/// for the parent.
///
/// Workers get as many CPUs as they have threads, one on each core while cores suffice: fast cores
/// before slow ones, cores of one package before those of the next, and the last of them first,
/// since the first CPUs of a machine serve its interrupts. The parent gets cores that no worker
/// uses; if there are none, CPUs that no worker uses; if there are none of those either, it shares
/// all CPUs with the workers.
#[must_use]
pub fn choose_cpus(threads: u64, affinity: &[u64], topology: &Topology) -> CpuAssignment {
    let cores = allowed_cores(affinity, topology);
    let wanted = usize::try_from(threads).unwrap_or(usize::MAX).max(1);
    // The first hardware thread of each core, then the second of each, and so on.
    let depth = cores.iter().map(|core| core.cpus.len()).max().unwrap_or(0);
    let worker: BTreeSet<u64> = (0..depth)
        .flat_map(|place| cores.iter().filter_map(move |core| core.cpus.get(place)))
        .copied()
        .take(wanted)
        .collect();

    let of_free_cores = cores
        .iter()
        .filter(|core| core.cpus.iter().all(|cpu| !worker.contains(cpu)))
        .flat_map(|core| &core.cpus)
        .copied();
    let free = affinity.iter().copied().filter(|cpu| !worker.contains(cpu));
    let parent: Option<BTreeSet<u64>> = [of_free_cores.collect(), free.collect(), worker.clone()]
        .into_iter()
        .find(|cpus| !cpus.is_empty());
    CpuAssignment {
        worker: worker.into_iter().collect(),
        parent: parent.into_iter().flatten().collect(),
    }
}

/// The cores that `affinity` reaches, with the CPUs it allows, in the order in which workers take
/// them.
fn allowed_cores(affinity: &[u64], topology: &Topology) -> Vec<Core> {
    let mut unplaced: BTreeSet<u64> = affinity.iter().copied().collect();
    let mut cores = Vec::new();
    for core in &topology.cores {
        let cpus: Vec<u64> = core
            .cpus
            .iter()
            .copied()
            .filter(|cpu| unplaced.remove(cpu))
            .collect();
        if !cpus.is_empty() {
            cores.push(Core { cpus, ..*core });
        }
    }
    cores.extend(unplaced.into_iter().map(|cpu| Core {
        cpus: vec![cpu],
        package: 0,
        capacity: FASTEST,
    }));
    cores.sort_by_key(|core| Reverse((core.capacity, core.package, core.cpus[0])));
    cores
}

/// CPUs that the calling thread may run on, ascending. The kernel does not tell on machines of more
/// than 1,024 CPUs.
pub fn own_affinity() -> Result<Vec<u64>, SampleError> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(SampleError::AffinityUnknown)?;
    Ok((0..CpuSet::count())
        .filter(|&cpu| set.is_set(cpu).unwrap_or(false))
        .map(|cpu| cpu as u64)
        .collect())
}

/// Restricts the calling thread, and all threads and processes that it starts from now on, to
/// `cpus`.
pub fn set_own_affinity(cpus: &[u64]) -> Result<(), SampleError> {
    set_affinity(0, cpus)
}

/// Restricts the main thread of a process, and all that it starts from now on, to `cpus`; 0 is the
/// calling thread. It is refused if none of the CPUs is online and allowed, or one is beyond what
/// can be named.
pub fn set_affinity(pid: u32, cpus: &[u64]) -> Result<(), SampleError> {
    let refused = |error| SampleError::AffinityRefused(cpus.to_vec(), error);
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(usize::try_from(cpu).unwrap_or(usize::MAX))
            .map_err(refused)?;
    }
    sched_setaffinity(Pid::from_raw(pid.cast_signed()), &set).map_err(refused)
}

/// Gives each thread of a process one of `cpus`, in the order in which they began; whether it did.
/// Where there are not as many threads as CPUs, all stay as they are.
///
/// Threads of a pool that share a set of CPUs with another process are put on one CPU by the kernel
/// for stretches of many milliseconds while the other process has the rest, and wait for each other
/// there. ONNX Runtime itself gives each thread a CPU where it chooses their number.
pub fn spread_threads(roots: &Roots, pid: u32, cpus: &[u64]) -> Result<bool, SampleError> {
    let threads = process::threads(roots, pid)?;
    if threads.len() != cpus.len() {
        return Ok(false);
    }
    for (thread, cpu) in threads.into_iter().zip(cpus) {
        set_affinity(thread, &[*cpu])?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::{fixture::Machine, parse_list};
    use super::*;

    /// Cores with these CPUs, such as `0,2 1,3`.
    fn cores(cores: &str) -> Topology {
        let core = |cpus: &str| Core {
            cpus: list(cpus),
            package: 0,
            capacity: FASTEST,
        };
        Topology {
            cores: cores.split_whitespace().map(core).collect(),
        }
    }

    fn list(cpus: &str) -> Vec<u64> {
        parse_list(cpus).unwrap()
    }

    fn placed(worker: &str, parent: &str) -> CpuAssignment {
        CpuAssignment {
            worker: list(worker),
            parent: list(parent),
        }
    }

    #[test]
    fn workers_get_cores_of_their_own_and_the_parent_the_rest() {
        for (topology, threads, affinity, worker, parent, why) in PLACES {
            assert_eq!(
                choose_cpus(threads, &list(affinity), &cores(topology)),
                placed(worker, parent),
                "{why}"
            );
        }
    }

    /// Cores, threads, the CPUs that may be used, then those of the worker and of the parent, and
    /// why.
    #[rustfmt::skip]
    const PLACES: [(&str, u64, &str, &str, &str, &str); 11] = [
        ("0 1", 1, "0-1", "1", "0", "the last CPU is the worker's"),
        ("0 1", 2, "0-1", "0-1", "0-1", "the worker needs every CPU"),
        ("0 1", 8, "0-1", "0-1", "0-1", "the worker needs more CPUs than there are"),
        ("0 1", 1, "3", "3", "3", "there is one CPU"),
        (APART, 2, "0-7", "2-3", "0-1,4-5", "siblings stay idle while cores suffice"),
        (APART, 4, "0-7", "0-3", "4-7", "siblings are left to the parent"),
        (APART, 5, "0-7", "0-3,7", "4-6", "cores do not suffice"),
        (APART, 1, "0-1,5", "1", "0", "only CPUs of the mask are used"),
        (ADJACENT, 1, "0-3", "2", "0-1", "adjacent numbers are siblings"),
        (ADJACENT, 2, "0-3", "0,2", "1,3", "adjacent siblings stay idle"),
        ("", 2, "4-6", "5-6", "4", "CPUs without known siblings are cores"),
    ];
    const APART: &str = "0,4 1,5 2,6 3,7";
    const ADJACENT: &str = "0,1 2,3";

    fn read(machine: &str) -> Topology {
        Topology::read(&Machine::new(machine).roots())
    }

    #[test]
    fn efficient_cores_are_left_to_the_parent() {
        let topology = read(
            "sys/devices/system/cpu/online 0-5
             sys/devices/system/cpu/cpu0/topology/thread_siblings_list 0-1
             sys/devices/system/cpu/cpu2/topology/thread_siblings_list 2-3
             sys/devices/cpu_atom/cpus 4-5",
        );
        assert_eq!(topology.cores.len(), 4);
        assert_eq!(
            choose_cpus(2, &list("0-5"), &topology),
            placed("0,2", "4-5")
        );
    }

    #[test]
    fn capacities_rank_the_cores_of_other_architectures() {
        let topology = read(
            "sys/devices/system/cpu/online 0-2
             sys/devices/system/cpu/cpu0/cpu_capacity 1024
             sys/devices/system/cpu/cpu1/cpu_capacity 446
             sys/devices/system/cpu/cpu2/cpu_capacity 446",
        );
        assert_eq!(choose_cpus(1, &list("0-2"), &topology), placed("0", "1-2"));
    }

    #[test]
    fn threads_stay_on_one_package_while_it_has_cores() {
        let topology = read(
            "sys/devices/system/cpu/online 0-3
             sys/devices/system/cpu/cpu0/topology/physical_package_id 0
             sys/devices/system/cpu/cpu1/topology/physical_package_id 1
             sys/devices/system/cpu/cpu2/topology/physical_package_id 0
             sys/devices/system/cpu/cpu3/topology/physical_package_id 1",
        );
        assert_eq!(
            choose_cpus(2, &list("0-3"), &topology),
            placed("1,3", "0,2")
        );
    }

    #[test]
    fn siblings_that_are_offline_are_no_cpus() {
        let topology = read(
            "sys/devices/system/cpu/online 0-1
             sys/devices/system/cpu/cpu0/topology/thread_siblings_list 0,2
             sys/devices/system/cpu/cpu1/topology/thread_siblings_list 1,3",
        );
        assert_eq!(topology, cores("0 1"));
    }

    #[test]
    fn thread_runs_where_it_is_put() {
        std::thread::spawn(|| {
            let last = *own_affinity().unwrap().last().unwrap();
            set_own_affinity(&[last]).unwrap();
            assert_eq!(own_affinity().unwrap(), [last]);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn threads_of_a_process_get_a_cpu_each_where_there_are_as_many() {
        let roots = Roots::system();
        let mut sleeper = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let (pid, cpus) = (sleeper.id(), own_affinity().unwrap());
        let before = process::allowed_cpus(&roots, pid).unwrap();
        let two = [cpus[0], cpus[0]];
        assert!(!spread_threads(&roots, pid, &two).unwrap());
        assert_eq!(process::allowed_cpus(&roots, pid).unwrap(), before);
        assert!(spread_threads(&roots, pid, &cpus[..1]).unwrap());
        assert_eq!(process::allowed_cpus(&roots, pid).unwrap(), cpus[..1]);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }

    #[test]
    fn cpus_that_do_not_exist_are_refused_by_name() {
        for cpu in [1000, 100_000] {
            assert_eq!(
                set_own_affinity(&[cpu]).unwrap_err().to_string(),
                format!("cannot run on CPUs [{cpu}]")
            );
        }
    }
}
