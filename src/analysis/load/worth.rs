//! What a capacity is worth: transactions, users, money.

use super::capacity::Capacity;
use super::types::CapacityWorth;
use crate::analysis::figures::Estimate;
use crate::plan::{LoadPlan, Price};
use crate::units::Nanos;

/// How often a virtual user sends a request, where nothing else is said.
pub const USER_CYCLE: Nanos = Nanos(10_000_000_000);

const SECONDS_OF_A_MINUTE: f64 = 60.0;
const SECONDS_OF_AN_HOUR: f64 = 3_600.0;
const MILLION: f64 = 1e6;

pub(super) fn of(capacity: &Capacity, plan: &LoadPlan) -> CapacityWorth {
    let rate = &capacity.rate_per_sec;
    CapacityWorth {
        transactions_per_minute: rate.scaled(SECONDS_OF_A_MINUTE),
        virtual_users: virtual_users(rate, USER_CYCLE),
        user_cycle_ns: USER_CYCLE,
        cost_per_million: match &plan.price {
            Some(price) => cost_per_million(rate, price),
            None => Estimate::absent("the run has no price of a machine"),
        },
    }
}

/// Users of whom each sends a request in every cycle, whom a rate of requests per second serves.
#[must_use]
pub fn virtual_users(rate: &Estimate, cycle: Nanos) -> Estimate {
    rate.scaled(cycle.as_secs_f64())
}

/// Price of a million requests of one sample each at a rate of requests per second.
#[must_use]
pub fn cost_per_million(rate: &Estimate, price: &Price) -> Estimate {
    rate.reciprocal()
        .scaled(price.per_hour / SECONDS_OF_AN_HOUR * MILLION)
}
