//! What changes over a long time.

use crate::analysis::load::{Drift, Leak, LoadCandidate, Soak};
use crate::metric::Unit;
use crate::report::words::load::{Load, asked_rate};
use crate::report::words::{self, number, plain};
use crate::units::Bytes;

pub(super) fn of(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let name = load.name(candidate.key);
    match &candidate.soak {
        Ok(soak) => format!("{name}: {}", told(soak)),
        Err(reason) => format!("{name}: what changes is not known: {}", plain(reason)),
    }
}

/// `memory grows by 3.1 MiB an hour (2.9 to 3.4): a leak, 74 MiB in a day`.
pub(in crate::report) fn told(soak: &Soak) -> String {
    let mut parts = vec![leak(soak)];
    parts.extend(slower(&soak.response));
    parts.extend(shifts(soak));
    words::joined(parts, ", and ")
}

fn leak(soak: &Soak) -> String {
    match &soak.leak {
        Leak::Memory { in_a_day_bytes } => format!(
            "memory grows by {} an hour: a leak, {} in a day",
            words::amount(Unit::Bytes, &soak.memory.per_hour),
            number::bytes(*in_a_day_bytes)
        ),
        Leak::Files { in_a_day_count } => format!(
            "open files grow by {} an hour: a leak, {} in a day",
            words::amount(Unit::Count, &soak.open_files.per_hour),
            number::count(*in_a_day_count)
        ),
        Leak::No => format!(
            "no growth is shown in {} at {}{}",
            words::rounded_time(soak.length_ns),
            asked_rate(soak.rate_per_sec),
            at_most(soak)
        ),
        Leak::Undecided { reason } => format!("whether it leaks is open: {}", plain(reason)),
    }
}

/// ` (memory by 0.4 MiB an hour at most)`, by the interval of the slope.
fn at_most(soak: &Soak) -> String {
    match soak.memory.per_hour.interval() {
        Some(ends) if ends.high > 0.0 => format!(
            " (memory by {} an hour at most)",
            number::bytes(Bytes(ends.high as u64))
        ),
        Some(_) | None => String::new(),
    }
}

/// `responses get longer by 12 ms an hour (10 to 14)`, where that is shown.
fn slower(response: &Drift) -> Option<String> {
    let slope = response.per_hour.measured().filter(|_| response.drifts)?;
    let (way, sign) = if slope.value > 0.0 {
        ("longer", 1.0)
    } else {
        ("shorter", -1.0)
    };
    let by = match slope.interval {
        Some(ends) => number::with_interval(
            Unit::Ns,
            sign * slope.value,
            crate::analysis::Interval::between(sign * ends.low, sign * ends.high),
        ),
        None => number::value(Unit::Ns, sign * slope.value, None),
    };
    Some(format!("responses get {way} by {by} an hour"))
}

/// Where the level moves at once.
fn shifts(soak: &Soak) -> Option<String> {
    let shift = soak.response.shifts.first()?;
    Some(format!(
        "the median response goes from {} to {} after {}",
        number::value(Unit::Ns, shift.before, None),
        number::value(Unit::Ns, shift.after, None),
        number::time(shift.at_ns)
    ))
}
