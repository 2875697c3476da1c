//! Energy of the processor, from its own counters (RAPL), which the kernel offers in
//! `/sys/class/powercap`.
//!
//! Intel's and AMD's processors count the energy of each package, some also that of memory, in
//! steps of about 1 ms. The counters are of the whole machine. AMD's go by the same names
//! (`intel-rapl`).

use std::io;
use std::path::{Path, PathBuf};

use super::{Roots, SampleError, parsed, read, value};
use crate::record::CpuEnergy;
use crate::units::Joules;

/// Why the energy of the processor is not known.
#[derive(Debug, thiserror::Error)]
pub enum RaplError {
    /// The kernel has no counters.
    #[error("the kernel offers no energy counters in `{}`, as on most virtual machines", .0.display())]
    NoCounters(PathBuf),
    /// The counters are there, but not for this user.
    #[error("`{}` may only be read by root: run `chmod a+r` on it and its like as root, which holds until a restart", .0.display())]
    Denied(PathBuf),
    /// A counter cannot be read for another reason.
    #[error("{}", .0)]
    Unreadable(#[from] SampleError),
}

/// The energy counters of the processor's packages and of their memory.
#[derive(Debug)]
pub struct Rapl {
    domains: Vec<Domain>,
}

#[derive(Debug)]
struct Domain {
    name: String,
    kind: Kind,
    energy: PathBuf,
    /// Highest value of the counter, in microjoules; the next one is zero.
    range: u64,
}

/// The thing that a counter is of. Parts of a package (cores, graphics) are counted with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Package,
    Dram,
}

/// The counters at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaplReading(Vec<Counter>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Counter {
    kind: Kind,
    microjoules: u64,
    range: u64,
}

impl Rapl {
    /// Finds the counters and reads each once. Most systems let only root do so, since they were
    /// used to spy on others.
    pub fn open(roots: &Roots) -> Result<Rapl, RaplError> {
        let folder = roots.sys.join("class/powercap");
        let mut paths: Vec<PathBuf> = folder
            .read_dir()
            .map_err(|_| RaplError::NoCounters(folder.clone()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                // Zones are such as `intel-rapl:0` or `intel-rapl:0:2`; `intel-rapl-mmio:0` counts
                // a package twice.
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().starts_with("intel-rapl:")
            })
            .collect();
        paths.sort();
        let domains: Vec<Domain> = paths.iter().filter_map(|path| Domain::of(path)).collect();
        if domains.iter().all(|domain| domain.kind != Kind::Package) {
            return Err(RaplError::NoCounters(folder));
        }
        let rapl = Rapl { domains };
        rapl.try_read()?;
        Ok(rapl)
    }

    /// Names of the counters, such as `package-0` and `dram`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.domains
            .iter()
            .map(|domain| domain.name.clone())
            .collect()
    }

    /// The counters now; `None` if one of them cannot be read any more.
    #[must_use]
    pub fn read(&self) -> Option<RaplReading> {
        self.try_read().ok()
    }

    fn try_read(&self) -> Result<RaplReading, RaplError> {
        let counters: Result<_, _> = self.domains.iter().map(Domain::counter).collect();
        counters.map(RaplReading)
    }
}

impl Domain {
    fn of(zone: &Path) -> Option<Domain> {
        let name = value(&zone.join("name"))?;
        Some(Domain {
            kind: match name.as_str() {
                "dram" => Kind::Dram,
                name if name.starts_with("package-") => Kind::Package,
                _ => return None,
            },
            energy: zone.join("energy_uj"),
            range: parsed(&zone.join("max_energy_range_uj"))?,
            name,
        })
    }

