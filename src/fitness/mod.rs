//! Whether a machine was fit to measure on: rules over what it went through, each with its bound
//! and its reason.
//!
//! Pure: conditions in, verdict out. A rule that lacks its figure says nothing, so that a machine
//! is never called unfit for what its kernel does not tell. Read [`judge`] first.

mod blocks;
mod gpu;
mod machine;
mod rule;

pub use rule::Seen;

use crate::record::{Fitness, FitnessReason, FitnessVerdict};

/// A rule: what speaks against the run, if anything does.
type Rule = fn(Seen<'_>) -> Option<FitnessReason>;

const RULES: [Rule; 16] = [
    machine::others_load,
    machine::steal,
    machine::throttling,
    machine::governor,
    machine::low_frequency,
    machine::thermal,
    machine::swapping,
    machine::memory_pressure,
    machine::cpu_pressure,
    machine::siblings,
    blocks::disturbed,
    blocks::migrations_of_pinned,
    blocks::wandering,
    gpu::slowed_down,
    gpu::power_capped,
    gpu::shared,
];

/// Judges what was seen by every rule.
#[must_use]
pub fn judge(seen: Seen<'_>) -> Fitness {
    let mut reasons: Vec<FitnessReason> = RULES.iter().filter_map(|rule| rule(seen)).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity));
    Fitness {
        verdict: reasons
            .first()
            .map_or(FitnessVerdict::Valid, |worst| worst.severity),
        reasons,
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::plan::{CellKey, LoadMode};
    use crate::record::{BlockRecord, Conditions, Disturbance, Host, Phase};
    use crate::units::{Bytes, Nanos, Ratio};

    /// A virtual machine with two CPUs, idle but for one worker, to be disturbed in one respect at
    /// a time.
    pub(super) fn quiet() -> Conditions {
        Conditions {
            observed_ns: Nanos(20_000_000_000),
            online_cpus_count: Some(2),
            worker_cpus: vec![1],
            sibling_cpus: Some(Vec::new()),
            others_busy_ratio: Some(Ratio(0.01)),
            steal_ratio: Some(Ratio(0.002)),
            cpu_pressure_ratio: Some(Ratio(0.03)),
            memory_pressure_ratio: Some(Ratio(0.0)),
            io_pressure_ratio: Some(Ratio(0.01)),
            swap_used_bytes: Some(Bytes(0)),
            swapped_in_bytes: Some(Bytes(0)),
            swapped_out_bytes: Some(Bytes(0)),
            ..Conditions::default()
        }
    }

    /// A timed block of 30 ms.
    pub(crate) fn block(migrations_count: u64, disturbances: &[Disturbance]) -> BlockRecord {
        BlockRecord {
            key: CellKey {
                session: 0,
                shape: 0,
                batch_size: 1,
                load_mode: LoadMode::SINGLE,
            },
            launch: 0,
            round: 0,
            alternation: 0,
            position: 0,
            phase: Phase::Timed,
            started_ns: Nanos(0),
            elapsed_ns: Nanos(30_000_000),
            rebinding_ns: None,
            inferences_count: 10,
            median_ns: Nanos(3_000_000),
            p10_ns: Nanos(3_000_000),
            mean_ns: Nanos(3_000_000),
            cpu_time_ns: Nanos(30_000_000),
            involuntary_switches_count: 0,
            major_faults_count: 0,
            minor_faults_count: None,
            steal_ns: None,
            throttled_ns: None,
            migrations_count: Some(migrations_count),
            resident_bytes: None,
            cpu_energy: None,
            disturbances: disturbances.to_vec(),
        }
    }

    pub(super) fn verdict_of(host: &Host, conditions: &Conditions) -> FitnessVerdict {
        judge(Seen {
            host,
            conditions,
            blocks: &[],
        })
        .verdict
    }
}

#[cfg(test)]
mod tests {
    use super::testing::quiet;
    use super::*;
    use crate::record::{Conditions, Host};
    use crate::units::Ratio;

    #[test]
    fn quiet_virtual_machine_is_valid() {
        let host = Host {
            virtualization: Some("kvm".into()),
            turbo: Some(true),
            ..Host::default()
        };
        assert_eq!(
            judge(Seen {
                host: &host,
                conditions: &quiet(),
                blocks: &[],
            }),
            Fitness {
                verdict: FitnessVerdict::Valid,
                reasons: Vec::new()
            }
        );
    }

    #[test]
    fn machine_that_tells_nothing_is_not_called_unfit() {
        let seen = Seen {
            host: &Host::default(),
            conditions: &Conditions::default(),
            blocks: &[],
        };
        assert_eq!(judge(seen).verdict, FitnessVerdict::Valid);
    }

    #[test]
    fn the_worst_reason_is_the_verdict_and_comes_first() {
        let host = Host {
            governor: Some("powersave".into()),
            ..Host::default()
        };
        let loaded = Conditions {
            others_busy_ratio: Some(Ratio(0.7)),
            ..quiet()
        };
        let fitness = judge(Seen {
            host: &host,
            conditions: &loaded,
            blocks: &[],
        });
        assert_eq!(fitness.verdict, FitnessVerdict::Invalid);
        let severities: Vec<_> = fitness
            .reasons
            .iter()
            .map(|reason| reason.severity)
            .collect();
        assert_eq!(
            severities,
            [FitnessVerdict::Invalid, FitnessVerdict::Suspect]
        );
    }
}
