//! Along which axes samples of a batch may lie, the most likely first.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{is_batch_name, is_numbered, is_one_image};
use super::problem::fixed_size;
use super::{Graph, InputError, InputRequest, Kind, Problem, TensorInfo, Unknown, dims_of};
use crate::record::{AxisReason, Dim};

/// Words in names of dimensions that count parts of one sample.
const PARTS: [&str; 8] = [
    "node", "edge", "box", "point", "num_", "class", "head", "layer",
];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    /// The unknowns along which samples lie; none where the size is fixed.
    pub unknowns: Vec<usize>,
    pub reason: AxisReason,
    pub fixed: Option<Fixed>,
    /// Whether it is taken without a proof.
    pub is_likely: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fixed {
    pub size: u64,
    pub axes: BTreeMap<String, u64>,
}

/// The word of `--batch-dim` for a model without a batch.
pub(super) const NONE: &str = "none";

/// The batch that `request` names, or those that the model may have; an error where no input has what it names.
pub(super) fn asked(
    graph: &Graph,
    problem: &Problem,
    request: &InputRequest,
) -> Result<Vec<Candidate>, InputError> {
    let Some(name) = &request.batch_dim else {
        return Ok(candidates(graph, problem));
    };
    if name == NONE {
        return Ok(Vec::new());
    }
    let given = |unknowns, fixed| Candidate {
        unknowns,
        reason: AxisReason::Given,
        fixed,
        is_likely: true,
    };
    if let Some(index) = problem.named(name) {
        return match problem.unknowns[index].asked {
            Some(size) => Err(InputError::BatchDim {
                name: name.clone(),
                size,
            }),
            None => Ok(vec![given(vec![index], None)]),
        };
    }
    match fixed_place(graph, name) {
        Some(fixed) => Ok(vec![given(Vec::new(), Some(fixed))]),
        None => Err(InputError::UnknownDim {
            name: name.clone(),
            present: open_places(problem),
        }),
    }
}

/// The fixed axis that is called `INPUT.AXIS`, and the first axes of the same size of other inputs.
fn fixed_place(graph: &Graph, name: &str) -> Option<Fixed> {
    let size = fixed_size(&graph.inputs, name)?;
    let (input, axis) = name.rsplit_once('.')?;
    let begins = |info: &&TensorInfo| dims_of(info).first() == Some(&Dim::Fixed(size));
    let mut axes: BTreeMap<String, u64> = graph
        .inputs
        .iter()
        .filter(begins)
        .map(|info| (info.name.clone(), 0))
        .collect();
    axes.insert(input.to_owned(), axis.parse().ok()?);
    Some(Fixed { size, axes })
}

/// Batches that `graph` may have, by the first of these that holds: a dimension is named batch, `N` or the like; all
/// inputs begin with one open dimension, or each with one that nothing else is known of; a fixed first dimension that
/// inputs and outputs share. Then come, for a proof to decide, other open dimensions. Sizes that the user gave are no
/// batch, and neither are colours, tokens, features and whatever else counts within a sample.
pub(super) fn candidates(graph: &Graph, problem: &Problem) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = by_name(problem);
    let firsts = first_unknowns(graph, problem);
    let lead = leading(&firsts, problem);
    let with_parameters = joined(graph, problem, &lead);
    found.extend(
        [with_parameters, lead]
            .into_iter()
            .filter(|unknowns| !unknowns.is_empty())
            .map(|unknowns| {
                let is_named = unknowns
                    .iter()
                    .any(|&index| is_symbol(graph, problem, index));
                let reason = if is_named {
                    AxisReason::FirstSymbolicDimension
                } else {
                    AxisReason::FirstUnknownDimension
                };
                let is_one = unknowns.len() == 1 || !is_named;
                Candidate {
                    unknowns,
                    reason,
                    fixed: None,
                    is_likely: is_one,
                }
            }),
    );
    if found.is_empty() {
        found.extend(by_fixed_first(graph));
    }
    found.extend(others(problem));
    let mut seen = BTreeSet::new();
    found.retain(|candidate| seen.insert((candidate.unknowns.clone(), candidate.fixed.is_some())));
    found
}

fn may_be(problem: &Problem, index: usize) -> bool {
    let unknown = &problem.unknowns[index];
    let is_free = unknown.asked.is_none() && unknown.fixed.is_none() && !unknown.places.is_empty();
    is_free && unknown.derived.is_empty() && !unknown.kind.is_within_sample()
}

fn by_name(problem: &Problem) -> Vec<Candidate> {
    let is_named =
        |&index: &usize| may_be(problem, index) && is_batch_name(&problem.unknowns[index].name);
    let mut named: Vec<usize> = (0..problem.unknowns.len()).filter(is_named).collect();
    // Of several such names, the one that comes first most often is the batch of the model's own inputs.
    named.sort_by_key(|&index| std::cmp::Reverse(problem.unknowns[index].places.len()));
    let candidate = |index| Candidate {
        unknowns: vec![index],
        reason: AxisReason::SymbolName,
        fixed: None,
        is_likely: true,
    };
    named.into_iter().map(candidate).collect()
}

/// The inputs that decide: those of at least two dimensions, or all if there are none.
fn deciding(graph: &Graph) -> Vec<&TensorInfo> {
    let ranked: Vec<&TensorInfo> = graph
        .inputs
        .iter()
        .filter(|info| !dims_of(info).is_empty())
        .collect();
    let wide: Vec<&TensorInfo> = ranked
        .iter()
        .copied()
        .filter(|info| dims_of(info).len() > 1)
        .collect();
    if wide.is_empty() { ranked } else { wide }
}

