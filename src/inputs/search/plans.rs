//! From a choice of sizes and values to what is fed.

use std::collections::BTreeMap;

use super::batch::{self, Axes, Candidate};
use super::solve::{self, Choice, Sized};
use super::{Search, Unknown};
use crate::inputs::argument::forms_of;
use crate::inputs::dims::{Dims, Placed, dims_of, rows_per_sample};
use crate::inputs::from_data::{Decided, from_data};
use crate::inputs::plan::{InputPlan, InputSource};
use crate::inputs::synthesize::{fed_type, fills};
use crate::inputs::values::{Fill, Shapes, Values};
use crate::inputs::{ClassNames, Forms, InputError, Result, sequence};
use crate::onnx::{Graph, InputAxis};
use crate::plan::InputRequest;
use crate::record::{
    AxisReason, BatchAxis, BatchProof, Dim, FedInput, NoTensor, SizeSource, TensorInfo,
};
use crate::text::Plain;

/// Why there is no batch where axes are open and nothing but a proof would speak for one of them.
const BY_RUNNING: &str = "only running the model shows whether samples lie along an open axis";

/// Checks that inputs can be fed and that ranges name inputs.
pub(super) fn check_names(graph: &Graph, request: &InputRequest) -> Result<()> {
    for info in &graph.inputs {
        fed_type(info)?;
    }
    let present = graph.inputs.iter().map(|info| &info.name);
    let is_unknown = |name: &&Plain| !graph.inputs.iter().any(|info| info.name == **name);
    match request.ranges.keys().find(is_unknown) {
        Some(name) => Err(InputError::UnknownInput {
            name: name.exact().to_owned(),
            present: present.map(|name| name.exact().to_owned()).collect(),
        }),
        None => Ok(()),
    }
}

impl Search {
    pub(super) fn plan_at(&self, choice: &Choice) -> Result<InputPlan> {
        self.plan_with(
            choice,
            self.batches
                .iter()
                .find(|candidate| is_of(candidate, choice)),
        )
    }

    fn plan_with(&self, choice: &Choice, candidate: Option<&Candidate>) -> Result<InputPlan> {
        let dims = self.dims(choice, candidate)?;
        let axis = candidate.map_or_else(|| self.no_axis(), |candidate| self.axis(candidate));
        let Decided { fed, source, notes } = self.fed(choice, &dims, &axis)?;
        Ok(InputPlan {
            fed,
            batch_axis: axis,
            outputs: self
                .graph
                .outputs
                .iter()
                .map(|info| info.name.exact().to_owned())
                .collect(),
            forms: Forms {
                inputs: forms_of(&self.graph.inputs),
                outputs: forms_of(&self.graph.outputs),
            },
            classes: ClassNames::of(&self.graph, self.classes.clone()),
            source,
            seed: self.request.seed,
            notes,
            sample_output_bytes: None,
        })
    }

    /// The same plan with the batch along `axis`; where that is absent, every axis has a size and
    /// there is no batch.
    ///
    /// # Errors
    /// No dimension that was left open lies there, or the data does not fit.
    pub fn with_batch(&self, plan: &InputPlan, axis: Option<&BatchAxis>) -> Result<InputPlan> {
        let candidate = axis.map(|axis| self.candidate_along(axis)).transpose()?;
        let batch = candidate.map(|candidate| candidate.unknowns.clone());
        let mut choice = Choice {
            batch: batch.unwrap_or_default(),
            sizes: self.sizes_of(plan),
            fills: self.attempts.last.fills.clone(),
        };
        choice
            .sizes
            .retain(|index, _| !choice.batch.contains(index));
        let mut along = self.plan_with(&choice, candidate)?;
        if let Some(axis) = axis {
            along.batch_axis.reason = axis.reason;
            along.batch_axis.proof = axis.proof.clone();
        }
        Ok(along)
    }

    fn candidate_along(&self, axis: &BatchAxis) -> Result<&Candidate> {
        self.batches
            .iter()
            .find(|candidate| self.axis(candidate).axes == axis.axes)
            .ok_or_else(|| InputError::UnknownDim {
                name: axis
                    .symbol
                    .clone()
                    .map_or_else(|| format!("{:?}", axis.axes), Plain::into_exact),
                present: batch::open_places(&self.problem),
            })
    }

    /// Sizes that a plan has for the unknowns that follow from no others.
    fn sizes_of(&self, plan: &InputPlan) -> BTreeMap<usize, Sized> {
        self.problem
            .unknowns
            .iter()
            .enumerate()
            .filter_map(|(index, unknown)| {
                let sized = match unknown.places.first() {
                    Some(place) => fed_size(plan, place),
                    None => self.attempts.last.sizes.get(&index).cloned(),
                };
                Some((index, sized?))
            })
            .collect()
    }

