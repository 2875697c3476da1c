//! Along which axes samples of a batch may lie, the most likely first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::kind::{is_batch_name, is_numbered, is_one_image};
use super::problem::fixed_size;
use super::{Graph, InputError, InputRequest, Kind, Problem, Result, TensorInfo, Unknown, dims_of};
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

/// A graph and its unknowns, along which samples may lie.
#[derive(Clone, Copy)]
pub(super) struct Axes<'s> {
    pub graph: &'s Graph,
    pub problem: &'s Problem,
}

impl<'s> Axes<'s> {
    /// The batch that `request` names, or those that the model may have; an error where no input
    /// has what it names.
    pub fn asked(self, request: &InputRequest) -> Result<Vec<Candidate>> {
        Ok(match request.batch_dim.as_ref().map(Plain::exact) {
            None => self.candidates(),
            Some(NONE) => Vec::new(),
            Some(name) => vec![self.named(name)?],
        })
    }

    fn named(self, name: &str) -> Result<Candidate> {
        let Some(index) = self.problem.named(name) else {
            let fixed = self
                .fixed_place(name)
                .ok_or_else(|| InputError::UnknownDim {
                    name: name.to_owned(),
                    present: open_places(self.problem),
                })?;
            return Ok(Candidate::at(fixed, AxisReason::Given));
        };
        match self.problem.unknowns[index].asked {
            Some(size) => Err(InputError::BatchDim(name.to_owned(), size)),
            None => Ok(Candidate::along(vec![index], AxisReason::Given)),
        }
    }

    /// The fixed axis that is called `INPUT.AXIS`, and the first axes of the same size of other
    /// inputs.
    fn fixed_place(self, name: &str) -> Option<Fixed> {
        let size = fixed_size(&self.graph.inputs, name)?;
        let (input, axis) = name.rsplit_once('.')?;
        let mut axes: BTreeMap<Plain, u64> = self
            .graph
            .inputs
            .iter()
            .filter(|info| first_size(info) == Some(size))
            .map(|info| (info.name.clone(), 0))
            .collect();
        axes.insert(input.into(), axis.parse().ok()?);
        Some(Fixed { size, axes })
    }

    /// Batches that the graph may have, by the first of these that holds: a dimension is named
    /// batch, `N` or the like; all inputs begin with one open dimension, or each with one that
    /// nothing else is known of; a fixed first dimension that inputs and outputs share. Then come,
    /// for a proof to decide, other open dimensions. Sizes that the user gave are no batch, and
    /// neither are colours, tokens, features and whatever else counts within a sample.
    pub fn candidates(self) -> Vec<Candidate> {
        let mut found = self.by_name();
        let lead = self.leading();
        found.extend(
            [self.joined(&lead), lead]
                .into_iter()
                .filter(|unknowns| !unknowns.is_empty())
                .map(|unknowns| self.by_place(unknowns)),
        );
        if found.is_empty() {
            found.extend(self.by_fixed_first());
        }
        found.extend(self.others());
        let mut seen = BTreeSet::new();
        found.retain(|candidate| seen.insert(candidate.unknowns.clone()));
        found
    }

    /// The candidate of unknowns that inputs begin with. Several that have names are hardly one
    /// batch.
    fn by_place(self, unknowns: Vec<usize>) -> Candidate {
        let is_named = self.is_named(&unknowns);
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

    /// Whether the file gives one of them a name that an exporter's user chose.
    fn is_named(self, unknowns: &[usize]) -> bool {
        unknowns
            .iter()
            .filter_map(|&index| self.symbol(index))
            .any(|name| !is_numbered(&name.to_lowercase()))
    }

    /// The unknowns that may be a batch.
    fn free(self) -> impl Iterator<Item = (usize, &'s Unknown)> {
        self.problem
            .unknowns
            .iter()
            .enumerate()
            .filter(|(_, unknown)| unknown.may_be_batch())
    }

    fn by_name(self) -> Vec<Candidate> {
        let named = self
            .free()
            .filter(|(_, unknown)| is_batch_name(&unknown.name));
        let mut named: Vec<(usize, &Unknown)> = named.collect();
        // Of several such names, the one that comes first most often is the batch of the model's
        // own inputs.
        named.sort_by_key(|(_, unknown)| Reverse(unknown.places.len()));
        named
            .into_iter()
            .map(|(index, _)| Candidate::along(vec![index], AxisReason::SymbolName))
            .collect()
    }

    /// The inputs of at least so many dimensions.
    fn inputs_of(self, rank: usize) -> Vec<&'s TensorInfo> {
        self.graph
            .inputs
            .iter()
            .filter(|info| dims_of(info).len() >= rank)
            .collect()
    }

