//! The batch that a model would have, were it not for what was given.

use std::collections::BTreeMap;

use super::{Candidate, Graph, InputRequest, Problem, SizeSource, Unknown, batch};

/// The size that takes away the batch that `graph` has where no sizes are given. Sizes of `request`
/// that `given` does not have are swept. `left` are the batches that the model may have all the
/// same. As a fragment of a sentence.
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
    let index = asked_along(problem, &free, &first)?;
    let unknown = &problem.unknowns[index];
    let size = unknown.asked?;
    let mut names = request.dims.keys();
    let name = names.find(|name| problem.named(name) == Some(index));
    let name = name.unwrap_or(&unknown.name);
    Some(match given.contains_key(name) {
        true => format!("dimension `{name}` is set to {size} by --dim"),
        false => format!("dimension `{name}` is given its sizes by --sweep"),
    })
}

/// The unknown that the user gave a size to, of those that a candidate of the same model without
/// sizes lies along.
fn asked_along(problem: &Problem, free: &Problem, first: &Candidate) -> Option<usize> {
    first
        .unknowns
        .iter()
        .flat_map(|&index| &free.unknowns[index].places)
        .filter_map(|place| problem.at(&place.input, place.axis))
        .find(|&index| is_asked(&problem.unknowns[index]))
}

fn is_asked(unknown: &Unknown) -> bool {
    unknown.asked.is_some() && unknown.asked_by == SizeSource::Asked
}
