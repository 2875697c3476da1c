//! Before the first measurement: read every variant in a process of its own, so that the parent never holds a model.

use super::worker_process::{WorkerCommand, WorkerProcess};
use super::{Observer, Progress};
use crate::inputs::InputPlan;
use crate::plan::{Plan, SweepEnd};
use crate::protocol::{Described, Request, Response};
use crate::record::{Failure, FailureKind, FedInput, Outcome, VariantRecord};

/// What reading a variant gave.
pub(super) type Description = Result<Described, Failure>;

/// Reads all variants, one after the other.
pub(super) async fn describe_all(
    plan: &Plan,
    command: &WorkerCommand,
    observer: &mut dyn Observer,
) -> Vec<Description> {
    let mut descriptions = Vec::new();
    for variant in &plan.variants {
        observer.observe(&Progress::Describing { variant: &variant.name });
        let request =
            Request::Describe { model: variant.path.clone(), inputs: plan.inputs.clone(), shapes: plan.shapes.clone() };
        descriptions.push(describe(command, request).await);
    }
    require_same_interface(plan, &mut descriptions);
    descriptions
}

/// A log that nobody reads but for a worker's last words.
pub(super) fn unnamed_log() -> Result<std::fs::File, Failure> {
    tempfile::tempfile().map_err(|error| Failure {
        kind: FailureKind::Crashed,
        message: format!("failed to create a temporary file for the log of a worker: {error}"),
        hint: Some("set TMPDIR to a folder that can be written to".into()),
    })
}

async fn describe(command: &WorkerCommand, request: Request) -> Description {
    let mut worker = WorkerProcess::spawn(command, None, unnamed_log()?).await?;
    let response = worker.ask(&request, "read the model").await;
    let description = match response {
        Ok(Response::Described(described)) => Ok(*described),
        Ok(other) => Err(worker.unexpected(&other).await),
        Err(failure) => Err(failure),
    };
    worker.end().await;
    description
}

/// Variants of one model have the same inputs; a file that has others is none, and comparing it would mean nothing.
fn require_same_interface(plan: &Plan, descriptions: &mut [Description]) {
    let names = |described: &Described| {
        let mut names: Vec<String> = described.model.inputs.iter().map(|input| input.name.clone()).collect();
        names.sort_unstable();
        names
    };
    let Some(expected) = descriptions[plan.baseline].as_ref().ok().map(names) else { return };
    for (variant, description) in plan.variants.iter().zip(descriptions.iter_mut()) {
        let Ok(described) = description else { continue };
        let found = names(described);
        if found != expected {
            *description = Err(Failure {
                kind: FailureKind::BadInput,
                message: format!(
                    "`{}` is not a variant of `{}`: it has the inputs {}, not {}",
                    variant.path.display(),
                    plan.variants[plan.baseline].name,
                    found.join(", "),
                    expected.join(", ")
                ),
                hint: Some("profile models with other inputs in runs of their own".into()),
            });
        }
    }
}

/// Compares with the first variant that can be read, where the baseline cannot; returns what is to be said about it.
pub(super) fn replace_unreadable_baseline(plan: &mut Plan, descriptions: &[Description]) -> Option<String> {
    if descriptions[plan.baseline].is_ok() {
        return None;
    }
    let unreadable = std::mem::replace(&mut plan.baseline, descriptions.iter().position(Result::is_ok)?);
    let [old, new] = [unreadable, plan.baseline].map(|variant| &plan.variants[variant].name);
    Some(format!("{old} cannot be measured: the others are compared with {new} instead"))
}

/// Adds the batch size that a model is fixed to where the user named none, so that the default sweep measures it.
pub(super) fn include_fixed_batch_sizes(plan: &mut Plan, descriptions: &[Description]) {
    if plan.sweep_end == SweepEnd::Saturation {
        let fixed = descriptions.iter().flatten().filter_map(|described| described.model.batch_axis.fixed_size);
        plan.batch_sizes.extend(fixed);
        plan.batch_sizes.sort_unstable();
        plan.batch_sizes.dedup();
    }
}

/// The record of a variant.
pub(super) fn variant_record(description: &Description) -> VariantRecord {
    match description {
        Ok(described) => VariantRecord {
            sha256: Some(described.sha256.clone()),
            model: Some(described.model.clone()),
            inputs: described.inputs.fed.clone(),
            shape_inputs: shape_inputs(described),
            probe: described.probe.clone(),
            outcome: Outcome::Ok,
        },
        Err(failure) => VariantRecord {
            sha256: None,
            model: None,
            inputs: Vec::new(),
            shape_inputs: Vec::new(),
            probe: None,
            outcome: Outcome::Failed(failure.clone()),
        },
    }
}

/// What is fed at every shape, where there are several.
fn shape_inputs(described: &Described) -> Vec<Vec<FedInput>> {
    let fed = |inputs: &Result<InputPlan, String>| inputs.as_ref().map_or_else(|_| Vec::new(), |plan| plan.fed.clone());
    if described.shapes.len() > 1 { described.shapes.iter().map(fed).collect() } else { Vec::new() }
}
