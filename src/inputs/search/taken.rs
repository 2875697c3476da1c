//! The batch that a model would have, were it not for what was given.

use crate::text::Plain;
use std::collections::BTreeMap;

use super::{Axes, Candidate, InputRequest, Problem, SizeSource, Unknown};

/// The size that takes away the batch that a graph has where no sizes are given. Sizes of `request`
/// that `given` does not have are swept. `left` are the batches that the model may have all the
/// same. As a fragment of a sentence.
pub(super) fn taken(
    axes: Axes<'_>,
    request: &InputRequest,
    given: &BTreeMap<Plain, u64>,
    left: &[Candidate],
) -> Option<String> {
    if request.dims.is_empty() || request.batch_dim.is_some() {
        return None;
    }
    let unsized_request = InputRequest {
        dims: BTreeMap::new(),
        ..request.clone()
    };
    let graph = axes.graph;
    let problem = &Problem::new(graph, &unsized_request).ok()?;
    let first = Axes { graph, problem }.candidates().into_iter().next();
    let index = first
        .filter(|first| first.is_likely || left.is_empty())?
        .unknowns
        .iter()
        .flat_map(|&index| &problem.unknowns[index].places)
        .filter_map(|place| axes.problem.at(&place.input, place.axis))
        .find(|&index| is_asked(&axes.problem.unknowns[index]))?;
    let unknown = &axes.problem.unknowns[index];
    let size = unknown.asked?;
    let name = request
        .dims
        .keys()
        .find(|name| axes.problem.named(name.exact()) == Some(index))
        .map_or(unknown.name.as_str(), Plain::exact);
    Some(match given.contains_key(&Plain::from(name)) {
        true => format!("dimension `{name}` is set to {size} by --dim"),
        false => format!("dimension `{name}` is given its sizes by --sweep"),
    })
}

fn is_asked(unknown: &Unknown) -> bool {
    unknown.asked.is_some() && unknown.asked_by == SizeSource::Asked
}
