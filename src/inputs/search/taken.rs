//! The batch that a model would have, were it not for what was given.

use std::collections::BTreeMap;

use super::{Candidate, Graph, InputRequest, Problem, SizeSource, batch};

/// The size that takes away the batch that `graph` has where no sizes are given. Sizes of `request` that `given` does not
/// have are swept. `left` are the batches that the model may have all the same. As a fragment of a sentence.
pub(super) fn taken(
    graph: &Graph,
    problem: &Problem,
    request: &InputRequest,
    given: &BTreeMap<String, u64>,
    left: &[Candidate],
) -> Option<String> {
    if request.dims.is_empty() || request.batch_dim.is_some() {
        return None;
    }
    let unsized_request = InputRequest {
        dims: BTreeMap::new(),
        ..request.clone()
    };
    let free = Problem::new(graph, &unsized_request).ok()?;
    let first = batch::candidates(graph, &free)
        .into_iter()
        .next()
        .filter(|first| first.is_likely || left.is_empty())?;
    let places = first
        .unknowns
        .iter()
        .flat_map(|&index| &free.unknowns[index].places);
    let is_asked = |index: &usize| {
        let unknown = &problem.unknowns[*index];
        unknown.asked.is_some() && unknown.asked_by == SizeSource::Asked
    };
    let index = places
        .filter_map(|place| problem.at(&place.input, place.axis))
        .find(is_asked)?;
    let size = problem.unknowns[index].asked?;
    let own = &problem.unknowns[index].name;
    let name = request
        .dims
        .keys()
        .find(|name| problem.named(name) == Some(index))
        .unwrap_or(own);
    Some(match given.contains_key(name) {
        true => format!("dimension `{name}` is set to {size} by --dim"),
        false => format!("dimension `{name}` is given its sizes by --sweep"),
    })
}