    /// The unknown that an input begins with, where it may be a batch.
    fn first(self, info: &TensorInfo) -> Option<usize> {
        self.problem
            .at(info.name.exact(), 0)
            .filter(|&index| self.problem.unknowns[index].may_be_batch())
    }

    /// Whether an input whose first axis is open looks like an image and no operator counts its
    /// rows of three numbers.
    fn has_rows_of_pixels(self, info: &TensorInfo) -> bool {
        let columns = self.problem.at(info.name.exact(), 1);
        is_one_image(info)
            && columns.is_some_and(|index| !self.problem.unknowns[index].counts_columns())
    }

    /// The unknowns of a batch without a name: the first ones of all inputs of at least two
    /// dimensions, or of all if there are none; else one that all of these have and one has first.
    fn leading(self) -> Vec<usize> {
        let mut deciding = self.inputs_of(2);
        if deciding.is_empty() {
            deciding = self.inputs_of(1);
        }
        let firsts = deciding
            .iter()
            .map(|info| self.first(info).filter(|_| !self.has_rows_of_pixels(info)));
        if let Some(all) = firsts.clone().collect::<Option<BTreeSet<usize>>>() {
            return all.into_iter().collect();
        }
        firsts
            .flatten()
            .find(|&index| {
                let unknown = &self.problem.unknowns[index];
                deciding
                    .iter()
                    .all(|info| unknown.stands_in(info.name.exact()))
            })
            .into_iter()
            .collect()
    }

    /// The same with inputs of one dimension of which nothing else is known: what is counted or
    /// measured of each sample.
    fn joined(self, lead: &[usize]) -> Vec<usize> {
        let mut all: BTreeSet<usize> = self
            .graph
            .inputs
            .iter()
            .filter(|info| !lead.is_empty() && dims_of(info).len() == 1)
            .filter_map(|info| self.first(info))
            .collect();
        all.extend(lead);
        all.into_iter().collect()
    }

    fn by_fixed_first(self) -> Option<Candidate> {
        let wide = self.inputs_of(2);
        let size = first_size(wide.first()?).filter(|&size| size > 0)?;
        let is_shared = wide
            .iter()
            .all(|info| first_size(info) == Some(size) && !is_one_image(info));
        let outputs: Vec<u64> = self.graph.outputs.iter().filter_map(first_size).collect();
        let in_outputs = outputs.is_empty() || outputs.contains(&size);
        let axes = wide.iter().map(|info| (info.name.clone(), 0)).collect();
        (is_shared && in_outputs)
            .then(|| Candidate::at(Fixed { size, axes }, AxisReason::FirstFixedDimension))
    }

    /// Open dimensions that a proof might show to be a batch: first ones before others.
    fn others(self) -> Vec<Candidate> {
        let mut found: Vec<(usize, &Unknown)> = self
            .free()
            .filter(|&(index, unknown)| self.in_outputs(index) && !names_a_part(&unknown.name))
            .collect();
        found.sort_by_key(|(_, unknown)| unknown.places.iter().map(|place| place.axis).min());
        found
            .into_iter()
            .map(|(index, _)| Candidate {
                is_likely: false,
                ..Candidate::along(vec![index], AxisReason::Proof)
            })
            .collect()
    }

    /// Whether outputs grow with an unknown, or none is known.
    fn in_outputs(self, index: usize) -> bool {
        let mut outputs = self.problem.outputs.iter();
        self.problem.outputs.is_empty() || outputs.any(|expr| expr.dims().contains(&index))
    }

    /// The name that the file gives an unknown.
    pub fn symbol(self, index: usize) -> Option<&'s str> {
        let name = self.problem.unknowns[index].name.as_str();
        self.graph
            .inputs
            .iter()
            .flat_map(dims_of)
            .any(|dim| matches!(dim, Dim::Symbolic(symbol) if symbol == name))
            .then_some(name)
    }
}

impl Unknown {
    fn may_be_batch(&self) -> bool {
        let is_free = self.asked.is_none() && self.fixed.is_none() && self.has_places();
        is_free && self.derived.is_empty() && !self.kind.is_within_sample()
    }

    fn counts_columns(&self) -> bool {
        self.is_shown && !matches!(self.kind, Kind::Height | Kind::Width)
    }
}

fn first_size(info: &TensorInfo) -> Option<u64> {
    match dims_of(info).first() {
        Some(&Dim::Fixed(size)) => Some(size),
        _ => None,
    }
}

fn names_a_part(name: &str) -> bool {
    let name = name.to_lowercase();
    PARTS.iter().any(|part| name.contains(part))
}

/// Names that a batch could go by; told in errors.
pub(super) fn open_places(problem: &Problem) -> Vec<String> {
    problem
        .unknowns
        .iter()
        .filter(|unknown| unknown.has_places() && unknown.kind != Kind::Factor)
        .map(|unknown| unknown.name.clone())
        .collect()
}