    fn dims(&self, choice: &Choice, candidate: Option<&Candidate>) -> Result<Dims> {
        let sizes = solve::solve(&self.problem, choice, &self.told)?;
        let rows = solve::rows(&self.problem, choice, &sizes);
        let mut dims = Dims::default();
        let sized = sizes.into_iter().zip(rows);
        for (unknown, (sized, rows)) in self.problem.unknowns.iter().zip(sized) {
            let placed = placed(sized, rows);
            dims.places.extend(
                unknown
                    .places
                    .iter()
                    .map(|place| (place.clone(), placed.clone())),
            );
        }
        let fixed = candidate.and_then(|candidate| candidate.fixed.as_ref());
        for (input, &axis) in fixed.iter().flat_map(|fixed| &fixed.axes) {
            let place = InputAxis {
                input: input.exact().to_owned(),
                axis: axis as usize,
            };
            dims.places.insert(place, of_batch(1, SizeSource::Batch));
        }
        Ok(dims)
    }

    fn fed(&self, choice: &Choice, dims: &Dims, axis: &BatchAxis) -> Result<Decided> {
        let mut decided = match (&self.request.data, &self.request.labels) {
            (Some(path), _) => from_data(&self.graph, axis, dims, &self.request, path)?,
            (None, Some(labels)) => {
                return Err(InputError::LabelsAlone(labels.clone()));
            }
            (None, None) => Decided {
                fed: self.made_up(choice, dims)?,
                source: InputSource::Synthesized,
                notes: Vec::new(),
            },
        };
        if let Some(fixed) = axis.fixed_size.filter(|&fixed| fixed > 1) {
            decided.notes.push(format!(
                "the first dimension of the inputs, fixed at {fixed}, is taken for the batch"
            ));
        }
        decided.notes.extend(self.notes.iter().cloned());
        Ok(decided)
    }

    fn made_up(&self, choice: &Choice, dims: &Dims) -> Result<Vec<FedInput>> {
        let shapes = self.shapes(dims);
        let values = Values::new(&self.graph, &shapes);
        self.graph
            .inputs
            .iter()
            .enumerate()
            .map(|(index, info)| {
                let mut ways = fills(info, &values, &self.request)?;
                let way = choice
                    .fills
                    .get(&index)
                    .copied()
                    .unwrap_or(0)
                    .min(ways.len().saturating_sub(1));
                self.filled(info, dims, ways.swap_remove(way), way)
            })
            .collect()
    }

    /// An input that is filled in one of several ways.
    fn filled(&self, info: &TensorInfo, dims: &Dims, fill: Fill, way: usize) -> Result<FedInput> {
        let placed = dims.of(info);
        let sequence = info.value_type.as_sequence();
        let shapes =
            sequence.map(|tensor| sequence::shapes(tensor, way, |name| self.size(dims, name)));
        Ok(FedInput {
            rows_per_sample: rows_per_sample(&placed),
            sources: placed.into_iter().map(|placed| placed.source).collect(),
            reason: fill.reason.into(),
            steers: fill.steers,
            no_tensor: shapes.map(NoTensor::Sequence),
            ..FedInput::new(
                info.name.exact(),
                fed_type(info)?,
                dims.shape(info),
                fill.kind,
            )
        })
    }

    /// The size of a dimension of that name: as asked for, or as an input has it.
    fn size(&self, dims: &Dims, name: &str) -> Option<u64> {
        self.request.dims.get(&name.into()).copied().or_else(|| {
            self.graph
                .inputs
                .iter()
                .find_map(|info| size_within(info, dims, name))
        })
    }

    fn shapes(&self, dims: &Dims) -> Shapes {
        self.graph
            .inputs
            .iter()
            .map(|info| (info.name.exact().to_owned(), dims.shape(info)))
            .collect()
    }

    /// Number of ways to fill each input at a choice.
    pub(super) fn ways(&self, choice: &Choice) -> Vec<usize> {
        let Ok(dims) = self.dims(choice, None) else {
            return Vec::new();
        };
        let shapes = self.shapes(&dims);
        let values = Values::new(&self.graph, &shapes);
        self.graph
            .inputs
            .iter()
            .map(|info| fills(info, &values, &self.request).map_or(0, |ways| ways.len()))
            .collect()
    }

    pub(super) fn axis(&self, candidate: &Candidate) -> BatchAxis {
        let (axes, symbol) = match &candidate.fixed {
            Some(fixed) => (fixed.axes.clone(), None),
            None => (self.grown_with(candidate), self.symbol(candidate)),
        };
        BatchAxis {
            axes,
            symbol,
            fixed_size: candidate.fixed.as_ref().map(|fixed| fixed.size),
            reason: candidate.reason,
            proof: match candidate.reason {
                AxisReason::Given => BatchProof::Given,
                _ => BatchProof::Untried,
            },
        }
    }

    /// Axes that grow with the samples of a candidate, by input.
    fn grown_with(&self, candidate: &Candidate) -> BTreeMap<Plain, u64> {
        let choice = Choice {
            batch: candidate.unknowns.clone(),
            ..Choice::default()
        };
        grown(self.dims(&choice, None).unwrap_or_default())
    }

    fn symbol(&self, candidate: &Candidate) -> Option<Plain> {
        let axes = Axes {
            graph: &self.graph,
            problem: &self.problem,
        };
        candidate
            .unknowns
            .iter()
            .find_map(|&index| axes.symbol(index))
            .map(Plain::from)
    }

