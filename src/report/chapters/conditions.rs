//! Conditions that the machine went through, and whether it was fit to measure on.

use super::{Item, gpu, number, words};
use crate::record::{Conditions, Fitness, FitnessReason, FitnessVerdict, Host};
use crate::report::words::number::time;
use crate::units::{Bytes, Hertz, Ratio};

/// Whether the machine was fit to measure on: a line with the verdict, and one for each reason with
/// its remedy.
pub(in crate::report) fn verdict(fitness: &Fitness) -> Vec<String> {
    let mut lines = vec![format!(
        "Machine {}: {}",
        fitness.verdict.word(),
        meaning(fitness.verdict)
    )];
    lines.extend(fitness.reasons.iter().map(reason));
    lines
}

fn meaning(verdict: FitnessVerdict) -> &'static str {
    match verdict {
        FitnessVerdict::Valid => "no load, limit or event was seen that would distort the figures",
        FitnessVerdict::Suspect => {
            "absolute figures may be distorted and intervals wide; paired ratios of like sessions hold"
        }
        FitnessVerdict::Invalid => "the figures are those of another load than the model's alone",
    }
}

fn reason(reason: &FitnessReason) -> String {
    let (severity, seen) = (reason.severity.word(), &reason.seen);
    match &reason.remedy {
        Some(remedy) => format!("{severity}: {seen}; to do: {remedy}"),
        None => format!("{severity}: {seen}"),
    }
}

pub(in crate::report) fn not_judged(complete: bool) -> String {
    let why = if complete {
        "the record is of an older version"
    } else {
        "the run did not come to its end"
    };
    format!("Machine not judged: {why}")
}

/// Conditions of the machine, line by line; what the system does not tell says so.
pub(in crate::report) fn conditions(host: &Host, seen: &Conditions) -> Vec<Item> {
    load(host, seen)
        .into_iter()
        .chain(hardware(host, seen))
        .chain(gpu::conditions(host, seen))
        .collect()
}

/// Conditions that other work on the machine makes.
fn load(host: &Host, seen: &Conditions) -> [Item; 8] {
    let others = share(seen.others_busy_ratio, "of all CPUs' time");
    let stolen = share(seen.steal_ratio, "of the CPU time that was wanted");
    let [for_cpu, for_memory, for_storage] = [
        seen.cpu_pressure_ratio,
        seen.memory_pressure_ratio,
        seen.io_pressure_ratio,
    ]
    .map(|pressure| share(pressure, "of the time"));
    [
        ("Observed for", time(seen.observed_ns)),
        ("Other processes", others),
        ("Stolen by the host", stolen),
        ("Control group's CPU limit", limit(host, seen)),
        ("Tasks waited for a CPU", for_cpu),
        ("Tasks waited for memory", for_memory),
        ("Tasks waited for storage", for_storage),
        ("Swap", swap(seen)),
    ]
    .map(|(label, text)| Item::new(label, text))
}

/// Conditions of the processor.
fn hardware(host: &Host, seen: &Conditions) -> [Item; 5] {
    let temperature = known(seen.temperature_celsius, |hottest| {
        format!("{:.0} °C", hottest.0)
    });
    [
        Item::new("Shared cores (SMT)", siblings(seen)),
        Item::new("Frequency", frequency(seen)),
        Item::new("Turbo", known(host.turbo, words::on_or_off)),
        Item::new(
            "Thermal throttling",
            known(seen.thermal_throttles_count, times),
        ),
        Item::new("Temperature", temperature),
    ]
}

fn times(count: u64) -> String {
    words::counted_noun(count, "time")
}

pub(super) fn unknown() -> String {
    words::not_measured("the system does not tell")
}

fn share(share: Option<Ratio>, whole: &str) -> String {
    known(share, |share| format!("{} {whole}", number::share(share.0)))
}

fn limit(host: &Host, seen: &Conditions) -> String {
    let Some(quota) = host.cgroup.cpu_quota_count else {
        return "none".into();
    };
    let struck = known(seen.throttling, |throttling| {
        format!(
            "stopped the run in {} of {} periods",
            number::count(throttling.throttled_periods_count),
            number::count(throttling.periods_count)
        )
    });
    format!("{quota} CPUs; {struck}")
}