    fn counter(&self) -> Result<Counter, RaplError> {
        let text = read(&self.energy).map_err(|error| match error {
            SampleError::Unreadable(path, why) if why.kind() == io::ErrorKind::PermissionDenied => {
                RaplError::Denied(path)
            }
            error => RaplError::Unreadable(error),
        })?;
        let microjoules = text.trim().parse();
        Ok(Counter {
            kind: self.kind,
            microjoules: microjoules
                .map_err(|_| SampleError::NoField(self.energy.clone(), "energy"))?,
            range: self.range,
        })
    }
}

impl RaplReading {
    /// Energy since `earlier`, of the same counters; each may have started again from zero once.
    #[must_use]
    pub fn since(&self, earlier: &RaplReading) -> CpuEnergy {
        let mut energy = CpuEnergy {
            package_joules: Joules(0.0),
            dram_joules: None,
        };
        for (later, earlier) in self.0.iter().zip(&earlier.0) {
            let up_to_zero = later.range.saturating_sub(earlier.microjoules);
            let joules = Joules(
                later
                    .microjoules
                    .checked_sub(earlier.microjoules)
                    .unwrap_or(later.microjoules.saturating_add(up_to_zero)) as f64
                    / 1e6,
            );
            match later.kind {
                Kind::Package => energy.package_joules = energy.package_joules + joules,
                Kind::Dram => {
                    energy.dram_joules = Some(energy.dram_joules.unwrap_or_default() + joules)
                }
            }
        }
        energy
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    fn machine(zones: &[(&str, &str, u64)]) -> Machine {
        let lines = zones.iter().map(|(name, number, energy)| {
            format!(
                "sys/class/powercap/intel-rapl:{number}/name {name}
                 sys/class/powercap/intel-rapl:{number}/energy_uj {energy}
                 sys/class/powercap/intel-rapl:{number}/max_energy_range_uj 262143328850\n"
            )
        });
        Machine::new(&lines.collect::<String>())
    }

    fn reading(zones: &[(&str, &str, u64)]) -> RaplReading {
        Rapl::open(&machine(zones).roots()).unwrap().read().unwrap()
    }

    #[test]
    fn packages_add_up_and_parts_of_them_do_not_count_twice() {
        let at = |core, package| {
            reading(&[
                ("package-0", "0", package),
                ("core", "0:0", core),
                ("dram", "0:1", package / 10),
                ("package-1", "1", 2 * package),
                ("psys", "2", 9),
            ])
        };
        let energy = at(500, 4_000_000).since(&at(100, 1_000_000));
        assert_eq!(
            energy,
            CpuEnergy {
                package_joules: Joules(9.0),
                dram_joules: Some(Joules(0.3))
            }
        );
        assert!((energy.total().0 - 9.3).abs() < 1e-12);
    }

    #[test]
    fn counter_that_starts_again_goes_on() {
        let at = |energy| reading(&[("package-0", "0", energy)]);
        assert_eq!(
            at(1_000_000).since(&at(262_142_328_850)),
            CpuEnergy {
                package_joules: Joules(2.0),
                dram_joules: None
            }
        );
    }

    #[test]
    fn machine_without_counters_says_so() {
        for machine in [machine(&[]), machine(&[("psys", "0", 5)])] {
            let error = Rapl::open(&machine.roots()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("the kernel offers no energy counters"),
                "{error}"
            );
        }
    }

    #[test]
    fn counter_that_cannot_be_read_is_named_with_what_to_do() {
        let denied = RaplError::Denied("/sys/class/powercap/intel-rapl:0/energy_uj".into());
        assert!(
            denied
                .to_string()
                .contains("intel-rapl:0/energy_uj` may only be read by root: run `chmod a+r`")
        );
        let machine = machine(&[("package-0", "0", 1)]);
        std::fs::write(
            machine
                .roots()
                .sys
                .join("class/powercap/intel-rapl:0/energy_uj"),
            "what\n",
        )
        .unwrap();
        let error = Rapl::open(&machine.roots()).unwrap_err();
        assert!(
            error.to_string().contains("has no usable `energy`"),
            "{error}"
        );
    }
}