    fn no_axis(&self) -> BatchAxis {
        let asked = self.request.batch_dim.as_ref().map(Plain::exact) == Some(batch::NONE);
        BatchAxis::none(match &self.taken {
            _ if asked => BatchProof::Given,
            Some(taken) => BatchProof::NotProved {
                reason: taken.clone().into(),
            },
            None if self.batches.is_empty() => BatchProof::Untried,
            None => BatchProof::NotProved {
                reason: BY_RUNNING.to_owned().into(),
            },
        })
    }

    /// The inputs and their open dimensions that no size was given to, and sizes that were, as a
    /// fragment of a sentence.
    pub(super) fn open(&self) -> String {
        let open: Vec<String> = self
            .graph
            .inputs
            .iter()
            .filter_map(|info| self.left_open(info))
            .collect();
        let open = match open.is_empty() {
            true => "its inputs leave no dimension open".into(),
            false => open.join(", "),
        };
        let given: Vec<String> = self
            .problem
            .unknowns
            .iter()
            .filter(|unknown| unknown.has_places())
            .filter_map(|unknown| Some(format!("`{}` is {}", unknown.name, unknown.asked?)))
            .collect();
        match given.is_empty() {
            true => open,
            false => format!("{open}, where {}", given.join(" and ")),
        }
    }

    fn left_open(&self, info: &TensorInfo) -> Option<String> {
        let names: Vec<String> = (0..dims_of(info).len())
            .filter_map(|axis| self.problem.at(info.name.exact(), axis))
            .map(|index| &self.problem.unknowns[index])
            .filter(|unknown| unknown.asked.is_none())
            .map(|unknown| format!("`{}`", unknown.name))
            .collect();
        (!names.is_empty()).then(|| {
            format!(
                "input `{}` leaves {} open",
                info.name.exact(),
                names.join(", ")
            )
        })
    }

    pub(super) fn remedy(&self) -> String {
        let mut options = Vec::new();
        let unknowns = &self.problem.unknowns;
        for open in unknowns.iter().filter(|unknown| is_open(unknown)) {
            options.push(format!("--dim {}=N", shell_word(&open.name)));
        }
        for unknown in unknowns {
            let name = shell_word(&unknown.name);
            options.extend(
                unknown
                    .asked
                    .map(|size| format!("another size than {size} for {name}")),
            );
        }
        let inputs = self.graph.inputs.iter();
        for info in inputs.filter(|info| fed_type(info).is_ok_and(|kind| kind.is_integer())) {
            options.push(format!("--range {}=LO..HI", shell_word(info.name.exact())));
        }
        options.push("--data FILE.npz with real inputs".to_owned());
        format!("say what to feed with {}", options.join(", or "))
    }
}

/// Axes that grow with the batch, by input: the first of each.
fn grown(dims: Dims) -> BTreeMap<Plain, u64> {
    let mut axes = BTreeMap::new();
    for (place, placed) in dims.places {
        if placed.size.is_none() {
            axes.entry(place.input.into()).or_insert(place.axis as u64);
        }
    }
    axes
}

/// Whether a candidate is the batch of a choice.
fn is_of(candidate: &Candidate, choice: &Choice) -> bool {
    candidate.unknowns == choice.batch && (candidate.fixed.is_some() || !choice.batch.is_empty())
}

/// The size that a plan has at a place, unless it follows from others.
fn fed_size(plan: &InputPlan, place: &InputAxis) -> Option<Sized> {
    let fed = plan.fed.iter().find(|fed| fed.name == place.input)?;
    let source = fed
        .sources
        .get(place.axis)
        .cloned()
        .unwrap_or(SizeSource::MadeUp);
    let size = (*fed.dims.get(place.axis)?)?;
    (!matches!(source, SizeSource::Derived { .. })).then_some(Sized { size, source })
}

/// The size of the first dimension of that name of an input.
fn size_within(info: &TensorInfo, dims: &Dims, name: &str) -> Option<u64> {
    let axis = dims_of(info)
        .iter()
        .position(|dim| matches!(dim, Dim::Symbolic(symbol) if symbol == name))?;
    dims.shape(info)[axis]
}

/// How a size stands in inputs: so many rows a sample, or as it is.
fn placed(sized: Sized, rows: Option<u64>) -> Placed {
    match (rows, sized.source) {
        (Some(rows), derived @ SizeSource::Derived { .. }) => of_batch(rows, derived),
        (Some(rows), _) => of_batch(rows, SizeSource::Batch),
        (None, source) => Placed::alone(sized.size, source),
    }
}

fn of_batch(rows: u64, source: SizeSource) -> Placed {
    Placed {
        size: None,
        rows,
        source,
    }
}

/// Whether only `--dim` can say its size.
fn is_open(unknown: &Unknown) -> bool {
    unknown.has_places() && unknown.asked.is_none() && unknown.derived.is_empty()
}

fn shell_word(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| name.to_owned(), |word| word.into_owned())
}
