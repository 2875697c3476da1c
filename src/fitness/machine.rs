//! Rules about the machine.

use super::rule::{Bounds, Seen, percent, reason};
use crate::record::{FitnessReason, FitnessVerdict, Throttling};
use crate::units::Ratio;

/// Others' share of all CPUs. A tenth is what a desktop or a container host does in the background;
/// beyond half, one of two CPUs belongs to somebody else, and caches, memory bandwidth and turbo
/// are shared whichever it is.
const OTHERS: Bounds = Bounds {
    suspect: 0.10,
    invalid: 0.50,
};
/// Stolen share of the CPU time that was wanted: 5% is what labels a block as disturbed; at 20%,
/// times are a fifth too long on average.
const STEAL: Bounds = Bounds {
    suspect: 0.05,
    invalid: 0.20,
};
/// Throttled share of a control group's periods. One throttled period stops everything for up to
/// 100 ms, so any is suspect; where it is one in ten, the quota is what was measured.
const THROTTLED: Bounds = Bounds {
    suspect: 0.0,
    invalid: 0.10,
};
/// Thermal events per second. Any is suspect; one every ten seconds keeps the clock low for good.
const THERMAL: Bounds = Bounds {
    suspect: 0.0,
    invalid: 0.1,
};
/// Bytes read from or written to swap. Some pages of other processes may move; beyond 1 MiB, memory
/// is short.
const SWAPPED: Bounds = Bounds {
    suspect: 0.0,
    invalid: 1_048_576.0,
};
/// Share of the time in which tasks waited for memory: none do where memory suffices.
const MEMORY: Bounds = Bounds {
    suspect: 0.05,
    invalid: 0.20,
};
/// Share of the time in which some task waited for a CPU. The parent and a pool of threads that
/// wake each other make for some of it on a small machine, so it never makes a run invalid by
/// itself.
const WAITING: Bounds = Bounds {
    suspect: 0.40,
    invalid: f64::INFINITY,
};
/// Busy share of the CPUs that share a core with a worker's: a busy sibling takes up to half of the
/// core.
const SIBLINGS: Bounds = Bounds {
    suspect: 0.10,
    invalid: f64::INFINITY,
};
/// Share of the highest allowed frequency below which a busy CPU should not be: it stands at or
/// near it under load.
const LOW_FREQUENCY: f64 = 0.5;

pub(super) fn others_load(seen: Seen<'_>) -> Option<FitnessReason> {
    let share = seen.conditions.others_busy_ratio?;
    let cpus = share.0 * seen.conditions.online_cpus_count.unwrap_or(1) as f64;
    OTHERS.of_share(
        share,
        |used, bound| {
            format!(
                "other processes used {used} of all CPUs' time, as much as {cpus:.1} CPUs ({bound})"
            )
        },
        "end other work on the machine (`top` shows it), or measure when it is idle",
    )
}

pub(super) fn steal(seen: Seen<'_>) -> Option<FitnessReason> {
    STEAL.of_share(
        seen.conditions.steal_ratio?,
        |share, bound| format!("the host took away {share} of the CPU time ({bound})"),
        "use a machine type with dedicated CPUs, or measure at a quieter time",
    )
}

pub(super) fn throttling(seen: Seen<'_>) -> Option<FitnessReason> {
    let Throttling {
        periods_count: all,
        throttled_periods_count: stopped,
        ..
    } = seen.conditions.throttling?;
    THROTTLED.of_share(
        Ratio(stopped as f64 / all.max(1) as f64),
        |share, bound| {
            let of_all = format!("{stopped} of {all} periods, {share} ({bound})");
            format!("the control group's CPU limit stopped the run in {of_all}")
        },
        "raise the CPU limit of the container, or set `--intra-threads` below it",
    )
}

/// A governor that follows the load changes the frequency in the middle of a block; `performance`
/// does not. Virtual machines show none: the host governs.
pub(super) fn governor(seen: Seen<'_>) -> Option<FitnessReason> {
    let governor = seen.host.governor.as_ref()?.exact();
    (governor != "performance").then(|| {
        reason(
            FitnessVerdict::Suspect,
            format!("the frequency governor is `{governor}`, which follows the load"),
            "set it with `cpupower frequency-set --governor performance` while measuring",
        )
    })
}

/// Only of a run: the CPUs of a machine that is merely looked at are idle, and slow for that
/// reason.
pub(super) fn low_frequency(seen: Seen<'_>) -> Option<FitnessReason> {
    let frequency = seen
        .conditions
        .frequency
        .filter(|_| !seen.blocks.is_empty())?;
    let share = frequency.after_hertz?.0 as f64 / frequency.maximum_hertz.0.max(1) as f64;
    (share < LOW_FREQUENCY).then(|| {
        let ran_at = percent(Ratio(share));
        let bound = percent(Ratio(LOW_FREQUENCY));
        let text = format!(
            "a CPU that was measured on ran at {ran_at} of its highest frequency when the run ended (bound \
             {bound})"
        );
        reason(
            FitnessVerdict::Suspect,
            text,
            "search for a power limit or a power-saving profile, and lift it",
        )
    })
}

pub(super) fn thermal(seen: Seen<'_>) -> Option<FitnessReason> {
    let count = seen.conditions.thermal_throttles_count?;
    let seconds = seen.conditions.observed_ns.as_secs_f64();
    Some(reason(
        THERMAL.severity(count as f64 / seconds.max(1e-9))?,
        format!("the CPU was slowed down {count} times for its temperature in {seconds:.0} s"),
        "improve cooling, or limit the frequency so that it can be held",
    ))
}

