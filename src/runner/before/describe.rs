//! Before the first measurement: read every variant in a process of its own, so that the parent
//! never holds a model.

use std::collections::BTreeSet;

use crate::plan::{Plan, SweepEnd};
use crate::protocol::{Described, Request, Response};
use crate::record::{BatchAxis, Failure, FailureKind, FedInput, Outcome, VariantRecord};
use crate::runner::launcher::{Launcher, unnamed_log};
use crate::runner::patience::telling;
use crate::runner::rounds::sizes;
use crate::runner::{Description, Observer, Progress};

pub(super) async fn describe_all(
    plan: &Plan,
    launcher: &Launcher,
    observer: &mut dyn Observer,
) -> Vec<Description> {
    let mut descriptions = Vec::new();
    for variant in &plan.variants {
        observer.observe(&Progress::Describing {
            variant: variant.name.exact(),
        });
        let request = Request::Describe {
            model: variant.path.clone(),
            inputs: plan.inputs.clone(),
            shapes: plan.shapes.clone(),
        };
        let what = format!("{} is being read", variant.name.exact());
        let described = describe(launcher, request);
        descriptions.push(telling(observer, &what, launcher.timeout(), described).await);
    }
    require_same_interface(plan, &mut descriptions);
    descriptions
}

async fn describe(launcher: &Launcher, request: Request) -> Description {
    let mut worker = launcher
        .start(None, unnamed_log()?, launcher.patience())
        .await?;
    let description = match worker.ask(&request, "read the model").await {
        Ok(Response::Described(described)) => Ok(*described),
        Ok(other) => Err(worker.unexpected(&other).await),
        Err(failure) => Err(failure),
    };
    worker.end().await;
    description
}

fn input_names(described: &Described) -> Vec<String> {
    let mut names: Vec<String> = described
        .model
        .inputs
        .iter()
        .map(|input| input.name.exact().to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// A file that has other inputs than the baseline is no variant, and comparing it would mean
/// nothing.
fn require_same_interface(plan: &Plan, descriptions: &mut [Description]) {
    let Some(expected) = descriptions[plan.baseline].as_ref().ok().map(input_names) else {
        return;
    };
    for (variant, description) in plan.variants.iter().zip(descriptions.iter_mut()) {
        let Ok(described) = description else { continue };
        let found = input_names(described);
        if found != expected {
            let message = format!(
                "`{}` is not a variant of `{}`: it has the inputs {}, not {}",
                variant.path.display(),
                plan.variants[plan.baseline].name.exact(),
                found.join(", "),
                expected.join(", ")
            );
            *description = Err(Failure::of(FailureKind::BadInput, message)
                .hinted("profile models with other inputs in runs of their own"));
        }
    }
}

/// Compares with the first variant that can be read, where the baseline cannot; returns what is to
/// be said about it.
pub(super) fn replace_unreadable_baseline(
    plan: &mut Plan,
    descriptions: &[Description],
) -> Option<String> {
    if descriptions[plan.baseline].is_ok() {
        return None;
    }
    let readable = descriptions.iter().position(Result::is_ok)?;
    let unreadable = std::mem::replace(&mut plan.baseline, readable);
    let old = plan.variants[unreadable].name.exact();
    let new = plan.variants[readable].name.exact();
    Some(format!(
        "{old} cannot be measured: the others are compared with {new} instead"
    ))
}

/// Where the user named no batch size: those that models take. Returns what is to be said about it.
pub(super) fn fit_batch_sizes(plan: &mut Plan, descriptions: &[Description]) -> Option<String> {
    if plan.sweep_end != SweepEnd::Saturation {
        return None;
    }
    let axes: Vec<&BatchAxis> = descriptions.iter().flatten().map(batch_axis).collect();
    let only: Vec<Option<u64>> = axes.iter().map(|axis| sizes::only(axis)).collect();
    plan.batch_sizes = sizes::fitted(&plan.batch_sizes, &only);
    if let Some(tuning) = &mut plan.tuning {
        fit_search(
            &mut tuning.space.batch_sizes,
            &plan.batch_sizes,
            descriptions[plan.baseline]
                .as_ref()
                .ok()
                .and_then(|described| sizes::only(batch_axis(described))),
        );
    }
    let is_any_free = only.contains(&None) || only.is_empty();
    (!is_any_free).then(|| only_words(&axes))
}

fn batch_axis(described: &Described) -> &BatchAxis {
    &described.inputs.batch_axis
}

/// Has a search try the sizes that models take. The first one is the default, which the baseline
/// has to take.
fn fit_search(sizes: &mut Vec<u64>, taken: &[u64], default: Option<u64>) {
    sizes.retain(|size| taken.contains(size));
    for size in taken {
        if !sizes.contains(size) {
            sizes.push(*size);
        }
    }
    if let Some(own) = default {
        sizes.retain(|size| *size != own);
        sizes.insert(0, own);
    }
}

fn only_words(axes: &[&BatchAxis]) -> String {
    let fixed: BTreeSet<Option<u64>> = axes.iter().map(|axis| axis.fixed_size).collect();
    let sizes: Vec<String> = fixed.iter().flatten().map(u64::to_string).collect();
    match &sizes[..] {
        [] => no_batch_words(axes),
        [size] if fixed.len() == 1 => {
            format!("the batch is fixed at {size} by the model: no other size is tried")
        }
        sizes => format!(
            "the batch is fixed by each model (at {}): no other size is tried",
            sizes.join(" or ")
        ),
    }
}

fn no_batch_words(axes: &[&BatchAxis]) -> String {
    let reasons: BTreeSet<Option<&str>> = axes.iter().map(|axis| axis.missing()).collect();
    match reasons.first() {
        Some(Some(reason)) if reasons.len() == 1 => {
            format!("there is no batch ({reason}): every inference is one prediction")
        }
        _ => "the model has no batch: every inference is one prediction".into(),
    }
}

pub(super) fn variant_record(description: &Description) -> VariantRecord {
    match description {
        Ok(described) => VariantRecord {
            sha256: Some(described.sha256.as_str().into()),
            external_sha256: described.external_sha256.clone(),
            model: Some(described.model.clone()),
            inputs: described.inputs.fed.clone(),
            shape_inputs: shape_inputs(described),
            probe: described.probe.clone(),
            ..VariantRecord::default()
        },
        Err(failure) => VariantRecord {
            outcome: Outcome::Failed(failure.clone()),
            ..VariantRecord::default()
        },
    }
}

fn shape_inputs(described: &Described) -> Vec<Vec<FedInput>> {
    if described.shapes.len() < 2 {
        return Vec::new();
    }
    described
        .shapes
        .iter()
        .map(|plan| plan.as_ref().ok())
        .map(|plan| plan.map(|plan| plan.fed.clone()).unwrap_or_default())
        .collect()
}