fn swap(seen: &Conditions) -> String {
    let used = known(seen.swap_used_bytes, number::bytes);
    match seen.swapped_in_bytes.zip(seen.swapped_out_bytes) {
        Some((Bytes(0), Bytes(0))) if seen.swap_used_bytes == Some(Bytes(0)) => {
            "none in use".into()
        }
        Some((Bytes(0), Bytes(0))) => format!("untouched, {used} in use"),
        Some((read, written)) => format!(
            "{} read and {} written, {used} in use",
            number::bytes(read),
            number::bytes(written)
        ),
        None => unknown(),
    }
}

pub(super) fn known<T>(seen: Option<T>, shown: impl FnOnce(T) -> String) -> String {
    seen.map_or_else(unknown, shown)
}

fn siblings(seen: &Conditions) -> String {
    match seen.sibling_cpus.as_deref() {
        None => unknown(),
        Some([]) => "no CPU shares a core with those measured on".into(),
        Some(siblings) => {
            format!(
                "CPU {} on the cores that were measured on, busy {}",
                words::joined(siblings, ","),
                share(seen.siblings_busy_ratio, "of the time")
            )
        }
    }
}

fn frequency(seen: &Conditions) -> String {
    known(seen.frequency, |frequency| {
        format!(
            "{} before, {} after; {} to {} allowed",
            known(frequency.before_hertz, gigahertz),
            known(frequency.after_hertz, gigahertz),
            gigahertz(frequency.minimum_hertz),
            gigahertz(frequency.maximum_hertz)
        )
    })
}

fn gigahertz(hertz: Hertz) -> String {
    format!("{:.2} GHz", hertz.0 as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CgroupLimits, Frequency, Throttling};
    use crate::units::Nanos;

    fn text(host: &Host, seen: &Conditions, label: &str) -> String {
        conditions(host, seen)
            .into_iter()
            .find(|item| item.label == label)
            .unwrap()
            .text
    }

    #[test]
    fn unknown_conditions_say_so_and_show_no_number() {
        let items = conditions(&Host::default(), &Conditions::default());
        let told = ["Observed for", "Control group's CPU limit"];
        for item in items
            .iter()
            .filter(|item| !told.contains(&item.label.as_str()))
        {
            assert_eq!(
                item.text, "not measured: the system does not tell",
                "{}",
                item.label
            );
        }
    }

    #[test]
    fn limits_and_frequencies_are_worded_with_their_figures() {
        let host = Host {
            cgroup: CgroupLimits {
                cpu_quota_count: Some(1.5),
                ..CgroupLimits::default()
            },
            ..Host::default()
        };
        let seen = Conditions {
            throttling: Some(Throttling {
                periods_count: 1200,
                throttled_periods_count: 3,
                throttled_ns: Nanos(5),
            }),
            frequency: Some(Frequency {
                minimum_hertz: Hertz(800_000_000),
                maximum_hertz: Hertz(3_200_000_000),
                before_hertz: Some(Hertz(2_100_000_000)),
                after_hertz: None,
            }),
            ..Conditions::default()
        };
        let limit = text(&host, &seen, "Control group's CPU limit");
        assert_eq!(limit, "1.5 CPUs; stopped the run in 3 of 1,200 periods");
        let frequency = text(&host, &seen, "Frequency");
        assert!(
            frequency.starts_with("2.10 GHz before, not measured"),
            "{frequency}"
        );
        assert!(
            frequency.ends_with("0.80 GHz to 3.20 GHz allowed"),
            "{frequency}"
        );
    }

    #[test]
    fn reasons_follow_the_verdict_with_what_to_do() {
        let reason = FitnessReason {
            severity: FitnessVerdict::Suspect,
            seen: "load\u{1b}".into(),
            remedy: Some("wait".into()),
        };
        let lines = verdict(&Fitness {
            verdict: FitnessVerdict::Suspect,
            reasons: vec![reason],
        });
        assert!(lines[0].starts_with("Machine SUSPECT: "), "{lines:?}");
        assert_eq!(lines[1], "SUSPECT: load\\u{1b}; to do: wait");
    }
}