pub(super) fn swapping(seen: Seen<'_>) -> Option<FitnessReason> {
    let conditions = seen.conditions;
    let moved = conditions.swapped_in_bytes?.0 + conditions.swapped_out_bytes?.0;
    Some(reason(
        SWAPPED.severity(moved as f64)?,
        format!("{} KiB went to or came from swap", moved.div_ceil(1024)),
        "free memory, or turn swap off (`swapoff -a`) while measuring",
    ))
}

pub(super) fn memory_pressure(seen: Seen<'_>) -> Option<FitnessReason> {
    MEMORY.of_share(
        seen.conditions.memory_pressure_ratio?,
        |share, bound| format!("tasks waited for memory during {share} of the time ({bound})"),
        "free memory, or raise the control group's memory limit",
    )
}

pub(super) fn cpu_pressure(seen: Seen<'_>) -> Option<FitnessReason> {
    WAITING.of_share(
        seen.conditions.cpu_pressure_ratio?,
        |share, bound| format!("tasks waited for a CPU during {share} of the time ({bound})"),
        "leave a CPU free with `--intra-threads`, and end other work on the machine",
    )
}

pub(super) fn siblings(seen: Seen<'_>) -> Option<FitnessReason> {
    let cpus = seen
        .conditions
        .sibling_cpus
        .iter()
        .flatten()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(",");
    SIBLINGS.of_share(
        seen.conditions.siblings_busy_ratio?,
        |time, bound| {
            format!("on the cores that were measured on, CPU {cpus} was busy as well, for {time} of the time ({bound})")
        },
        "keep the sibling hardware threads idle, or choose other cores with `--pin`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{quiet, verdict_of};
    use super::*;
    use crate::record::{Conditions, Host};
    use crate::text::Plain;
    use crate::units::{Bytes, Nanos};
    use FitnessVerdict::{Invalid, Suspect, Valid};

    fn judged(change: impl FnOnce(&mut Conditions)) -> FitnessVerdict {
        let mut conditions = quiet();
        change(&mut conditions);
        verdict_of(&Host::default(), &conditions)
    }

    #[test]
    fn shares_count_by_their_bounds() {
        let others = |share| judged(|seen| seen.others_busy_ratio = Some(Ratio(share)));
        assert_eq!([0.10, 0.49, 0.51].map(others), [Valid, Suspect, Invalid]);
        let steal = |share| judged(|seen| seen.steal_ratio = Some(Ratio(share)));
        assert_eq!([0.05, 0.06, 0.21].map(steal), [Valid, Suspect, Invalid]);
        assert_eq!(
            [
                judged(|seen| seen.cpu_pressure_ratio = Some(Ratio(0.9))),
                judged(|seen| seen.memory_pressure_ratio = Some(Ratio(0.3)))
            ],
            [Suspect, Invalid]
        );
    }

    #[test]
    fn a_busy_sibling_is_suspect() {
        let verdict = |share| {
            judged(|seen| {
                seen.sibling_cpus = Some(vec![3]);
                seen.siblings_busy_ratio = Some(Ratio(share));
            })
        };
        assert_eq!([0.02, 0.9].map(verdict), [Valid, Suspect]);
    }

    #[test]
    fn periods_that_were_throttled_count_by_their_share() {
        let verdict = |throttled_periods_count| {
            judged(|seen| {
                seen.throttling = Some(Throttling {
                    periods_count: 100,
                    throttled_periods_count,
                    throttled_ns: Nanos(1),
                });
            })
        };
        assert_eq!([0, 1, 20].map(verdict), [Valid, Suspect, Invalid]);
        assert_eq!(
            judged(|seen| seen.throttling = Some(Throttling::default())),
            Valid
        );
    }

    #[test]
    fn heat_and_swapping_count_by_their_bounds() {
        let throttled = |count| judged(|seen| seen.thermal_throttles_count = Some(count));
        assert_eq!([0, 1, 3].map(throttled), [Valid, Suspect, Invalid]);
        let swapped = |bytes| judged(|seen| seen.swapped_in_bytes = Some(Bytes(bytes)));
        assert_eq!([0, 4096, 2 << 20].map(swapped), [Valid, Suspect, Invalid]);
        // What lies in swap untouched disturbs nothing.
        assert_eq!(
            judged(|seen| seen.swap_used_bytes = Some(Bytes(1 << 30))),
            Valid
        );
    }

    #[test]
    fn only_a_governor_that_follows_the_load_is_suspect() {
        let verdict = |governor: Option<&str>| {
            let host = Host {
                governor: governor.map(Plain::from),
                ..Host::default()
            };
            verdict_of(&host, &quiet())
        };
        assert_eq!(
            [None, Some("performance"), Some("schedutil")].map(verdict),
            [Valid, Valid, Suspect]
        );
    }

    #[test]
    fn reasons_name_figure_bound_and_remedy() {
        let conditions = Conditions {
            others_busy_ratio: Some(Ratio(0.25)),
            ..quiet()
        };
        let reason = others_load(Seen {
            host: &Host::default(),
            conditions: &conditions,
            blocks: &[],
        })
        .unwrap();
        assert_eq!(
            reason.seen,
            "other processes used 25% of all CPUs' time, as much as 0.5 CPUs (bound 10%)"
        );
        assert!(reason.remedy.unwrap().starts_with("end other work"));
    }
}