struct FirstAxis<'g> {
    info: &'g TensorInfo,
    unknown: Option<usize>,
}

/// The unknown that the first axis of each deciding input is; absent where that is fixed or counts within a sample.
fn first_unknowns<'g>(graph: &'g Graph, problem: &Problem) -> Vec<FirstAxis<'g>> {
    let first = |info: &'g TensorInfo| {
        let index = problem
            .at(&info.name, 0)
            .filter(|&index| may_be(problem, index));
        FirstAxis {
            info,
            unknown: index.filter(|_| !has_rows_of_pixels(info, problem)),
        }
    };
    deciding(graph).into_iter().map(first).collect()
}

/// Whether an input whose first axis is open looks like an image and no operator counts its rows of three numbers.
fn has_rows_of_pixels(info: &TensorInfo, problem: &Problem) -> bool {
    let columns = problem
        .at(&info.name, 1)
        .map(|index| &problem.unknowns[index]);
    let are_counted =
        |columns: &Unknown| columns.is_shown && !matches!(columns.kind, Kind::Height | Kind::Width);
    is_one_image(info) && columns.is_some_and(|columns| !are_counted(columns))
}

/// The unknowns of a batch without a name: the first ones of all inputs, or one that all have and one has first.
fn leading(firsts: &[FirstAxis<'_>], problem: &Problem) -> Vec<usize> {
    let all: Option<BTreeSet<usize>> = firsts.iter().map(|first| first.unknown).collect();
    if let Some(all) = all.filter(|all| !all.is_empty()) {
        return all.into_iter().collect();
    }
    let stands_in = |index: usize, info: &TensorInfo| {
        (0..dims_of(info).len()).any(|axis| problem.at(&info.name, axis) == Some(index))
    };
    let everywhere = |&index: &usize| firsts.iter().all(|first| stands_in(index, first.info));
    firsts
        .iter()
        .filter_map(|first| first.unknown)
        .find(everywhere)
        .into_iter()
        .collect()
}

/// The same with inputs of one dimension of which nothing else is known: what is counted or measured of each sample.
fn joined(graph: &Graph, problem: &Problem, lead: &[usize]) -> Vec<usize> {
    let mut all = lead.to_vec();
    if lead.is_empty() {
        return all;
    }
    let single = graph.inputs.iter().filter(|info| dims_of(info).len() == 1);
    all.extend(
        single
            .filter_map(|info| problem.at(&info.name, 0))
            .filter(|&index| may_be(problem, index)),
    );
    all.sort_unstable();
    all.dedup();
    all
}

fn by_fixed_first(graph: &Graph) -> Option<Candidate> {
    let deciding: Vec<&TensorInfo> = graph
        .inputs
        .iter()
        .filter(|info| dims_of(info).len() > 1)
        .collect();
    let first = |info: &&TensorInfo| match dims_of(info).first() {
        Some(&Dim::Fixed(size)) => Some(size),
        _ => None,
    };
    let size = first(deciding.first()?).filter(|&size| size > 0)?;
    let shared = deciding
        .iter()
        .all(|info| first(info) == Some(size) && !is_one_image(info));
    let mut outputs = graph
        .outputs
        .iter()
        .filter(|info| !dims_of(info).is_empty());
    let mut known = outputs.by_ref().filter_map(|info| first(&info)).peekable();
    let in_outputs = known.peek().is_none() || known.any(|output| output == size);
    let axes = deciding.iter().map(|info| (info.name.clone(), 0)).collect();
    (shared && in_outputs).then_some(Candidate {
        unknowns: Vec::new(),
        reason: AxisReason::FirstFixedDimension,
        fixed: Some(Fixed { size, axes }),
        is_likely: true,
    })
}

/// Open dimensions that a proof might show to be a batch: first ones before others.
fn others(problem: &Problem) -> Vec<Candidate> {
    let in_outputs = |index: usize| {
        problem.outputs.is_empty()
            || problem
                .outputs
                .iter()
                .any(|expr| expr.dims().contains(&index))
    };
    let names_a_part = |index: usize| {
        let name = problem.unknowns[index].name.to_lowercase();
        PARTS.iter().any(|part| name.contains(part))
    };
    let fits = |&index: &usize| may_be(problem, index) && in_outputs(index) && !names_a_part(index);
    let mut found: Vec<usize> = (0..problem.unknowns.len()).filter(fits).collect();
    found.sort_by_key(|&index| {
        problem.unknowns[index]
            .places
            .iter()
            .map(|place| place.axis)
            .min()
    });
    let candidate = |index| Candidate {
        unknowns: vec![index],
        reason: AxisReason::Proof,
        fixed: None,
        is_likely: false,
    };
    found.into_iter().map(candidate).collect()
}

/// Whether the file gives an unknown a name that an exporter's user chose.
fn is_symbol(graph: &Graph, problem: &Problem, index: usize) -> bool {
    symbol(graph, problem, index).is_some_and(|name| !is_numbered(&name.to_lowercase()))
}

pub(super) fn symbol(graph: &Graph, problem: &Problem, index: usize) -> Option<String> {
    let unknown = &problem.unknowns[index];
    let is_it = |dim: &Dim| matches!(dim, Dim::Symbolic(name) if *name == unknown.name);
    graph
        .inputs
        .iter()
        .flat_map(dims_of)
        .any(is_it)
        .then(|| unknown.name.clone())
}

/// Names that a batch could go by; told in errors.
pub(super) fn open_places(problem: &Problem) -> Vec<String> {
    let stored = problem
        .unknowns
        .iter()
        .filter(|unknown| !unknown.places.is_empty() && unknown.kind != Kind::Factor);
    stored.map(|unknown| unknown.name.clone()).collect()
}
