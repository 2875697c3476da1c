//! From a choice of sizes and values to what is fed.

use std::collections::BTreeMap;

use super::Search;
use super::batch::{self, Candidate};
use super::solve::{self, Choice, Sized};
use crate::inputs::argument::forms_of;
use crate::inputs::dims::{Dims, Placed, dims_of};
use crate::inputs::from_data::{Decided, from_data};
use crate::inputs::plan::{InputPlan, InputSource};
use crate::inputs::synthesize::{fed_input, fed_type, fills};
use crate::inputs::values::{Fill, Shapes, Values};
use crate::inputs::{ClassNames, Forms, InputError, sequence};
use crate::onnx::{Graph, InputAxis};
use crate::plan::InputRequest;
use crate::record::{
    AxisReason, BatchAxis, BatchProof, Dim, FedInput, NoTensor, SizeSource, TensorInfo,
};

/// Why there is no batch where axes are open and nothing but a proof would speak for one of them.
const BY_RUNNING: &str = "only running the model shows whether samples lie along an open axis";

/// Checks that inputs can be fed and that ranges name inputs.
pub(super) fn check_names(graph: &Graph, request: &InputRequest) -> Result<(), InputError> {
    for info in &graph.inputs {
        fed_type(info)?;
    }
    let names = || graph.inputs.iter().map(|info| info.name.clone());
    match request
        .ranges
        .keys()
        .find(|range| !names().any(|name| name == **range))
    {
        Some(name) => Err(InputError::UnknownInput {
            name: name.clone(),
            present: names().collect(),
        }),
        None => Ok(()),
    }
}

impl Search {
    pub(super) fn plan_at(&self, choice: &Choice) -> Result<InputPlan, InputError> {
        let is_it = |candidate: &&Candidate| {
            candidate.unknowns == choice.batch
                && (candidate.fixed.is_some() || !choice.batch.is_empty())
        };
        self.plan_with(choice, self.batches.iter().find(is_it))
    }

    fn plan_with(
        &self,
        choice: &Choice,
        candidate: Option<&Candidate>,
    ) -> Result<InputPlan, InputError> {
        let dims = self.dims(choice, candidate)?;
        let axis = candidate.map_or_else(|| self.no_axis(), |candidate| self.axis(candidate));
        let Decided { fed, source, notes } = self.fed(choice, &dims, &axis)?;
        let classes = ClassNames {
            told: self.classes.clone(),
            ..ClassNames::of(&self.graph)
        };
        let outputs = self
            .graph
            .outputs
            .iter()
            .map(|info| info.name.clone())
            .collect();
        let seed = self.request.seed;
        let forms = Forms {
            inputs: forms_of(&self.graph.inputs),
            outputs: forms_of(&self.graph.outputs),
        };
        let sample_output_bytes = None;
        Ok(InputPlan {
            fed,
            batch_axis: axis,
            outputs,
            forms,
            classes,
            source,
            seed,
            notes,
            sample_output_bytes,
        })
    }

