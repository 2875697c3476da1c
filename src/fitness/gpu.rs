//! Rules about the GPUs that sessions ran on, or that the machine has if it was only looked at.

use super::rule::{Bounds, Seen, reason};
use crate::record::{FitnessReason, FitnessVerdict, GpuConditions};
use crate::units::Ratio;

/// Share of the samples in which the power limit held a GPU's clocks down. Short peaks reach it on
/// any large GPU; beyond a quarter of the time, the limit and what the chip's temperature makes of
/// it set the speed.
const POWER_CAPPED: Bounds = Bounds {
    suspect: 0.25,
    invalid: f64::INFINITY,
};

/// Reasons that slow a GPU down whatever it was set to, and what to do about each.
const SLOWDOWNS: [(&str, &str, &str); 5] = [
    (
        "hw_slowdown",
        "its hardware slowed it down",
        "check temperature and power supply with `nvidia-smi -q -d PERFORMANCE`",
    ),
    (
        "sw_thermal_slowdown",
        "it was too hot",
        "improve cooling, or lock lower clocks with `nvidia-smi --lock-gpu-clocks`",
    ),
    (
        "hw_thermal_slowdown",
        "it was far too hot",
        "improve cooling: its clocks were halved, or worse",
    ),
    (
        "hw_power_brake_slowdown",
        "the power supply held it back",
        "check the machine's power supply",
    ),
    (
        "sync_boost",
        "another GPU of its group was slower",
        "take it out of the group (`nvidia-smi boost-slider` and the like)",
    ),
];

fn count(gpu: &GpuConditions, name: &str) -> u64 {
    gpu.clock_events
        .iter()
        .flatten()
        .filter(|event| event.reason == name)
        .map(|event| event.samples_count)
        .sum()
}

pub(super) fn slowed_down(seen: Seen<'_>) -> Option<FitnessReason> {
    seen.conditions.gpus.iter().find_map(slowdown)
}

fn slowdown(gpu: &GpuConditions) -> Option<FitnessReason> {
    let (name, why, remedy) = *SLOWDOWNS.iter().find(|(name, ..)| count(gpu, name) > 0)?;
    let index = gpu.index;
    let held = count(gpu, name);
    let all = gpu.samples_count;
    Some(reason(
        FitnessVerdict::Suspect,
        format!(
            "the clocks of GPU {index} were held down in {held} of {all} samples: {why} (`{name}`)"
        ),
        remedy,
    ))
}

/// Only of a run: what limits the clocks of an idle GPU disturbs nobody.
pub(super) fn power_capped(seen: Seen<'_>) -> Option<FitnessReason> {
    if seen.blocks.is_empty() {
        return None;
    }
    seen.conditions.gpus.iter().find_map(power_cap)
}

fn power_cap(gpu: &GpuConditions) -> Option<FitnessReason> {
    let index = gpu.index;
    POWER_CAPPED.of_share(
        Ratio(count(gpu, "sw_power_cap") as f64 / gpu.samples_count.max(1) as f64),
        |share, bound| {
            format!("its power limit held the clocks of GPU {index} down in {share} of the samples ({bound})")
        },
        "lock clocks that it can hold with `nvidia-smi --lock-gpu-clocks`, or raise the limit",
    )
}

pub(super) fn shared(seen: Seen<'_>) -> Option<FitnessReason> {
    seen.conditions.gpus.iter().find_map(other_processes)
}

fn other_processes(gpu: &GpuConditions) -> Option<FitnessReason> {
    let pids = gpu.other_pids.as_deref().ok()?;
    let (processes, more) = match pids.len() {
        0 => return None,
        1 => ("process", ""),
        2..=4 => ("processes", ""),
        _ => ("processes", " and more"),
    };
    let listed: Vec<String> = pids.iter().take(4).map(u64::to_string).collect();
    let count = pids.len();
    let index = gpu.index;
    let ids = listed.join(", ");
    Some(reason(
        FitnessVerdict::Suspect,
        format!("{count} other {processes} computed on GPU {index} (process id {ids}{more})"),
        "end them (`nvidia-smi` shows them), or use another GPU",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::testing::{block, quiet};
    use super::*;
    use crate::record::{ClockEvent, Conditions, Fitness, Host};

    /// The verdict on 20 samples of a GPU.
    fn judged(events: &[(&str, u64)], other_pids: Vec<u64>) -> Fitness {
        const UNKNOWN: &str = "the GPU does not offer it";
        let event = |&(reason, samples_count): &(&str, u64)| ClockEvent {
            reason: reason.into(),
            samples_count,
        };
        let gpu = GpuConditions {
            index: 1,
            samples_count: 20,
            clock_events: Ok(events.iter().map(event).collect()),
            other_pids: Ok(other_pids),
            sm_clock_hertz: Err(UNKNOWN.into()),
            memory_clock_hertz: Err(UNKNOWN.into()),
            power_watts: Err(UNKNOWN.into()),
            memory_used_bytes: Err(UNKNOWN.into()),
            temperature_max_celsius: Err(UNKNOWN.into()),
        };
        let conditions = Conditions {
            gpus: vec![gpu],
            ..quiet()
        };
        judge(Seen {
            host: &Host::default(),
            conditions: &conditions,
            blocks: &[block(0, &[])],
        })
    }

    #[test]
    fn what_holds_a_gpu_back_is_suspect_and_said() {
        let hot = "the clocks of GPU 1 were held down in 1 of 20 samples: it was far too hot (`hw_thermal_slowdown`)";
        let capped =
            "its power limit held the clocks of GPU 1 down in 30% of the samples (bound 25%)";
        let others = "2 other processes computed on GPU 1 (process id 5, 8)";
        let harmless = [
            ("gpu_idle", 20),
            ("applications_clocks_setting", 20),
            ("sw_power_cap", 5),
        ];
        for (events, other_pids, verdict, seen) in [
            (&harmless[..], vec![], FitnessVerdict::Valid, None),
            (
                &[("hw_thermal_slowdown", 1)],
                vec![],
                FitnessVerdict::Suspect,
                Some(hot),
            ),
            (
                &[("sw_power_cap", 6)],
                vec![],
                FitnessVerdict::Suspect,
                Some(capped),
            ),
            (&[], vec![5, 8], FitnessVerdict::Suspect, Some(others)),
        ] {
            let fitness = judged(events, other_pids);
            assert_eq!(
                (
                    fitness.verdict,
                    fitness.reasons.first().map(|reason| reason.seen.exact())
                ),
                (verdict, seen),
                "{events:?}"
            );
        }
    }
}
