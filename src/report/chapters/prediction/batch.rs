//! Where samples of a batch lie.

use std::collections::BTreeMap;

use super::brief::{brief, name};
use crate::record::{AxisReason, BatchAxis, BatchProof};
use crate::report::words;

/// Inputs that are named for the axis that samples lie along.
const MOST_AXES: usize = 3;

/// Where samples of a batch lie, and whether that is proved: `axis 0 of image, proved`.
pub(super) fn batch(axis: &BatchAxis) -> String {
    if axis.reason == AxisReason::NoAxis || axis.axes.is_empty() {
        return no_axis(&axis.proof);
    }
    format!("{}, {}", places(axis), proof(&axis.proof))
}

fn proof(proof: &BatchProof) -> String {
    match proof {
        BatchProof::Proved => "proved".to_owned(),
        BatchProof::Given => "as asked for".to_owned(),
        BatchProof::Untried => "not tried".to_owned(),
        BatchProof::NotProved { reason } => format!("not proved: {}", brief(reason)),
    }
}

fn no_axis(proof: &BatchProof) -> String {
    match proof {
        BatchProof::NotProved { reason } => format!("none: {}", brief(reason)),
        BatchProof::Given => "none, as asked for".to_owned(),
        BatchProof::Untried | BatchProof::Proved => {
            "none: no input has an axis for samples".to_owned()
        }
    }
}

/// `axis 0 of x and lens, axis 1 of state`.
fn places(axis: &BatchAxis) -> String {
    words::joined(
        by_axis(axis)
            .into_iter()
            .map(|(axis, names)| format!("axis {axis} of {}", few(names))),
        ", ",
    )
}

fn by_axis(axis: &BatchAxis) -> BTreeMap<u64, Vec<String>> {
    let mut by_axis = BTreeMap::<_, Vec<_>>::new();
    for (input, &axis) in &axis.axes {
        by_axis.entry(axis).or_default().push(name(input));
    }
    by_axis
}

/// The first names, and how many more there are.
fn few(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(MOST_AXES);
    names.truncate(MOST_AXES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    words::listed(&names)
}