    /// The same plan with the batch along `axis`; where that is absent, every axis has a size and there is no batch.
    ///
    /// # Errors
    /// No dimension that was left open lies there, or the data does not fit.
    pub fn with_batch(
        &self,
        plan: &InputPlan,
        axis: Option<&BatchAxis>,
    ) -> Result<InputPlan, InputError> {
        let is_it = |axis: &BatchAxis| {
            self.batches
                .iter()
                .find(|candidate| self.axis(candidate).axes == axis.axes)
        };
        let candidate = axis.and_then(is_it);
        if let (Some(axis), None) = (axis, candidate) {
            let name = axis
                .symbol
                .clone()
                .unwrap_or_else(|| format!("{:?}", axis.axes));
            return Err(InputError::UnknownDim {
                name,
                present: batch::open_places(&self.problem),
            });
        }
        let batch = candidate
            .map(|candidate| candidate.unknowns.clone())
            .unwrap_or_default();
        let mut choice = Choice {
            batch,
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

    /// Sizes that a plan has for the unknowns that follow from no others.
    fn sizes_of(&self, plan: &InputPlan) -> BTreeMap<usize, Sized> {
        let mut sizes = BTreeMap::new();
        for (index, unknown) in self.problem.unknowns.iter().enumerate() {
            let Some(place) = unknown.places.first() else {
                continue;
            };
            let Some(fed) = plan.fed.iter().find(|fed| fed.name == place.input) else {
                continue;
            };
            let source = fed
                .sources
                .get(place.axis)
                .cloned()
                .unwrap_or(SizeSource::MadeUp);
            let follows = matches!(source, SizeSource::Derived { .. });
            if let Some(&Some(size)) = fed.dims.get(place.axis).filter(|_| !follows) {
                sizes.insert(index, Sized { size, source });
            }
        }
        let factors = (0..self.problem.unknowns.len())
            .filter(|&index| self.problem.unknowns[index].places.is_empty());
        sizes.extend(
            factors
                .filter_map(|index| Some((index, self.attempts.last.sizes.get(&index)?.clone()))),
        );
        sizes
    }

    fn dims(&self, choice: &Choice, candidate: Option<&Candidate>) -> Result<Dims, InputError> {
        let sizes = solve::solve(&self.problem, choice, &self.told)?;
        let rows = solve::rows(&self.problem, choice, &sizes);
        let mut dims = Dims::default();
        for (index, unknown) in self.problem.unknowns.iter().enumerate() {
            let sized = sizes[index].clone().unwrap_or(Sized {
                size: 1,
                source: SizeSource::MadeUp,
            });
            let placed = match rows[index] {
                Some(rows) => Placed {
                    size: None,
                    rows,
                    source: batch_source(sized.source),
                },
                None => Placed {
                    size: Some(sized.size),
                    rows: 1,
                    source: sized.source,
                },
            };
            dims.places.extend(
                unknown
                    .places
                    .iter()
                    .map(|place| (place.clone(), placed.clone())),
            );
        }
        for (input, &axis) in candidate
            .iter()
            .filter_map(|one| one.fixed.as_ref())
            .flat_map(|fixed| &fixed.axes)
        {
            let place = InputAxis {
                input: input.clone(),
                axis: axis as usize,
            };
            dims.places.insert(
                place,
                Placed {
                    size: None,
                    rows: 1,
                    source: SizeSource::Batch,
                },
            );
        }
        Ok(dims)
    }

    fn fed(&self, choice: &Choice, dims: &Dims, axis: &BatchAxis) -> Result<Decided, InputError> {
        let mut decided = match (&self.request.data, &self.request.labels) {
            (Some(path), _) => from_data(&self.graph, axis, dims, &self.request, path)?,
            (None, Some(labels)) => {
                return Err(InputError::LabelsAlone {
                    path: labels.clone(),
                });
            }
            (None, None) => {
                let fed = self.made_up(choice, dims)?;
                Decided {
                    fed,
                    source: InputSource::Synthesized,
                    notes: Vec::new(),
                }
            }
        };
        if let Some(fixed) = axis.fixed_size.filter(|&fixed| fixed > 1) {
            decided.notes.push(format!(
                "the first dimension of the inputs, fixed at {fixed}, is taken for the batch"
            ));
        }
        decided.notes.extend(self.notes.iter().cloned());
        Ok(decided)
    }

    fn made_up(&self, choice: &Choice, dims: &Dims) -> Result<Vec<FedInput>, InputError> {
        let shapes = self.shapes(dims);
        let values = Values::new(&self.graph, &shapes);
        let feed = |(index, info): (usize, &TensorInfo)| {
            let mut ways: Vec<Fill> = fills(info, &values, &self.request)?;
            let way = choice
                .fills
                .get(&index)
                .copied()
                .unwrap_or(0)
                .min(ways.len().saturating_sub(1));
            let mut fed = fed_input(
                info,
                fed_type(info)?,
                dims.shape(info),
                ways.swap_remove(way),
            );
            dims.set(&mut fed, info);
            if let Some(tensor) = info.value_type.as_sequence() {
                fed.no_tensor = Some(NoTensor::Sequence(sequence::shapes(tensor, way, |name| {
                    self.size(dims, name)
                })));
            }
            Ok(fed)
        };
        self.graph.inputs.iter().enumerate().map(feed).collect()
    }

    /// The size of a dimension of that name: as asked for, or as an input has it.
    fn size(&self, dims: &Dims, name: &str) -> Option<u64> {
        let has_name = |dim: &Dim| matches!(dim, Dim::Symbolic(symbol) if symbol == name);
        let of = |info: &TensorInfo| {
            let axis = dims_of(info).iter().position(has_name)?;
            dims.of(info)[axis].size
        };
        self.request
            .dims
            .get(name)
            .copied()
            .or_else(|| self.graph.inputs.iter().find_map(of))
    }

    fn shapes(&self, dims: &Dims) -> Shapes {
        self.graph
            .inputs
            .iter()
            .map(|info| (info.name.clone(), dims.shape(info)))
            .collect()
    }

    /// Number of ways to fill each input at a choice.
    pub(super) fn ways(&self, choice: &Choice) -> Vec<usize> {
        let Ok(dims) = self.dims(choice, None) else {
            return Vec::new();
        };
        let shapes = self.shapes(&dims);
        let values = Values::new(&self.graph, &shapes);
        let count = |info| fills(info, &values, &self.request).map_or(0, |ways| ways.len());
        self.graph.inputs.iter().map(count).collect()
    }

    pub(super) fn axis(&self, candidate: &Candidate) -> BatchAxis {
        let proof = match candidate.reason {
            AxisReason::Given => BatchProof::Given,
            _ => BatchProof::Untried,
        };
        if let Some(fixed) = &candidate.fixed {
            let (axes, fixed_size) = (fixed.axes.clone(), Some(fixed.size));
            return BatchAxis {
                axes,
                symbol: None,
                fixed_size,
                reason: candidate.reason,
                proof,
            };
        }
        let choice = Choice {
            batch: candidate.unknowns.clone(),
            ..Choice::default()
        };
        let axes = self
            .dims(&choice, None)
            .map(|dims| grown(&dims))
            .unwrap_or_default();
        let symbol = candidate
            .unknowns
            .iter()
            .find_map(|&index| batch::symbol(&self.graph, &self.problem, index));
        BatchAxis {
            axes,
            symbol,
            fixed_size: None,
            reason: candidate.reason,
            proof,
        }
    }

    fn no_axis(&self) -> BatchAxis {
        let asked = self.request.batch_dim.as_deref() == Some(batch::NONE);
        BatchAxis::none(match &self.taken {
            _ if asked => BatchProof::Given,
            Some(taken) => BatchProof::NotProved {
                reason: taken.clone(),
            },
            None if self.batches.is_empty() => BatchProof::Untried,
            None => BatchProof::NotProved {
                reason: BY_RUNNING.to_owned(),
            },
        })
    }

    /// The inputs and their open dimensions that no size was given to, and sizes that were, as a fragment of a sentence.
    pub(super) fn open(&self) -> String {
        let unknowns = &self.problem.unknowns;
        let open = |info: &TensorInfo| {
            let name = |axis: usize| {
                let unknown = &unknowns[self.problem.at(&info.name, axis)?];
                unknown
                    .asked
                    .is_none()
                    .then(|| format!("`{}`", unknown.name))
            };
            let names: Vec<String> = (0..dims_of(info).len()).filter_map(name).collect();
            (!names.is_empty())
                .then(|| format!("input `{}` leaves {} open", info.name, names.join(", ")))
        };
        let inputs: Vec<String> = self.graph.inputs.iter().filter_map(open).collect();
        let open = if inputs.is_empty() {
            "its inputs leave no dimension open".into()
        } else {
            inputs.join(", ")
        };
        let given = unknowns.iter().filter(|unknown| !unknown.places.is_empty());
        let given: Vec<String> = given
            .filter_map(|one| Some(format!("`{}` is {}", one.name, one.asked?)))
            .collect();
        if given.is_empty() {
            open
        } else {
            format!("{open}, where {}", given.join(" and "))
        }
    }

    pub(super) fn remedy(&self) -> String {
        let unknowns = || self.problem.unknowns.iter();
        let dims = unknowns()
            .filter(|one| !one.places.is_empty() && one.asked.is_none() && one.derived.is_empty());
        let mut options: Vec<String> = dims
            .map(|one| format!("--dim {}=N", shell_word(&one.name)))
            .collect();
        let given = unknowns().filter_map(|one| Some((shell_word(&one.name), one.asked?)));
        options.extend(given.map(|(name, size)| format!("another size than {size} for {name}")));
        let whole = self
            .graph
            .inputs
            .iter()
            .filter(|info| fed_type(info).is_ok_and(|kind| kind.is_integer()));
        options.extend(whole.map(|info| format!("--range {}=LO..HI", shell_word(&info.name))));
        options.push("--data FILE.npz with real inputs".to_owned());
        format!("say what to feed with {}", options.join(", or "))
    }
}

/// Axes that grow with the batch, by input: the first of each.
fn grown(dims: &Dims) -> BTreeMap<String, u64> {
    let mut axes = BTreeMap::new();
    for (place, _) in dims
        .places
        .iter()
        .filter(|(_, placed)| placed.size.is_none())
    {
        axes.entry(place.input.clone()).or_insert(place.axis as u64);
    }
    axes
}

fn batch_source(source: SizeSource) -> SizeSource {
    match source {
        SizeSource::Derived { .. } => source,
        _ => SizeSource::Batch,
    }
}

fn shell_word(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| name.to_owned(), |word| word.into_owned())
}
