//! Trying a loaded model out: which inputs it takes, whether its outputs are random, and along
//! which axis samples lie.
//!
//! Nothing that is measured here is a figure of the run. Read [`Probe`] first.

mod coupling;
mod outputs;
mod proof;
mod room;
mod rows;
mod told;
mod trial;

use super::describe;
use crate::engine::Session;
use crate::inputs::{self, Argument, InputError, InputPlan, Search, Tensor, usual_shapes};
use crate::observed::Observed;
use crate::onnx::{self, Model};
use crate::plan::{FloatRounding, InputRequest, Shape};
use crate::protocol::{ProbeRequest, Tried, UsualShapes};
use crate::record::{BatchAxis, Failure, FailureKind, FedInput, ProbeRecord};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};
pub(super) use coupling::coupling;
pub(super) use outputs::is_same;
use proof::{Known, Quantized};
use room::Room;
use trial::{Bench, Found};

pub(super) struct Probe {
    room: Room,
    quantization: Quantized,
    floats: FloatRounding,
    shapes: Vec<Shape>,
    entries: Vec<Entry>,
    /// The place of the first entry that ran, and what came of it.
    first: (usize, Ran),
    first_run_ns: Option<Nanos>,
    is_cut_short: bool,
    record: ProbeRecord,
}

pub(super) struct Ran {
    plan: InputPlan,
    outputs: Vec<Tensor>,
}

impl Ran {
    /// The outputs of these inputs, if they are those that ran.
    pub(super) fn outputs_of(&self, inputs: &[Argument]) -> Option<Vec<Tensor>> {
        let sets =
            inputs::materialize(&self.plan, self.plan.batch_axis.fixed_size.unwrap_or(1)).ok()?;
        (sets.first()?.as_slice() == inputs).then(|| self.outputs.clone())
    }

    fn output_bytes(&self) -> u64 {
        self.outputs
            .iter()
            .map(Tensor::bytes)
            .fold(0, u64::saturating_add)
    }
}

struct Entry {
    /// Absent where the model does not take the shape.
    search: Option<Search>,
    plan: Observed<InputPlan>,
}

/// The shapes that were tried, and what came of them.
#[derive(Default)]
struct Attempts {
    entries: Vec<Entry>,
    /// The place of the first entry that ran.
    first: Option<(usize, Ran)>,
    /// The first one.
    refusal: Option<InputError>,
    remarks: Vec<String>,
}

impl Attempts {
    fn ran(&mut self, search: Search, found: Found) {
        let Found {
            plan,
            outputs,
            remarks,
        } = found;
        let ran = Ran {
            plan: plan.clone(),
            outputs,
        };
        self.first.get_or_insert((self.entries.len(), ran));
        self.remarks.extend(remarks);
        self.entries.push(Entry {
            search: Some(search),
            plan: Ok(plan),
        });
    }

    fn refused(&mut self, refusal: InputError) {
        self.entries.push(Entry {
            search: None,
            plan: Err(in_full(&refusal).into()),
        });
        self.refusal.get_or_insert(refusal);
    }
}

impl Probe {
    pub(super) fn begin(
        session: &mut dyn Session,
        request: &ProbeRequest,
    ) -> Result<Probe, Failure> {
        let model = describe::read(&request.model)?;
        let room = Room::new(request.memory_bytes, &model.graph);
        let shapes = shapes(&model, request);
        let mut bench = Bench::new(session, &room, request.limit_ns);
        let mut attempts = Attempts::default();
        for (shape, inputs) in asked(&shapes, &request.inputs) {
            match tried(&mut bench, &model, &inputs, &shape) {
                Ok((search, found)) => attempts.ran(search, found),
                Err(refusal) => attempts.refused(refusal),
            }
        }
        let Some(first) = attempts.first else {
            return Err(nothing_runs(attempts.refusal));
        };
        let record = ProbeRecord {
            trials_count: bench.trials_count,
            inference_ns: bench.inference,
            remarks: attempts.remarks.into_iter().map(Plain::from).collect(),
            ..ProbeRecord::default()
        };
        let first_run_ns = bench.first_run;
        let is_cut_short = bench.is_cut_short;
        Ok(Probe {
            room,
            quantization: quantization(&model),
            floats: request.float_rounding,
            shapes,
            entries: attempts.entries,
            first,
            first_run_ns,
            is_cut_short,
            record,
        })
    }

    pub(super) fn tried(&self) -> Tried {
        let plans: Vec<_> = self
            .entries
            .iter()
            .map(|entry| entry.plan.clone().map(|plan| self.sized(plan)))
            .collect();
        let inputs = plans[self.first.0].clone();
        Tried {
            shapes: self.shapes.clone(),
            plans: plans[plans.len() - self.shapes.len()..].to_vec(),
            inputs: inputs.ok().map(Box::new),
            first_run_ns: self.first_run_ns,
            is_cut_short: self.is_cut_short,
            probe: self.record.clone(),
        }
    }

    /// A plan with the size of its outputs: what follows from the graph, or else what came out of
    /// the first inference.
    fn sized(&self, plan: InputPlan) -> InputPlan {
        let bytes = match self.room.output_bytes(&plan, 1) {
            0 => self.first.1.output_bytes(),
            bytes => bytes,
        };
        InputPlan {
            sample_output_bytes: Some(Bytes(bytes)),
            ..plan
        }
    }

    pub(super) fn into_ran(self) -> Ran {
        self.first.1
    }

