//! Along which axes samples of a batch may lie, the most likely first.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{is_batch_name, is_numbered, is_one_image};
use super::problem::fixed_size;
use super::{Graph, InputError, InputRequest, Kind, Problem, TensorInfo, Unknown, dims_of};
use crate::record::{AxisReason, Dim};
use crate::text::Plain;

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

impl Candidate {
    fn along(unknowns: Vec<usize>, reason: AxisReason) -> Candidate {
        Candidate {
            unknowns,
            reason,
            fixed: None,
            is_likely: true,
        }
    }

    fn at(fixed: Fixed, reason: AxisReason) -> Candidate {
        Candidate {
            fixed: Some(fixed),
            ..Candidate::along(Vec::new(), reason)
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fixed {
    pub size: u64,
    pub axes: BTreeMap<Plain, u64>,
}

/// The word of `--batch-dim` for a model without a batch.
pub(super) const NONE: &str = "none";

/// The batch that `request` names, or those that the model may have; an error where no input has
/// what it names.
pub(super) fn asked(
    graph: &Graph,
    problem: &Problem,
    request: &InputRequest,
) -> Result<Vec<Candidate>, InputError> {
    match &request.batch_dim {
        None => Ok(candidates(graph, problem)),
        Some(name) if name == NONE => Ok(Vec::new()),
        Some(name) => Ok(vec![named(graph, problem, name)?]),
    }
}

fn named(graph: &Graph, problem: &Problem, name: &str) -> Result<Candidate, InputError> {
    if let Some(index) = problem.named(name) {
        return match problem.unknowns[index].asked {
            Some(size) => Err(InputError::BatchDim {
                name: name.to_owned(),
                size,
            }),
            None => Ok(Candidate::along(vec![index], AxisReason::Given)),
        };
    }
    match fixed_place(graph, name) {
        Some(fixed) => Ok(Candidate::at(fixed, AxisReason::Given)),
        None => Err(InputError::UnknownDim {
            name: name.to_owned(),
            present: open_places(problem),
        }),
    }
}

/// The fixed axis that is called `INPUT.AXIS`, and the first axes of the same size of other inputs.
fn fixed_place(graph: &Graph, name: &str) -> Option<Fixed> {
    let size = fixed_size(&graph.inputs, name)?;
    let (input, axis) = name.rsplit_once('.')?;
    let mut axes: BTreeMap<Plain, u64> = graph
        .inputs
        .iter()
        .filter(|info| first_size(info) == Some(size))
        .map(|info| (info.name.clone(), 0))
        .collect();
    axes.insert(input.into(), axis.parse().ok()?);
    Some(Fixed { size, axes })
}

fn first_size(info: &TensorInfo) -> Option<u64> {
    match dims_of(info).first() {
        Some(&Dim::Fixed(size)) => Some(size),
        _ => None,
    }
}

/// Batches that `graph` may have, by the first of these that holds: a dimension is named batch, `N`
/// or the like; all inputs begin with one open dimension, or each with one that nothing else is
/// known of; a fixed first dimension that inputs and outputs share. Then come, for a proof to
/// decide, other open dimensions. Sizes that the user gave are no batch, and neither are colours,
/// tokens, features and whatever else counts within a sample.
pub(super) fn candidates(graph: &Graph, problem: &Problem) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = by_name(problem);
    let lead = leading(&first_unknowns(graph, problem), problem);
    let with_parameters = joined(graph, problem, &lead);
    found.extend(
        [with_parameters, lead]
            .into_iter()
            .filter(|unknowns| !unknowns.is_empty())
            .map(|unknowns| by_place(graph, problem, unknowns)),
    );
    if found.is_empty() {
        found.extend(by_fixed_first(graph));
    }
    found.extend(others(problem));
    let mut seen = BTreeSet::new();
    found.retain(|candidate| seen.insert((candidate.unknowns.clone(), candidate.fixed.is_some())));
    found
}

/// The candidate of unknowns that inputs begin with. Several that have names are hardly one batch.
fn by_place(graph: &Graph, problem: &Problem, unknowns: Vec<usize>) -> Candidate {
    let is_named = unknowns
        .iter()
        .any(|&index| is_symbol(graph, problem, index));
    Candidate {
        is_likely: unknowns.len() == 1 || !is_named,
        ..Candidate::along(
            unknowns,
            match is_named {
                true => AxisReason::FirstSymbolicDimension,
                false => AxisReason::FirstUnknownDimension,
            },
        )
    }
}

fn may_be(problem: &Problem, index: usize) -> bool {
    let unknown = &problem.unknowns[index];
    let is_free = unknown.asked.is_none() && unknown.fixed.is_none() && unknown.has_places();
    is_free && unknown.derived.is_empty() && !unknown.kind.is_within_sample()
}

fn by_name(problem: &Problem) -> Vec<Candidate> {
    let mut named: Vec<usize> = (0..problem.unknowns.len())
        .filter(|&index| may_be(problem, index) && is_batch_name(&problem.unknowns[index].name))
        .collect();
    // Of several such names, the one that comes first most often is the batch of the model's own
    // inputs.
    named.sort_by_key(|&index| std::cmp::Reverse(problem.unknowns[index].places.len()));
    named
        .into_iter()
        .map(|index| Candidate::along(vec![index], AxisReason::SymbolName))
        .collect()
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

/// The unknown that the first axis of each deciding input is; absent where that is fixed or counts
/// within a sample.
fn first_unknowns<'g>(graph: &'g Graph, problem: &Problem) -> Vec<FirstAxis<'g>> {
    deciding(graph)
        .into_iter()
        .map(|info| FirstAxis {
            info,
            unknown: problem
                .at(info.name.exact(), 0)
                .filter(|&index| may_be(problem, index) && !has_rows_of_pixels(info, problem)),
        })
        .collect()
}

/// Whether an input whose first axis is open looks like an image and no operator counts its rows of
/// three numbers.
fn has_rows_of_pixels(info: &TensorInfo, problem: &Problem) -> bool {
    let columns = problem
        .at(info.name.exact(), 1)
        .map(|index| &problem.unknowns[index]);
    is_one_image(info) && columns.is_some_and(|columns| !is_counted(columns))
}

fn is_counted(columns: &Unknown) -> bool {
    columns.is_shown && !matches!(columns.kind, Kind::Height | Kind::Width)
}

/// The unknowns of a batch without a name: the first ones of all inputs, or one that all have and
/// one has first.
fn leading(firsts: &[FirstAxis<'_>], problem: &Problem) -> Vec<usize> {
    let all: Option<BTreeSet<usize>> = firsts.iter().map(|first| first.unknown).collect();
    if let Some(all) = all.filter(|all| !all.is_empty()) {
        return all.into_iter().collect();
    }
    firsts
        .iter()
        .filter_map(|first| first.unknown)
        .find(|&index| {
            firsts
                .iter()
                .all(|first| stands_in(problem, index, first.info))
        })
        .into_iter()
        .collect()
}

fn stands_in(problem: &Problem, index: usize, info: &TensorInfo) -> bool {
    (0..dims_of(info).len()).any(|axis| problem.at(info.name.exact(), axis) == Some(index))
}

/// The same with inputs of one dimension of which nothing else is known: what is counted or
/// measured of each sample.
fn joined(graph: &Graph, problem: &Problem, lead: &[usize]) -> Vec<usize> {
    let mut all = lead.to_vec();
    if lead.is_empty() {
        return all;
    }
    let single = graph.inputs.iter().filter(|info| dims_of(info).len() == 1);
    all.extend(
        single
            .filter_map(|info| problem.at(info.name.exact(), 0))
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
    let size = first_size(deciding.first()?).filter(|&size| size > 0)?;
    let is_shared = deciding
        .iter()
        .all(|info| first_size(info) == Some(size) && !is_one_image(info));
    let mut outputs = graph.outputs.iter().filter_map(first_size).peekable();
    let in_outputs = outputs.peek().is_none() || outputs.any(|output| output == size);
    let axes = deciding.iter().map(|info| (info.name.clone(), 0)).collect();
    (is_shared && in_outputs)
        .then(|| Candidate::at(Fixed { size, axes }, AxisReason::FirstFixedDimension))
}

/// Open dimensions that a proof might show to be a batch: first ones before others.
fn others(problem: &Problem) -> Vec<Candidate> {
    let mut found: Vec<usize> = (0..problem.unknowns.len())
        .filter(|&index| may_be(problem, index) && in_outputs(problem, index))
        .filter(|&index| !names_a_part(&problem.unknowns[index].name))
        .collect();
    found.sort_by_key(|&index| {
        let places = problem.unknowns[index].places.iter();
        places.map(|place| place.axis).min()
    });
    found
        .into_iter()
        .map(|index| Candidate {
            is_likely: false,
            ..Candidate::along(vec![index], AxisReason::Proof)
        })
        .collect()
}

/// Whether outputs grow with it, or none is known.
fn in_outputs(problem: &Problem, index: usize) -> bool {
    let mut outputs = problem.outputs.iter();
    problem.outputs.is_empty() || outputs.any(|expr| expr.dims().contains(&index))
}

fn names_a_part(name: &str) -> bool {
    let name = name.to_lowercase();
    PARTS.iter().any(|part| name.contains(part))
}

/// Whether the file gives an unknown a name that an exporter's user chose.
fn is_symbol(graph: &Graph, problem: &Problem, index: usize) -> bool {
    symbol(graph, problem, index).is_some_and(|name| !is_numbered(&name.to_lowercase()))
}

pub(super) fn symbol(graph: &Graph, problem: &Problem, index: usize) -> Option<String> {
    let unknown = &problem.unknowns[index];
    graph
        .inputs
        .iter()
        .flat_map(dims_of)
        .any(|dim| matches!(dim, Dim::Symbolic(name) if *name == unknown.name))
        .then(|| unknown.name.clone())
}

/// Names that a batch could go by; told in errors.
pub(super) fn open_places(problem: &Problem) -> Vec<String> {
    let stored = problem
        .unknowns
        .iter()
        .filter(|unknown| unknown.has_places() && unknown.kind != Kind::Factor);
    stored.map(|unknown| unknown.name.clone()).collect()
}
