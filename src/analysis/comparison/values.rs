//! One value a launch of a side, for changes that are judged launch against launch.

use super::side::Side;
use crate::observed::Observed;
use crate::record::{LaunchCell, LaunchRecord};
use crate::stats::{Buckets, Quantile};

/// A value of one launch, and the round of the launch.
pub(super) type OfRound = (u64, f64);

pub(super) fn of_session(side: Side<'_>, value: impl Fn(&LaunchRecord) -> Option<f64>) -> Observed<Vec<OfRound>> {
    let launches = side.run.index.launches(side.session).iter();
    told(side, launches.filter_map(|launch| Some((launch.round, value(launch)?))).collect())
}

/// One value for each launch that has one: of the cell, or the most of all cells for a side that is a session.
pub(super) fn of_cell(
    side: Side<'_>,
    value: impl Fn(&LaunchRecord, &LaunchCell) -> Option<f64>,
) -> Observed<Vec<OfRound>> {
    if side.at.is_none() {
        let of_all =
            |launch: &LaunchRecord| launch.cells.iter().filter_map(|cell| value(launch, cell)).reduce(f64::max);
        return of_session(side, of_all);
    }
    let cells = side.launch_cells();
    told(side, cells.filter_map(|(launch, cell)| Some((launch.round, value(launch, cell)?))).collect())
}

fn told(side: Side<'_>, values: Vec<OfRound>) -> Observed<Vec<OfRound>> {
    match values.is_empty() {
        true => Err(side.why_nothing("no launch came so far, or the system does not tell")),
        false => Ok(values),
    }
}

/// A percentile of every launch. All of them must have inferences enough: the slow ones have fewest, so to leave those
/// out would flatter.
pub(super) fn percentiles(side: Side<'_>, quantile: Quantile) -> Observed<Vec<OfRound>> {
    let of_launch = |(launch, cell): (&LaunchRecord, &LaunchCell)| {
        let text = cell.latency_histogram.as_ref().ok_or("the record does not keep the latencies of each launch")?;
        let number = launch.launch;
        let latencies =
            Buckets::decode(text).map_err(|error| format!("latencies of launch {number} cannot be read: {error}"))?;
        let (needs, has) = (quantile.needs(), latencies.count());
        let value = latencies.nearest_rank(quantile).filter(|_| has >= needs);
        let value =
            value.ok_or_else(|| format!("in each launch it needs {needs} inferences, launch {number} has {has}"))?;
        Ok((launch.round, value.as_f64()))
    };
    let timed = |launch: u64| side.blocks().iter().any(|block| block.launch == launch);
    let cells = side.launch_cells().filter(|(launch, _)| timed(launch.launch));
    let values: Vec<OfRound> = cells.map(of_launch).collect::<Observed<_>>()?;
    if values.is_empty() { Err(side.why_nothing("no launch measured it")) } else { Ok(values) }
}