    /// Finds random outputs and the axis that samples lie along, within `limit`.
    pub(super) fn prove(&mut self, session: &mut dyn Session, limit: Nanos) {
        let mut bench = Bench::new(session, &self.room, limit);
        bench.inference = self.record.inference_ns;
        let (place, Ran { outputs, .. }) = &self.first;
        let Entry {
            search: Some(search),
            plan: Ok(plan),
        } = &self.entries[*place]
        else {
            return;
        };
        let random = random_outputs(&mut bench, plan, outputs, self.floats);
        self.record.random_outputs = random.iter().map(|name| name.as_str().into()).collect();
        let known = Known {
            plan,
            outputs,
            random: &random,
            quantization: self.quantization,
            floats: self.floats,
        };
        let decided = proof::decide(&mut bench, search, &known);
        self.record
            .remarks
            .extend(decided.remarks.into_iter().map(Plain::from));
        for entry in &mut self.entries {
            let Entry {
                search: Some(search),
                plan: Ok(plan),
            } = entry
            else {
                continue;
            };
            entry.plan = along(&mut bench, search, plan, &decided.axis);
        }
        self.record.trials_count += bench.trials_count;
        self.is_cut_short |= bench.is_cut_short;
    }
}

fn quantization(model: &Model) -> Quantized {
    if onnx::summary(model).shares_scales() {
        Quantized::Dynamically
    } else {
        Quantized::Otherwise
    }
}

/// Names of the outputs that come otherwise when a plan runs again; none where there is no time for
/// that.
fn random_outputs(
    bench: &mut Bench<'_>,
    plan: &InputPlan,
    outputs: &[Tensor],
    floats: FloatRounding,
) -> Vec<String> {
    if !bench.has_time_for(1) {
        return Vec::new();
    }
    outputs::random(outputs, &bench.run_plan(plan).unwrap_or_default(), floats)
}

/// Shapes that are tried: those of the plan, or the model's usual ones where nothing is swept and
/// nothing is given.
fn shapes(model: &Model, request: &ProbeRequest) -> Vec<Shape> {
    let is_open =
        request.shapes.iter().all(|shape| shape.dims.is_empty()) && request.inputs.data.is_none();
    match request.usual {
        UsualShapes::Taken if is_open => usual_shapes(model, &request.inputs),
        _ => request.shapes.clone(),
    }
}

/// Swept dimensions are not those of data: inputs of such shapes are made up, after those of the
/// data.
fn asked(shapes: &[Shape], inputs: &InputRequest) -> Vec<(Shape, InputRequest)> {
    let is_swept = shapes.iter().any(|shape| !shape.dims.is_empty());
    if inputs.data.is_none() || !is_swept {
        return shapes
            .iter()
            .map(|shape| (shape.clone(), inputs.clone()))
            .collect();
    }
    let made_up = InputRequest {
        data: None,
        labels: None,
        ..inputs.clone()
    };
    [(Shape::default(), inputs.clone())]
        .into_iter()
        .chain(shapes.iter().map(|shape| (shape.clone(), made_up.clone())))
        .collect()
}

fn tried(
    bench: &mut Bench<'_>,
    model: &Model,
    inputs: &InputRequest,
    shape: &Shape,
) -> Result<(Search, Found), InputError> {
    let mut search = Search::new(model, inputs, shape)?;
    let found = bench.find(&mut search)?;
    bench.forgive_one();
    Ok((search, found))
}

/// A plan with its samples along an axis, or without a batch.
fn along(
    bench: &mut Bench<'_>,
    search: &Search,
    ran: &InputPlan,
    axis: &BatchAxis,
) -> Observed<InputPlan> {
    let plan = search
        .with_batch(ran, (!axis.axes.is_empty()).then_some(axis))
        .map_err(|error| error.to_string())?;
    let plan = InputPlan {
        batch_axis: axis.clone(),
        ..plan
    };
    if feeds_the_same(&plan, ran) || bench.run_plan(&plan).is_ok() {
        return Ok(plan);
    }
    // Sizes that ran are better than those that should.
    Ok(InputPlan {
        fed: as_it_ran(ran),
        batch_axis: BatchAxis::none(axis.proof.clone()),
        ..plan
    })
}

fn feeds_the_same(one: &InputPlan, other: &InputPlan) -> bool {
    one.fed
        .iter()
        .zip(&other.fed)
        .all(|(one, other)| one.shape(1) == other.shape(1))
}

fn as_it_ran(plan: &InputPlan) -> Vec<FedInput> {
    let mut inputs = plan.fed.clone();
    for fed in &mut inputs {
        fed.dims = fed.shape(1).into_iter().map(Some).collect();
        fed.rows_per_sample.clear();
    }
    inputs
}

/// An error with what the runtime said, on one line.
fn in_full(error: &InputError) -> String {
    match error {
        InputError::NothingRuns { words, .. } => {
            let words: Vec<&str> = words.0.split_whitespace().collect();
            format!("{error}; the last one was refused: {}", words.join(" "))
        }
        other => other.to_string(),
    }
}

fn nothing_runs(error: Option<InputError>) -> Failure {
    match error {
        Some(error) => error.into(),
        None => Failure {
            kind: FailureKind::BadInput,
            message: "no shape is asked for".into(),
            hint: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::RuntimeWords;

    #[test]
    fn what_the_runtime_said_is_told_on_one_line() {
        let tried = vec!["x [1]".to_owned()];
        let said = in_full(&InputError::NothingRuns {
            open: "it is open".to_owned(),
            tried,
            remedy: String::new(),
            words: RuntimeWords("Name:'Add_9'\n  9 by 8".to_owned()),
        });
        assert!(
            said.ends_with("tried x [1]; the last one was refused: Name:'Add_9' 9 by 8"),
            "{said}"
        );
    }
}
