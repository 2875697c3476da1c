//! Runs under load: responses over offered rates, and what happened over time.

mod drawn;
mod over_rates;
mod over_time;

use super::Topic;
use crate::report::words::load::Load;

pub(in crate::report) fn over_rates(load: Load<'_>) -> Topic {
    Topic::of(over_rates::charts(load))
}

pub(in crate::report) fn parts_over_rates(load: Load<'_>) -> Topic {
    Topic::of(over_rates::parts(load))
}

pub(in crate::report) fn stress(load: Load<'_>) -> Topic {
    Topic::of(over_time::stress(load))
}

pub(in crate::report) fn soak(load: Load<'_>) -> Topic {
    Topic::of(over_time::soak(load))
}
