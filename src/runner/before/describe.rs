//! Before the first measurement: read every variant in a process of its own, so that the parent
//! never holds a model.

use std::collections::BTreeSet;

use crate::inputs::InputPlan;
use crate::observed::Observed;
use crate::plan::{Plan, SweepEnd};
use crate::protocol::{Described, Request, Response};
use crate::record::{Failure, FailureKind, FedInput, Outcome, VariantRecord};
use crate::runner::launcher::{Launcher, unnamed_log};
use crate::runner::patience::telling;
use crate::runner::rounds::sizes;
use crate::runner::{Description, Observer, Progress};
use crate::text::Plain;

pub(in crate::runner) async fn describe_all(
    plan: &Plan,
    launcher: &Launcher,
    observer: &mut dyn Observer,
) -> Vec<Description> {
    let mut descriptions = Vec::new();
    for variant in &plan.variants {
        observer.observe(&Progress::Describing {
            variant: &variant.name,
        });
        let request = Request::Describe {
            model: variant.path.clone(),
            inputs: plan.inputs.clone(),
            shapes: plan.shapes.clone(),
        };
        let what = format!("{} is being read", variant.name);
        descriptions.push(
            telling(
                observer,
                &what,
                launcher.timeout(),
                describe(launcher, request),
            )
            .await,
        );
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
    let inputs = described.model.inputs.iter();
    let mut names: Vec<String> = inputs.map(|input| input.name.exact().to_owned()).collect();
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
            *description = Err(Failure {
                kind: FailureKind::BadInput,
                message: format!(
                    "`{}` is not a variant of `{}`: it has the inputs {}, not {}",
                    variant.path.display(),
                    plan.variants[plan.baseline].name,
                    found.join(", "),
                    expected.join(", ")
                )
                .into(),
                hint: Some("profile models with other inputs in runs of their own".into()),
            });
        }
    }
}

/// Compares with the first variant that can be read, where the baseline cannot; returns what is to
/// be said about it.
pub(in crate::runner) fn replace_unreadable_baseline(
    plan: &mut Plan,
    descriptions: &[Description],
) -> Option<String> {
    if descriptions[plan.baseline].is_ok() {
        return None;
    }
    let unreadable = std::mem::replace(
        &mut plan.baseline,
        descriptions.iter().position(Result::is_ok)?,
    );
    let [old, new] = [unreadable, plan.baseline].map(|variant| &plan.variants[variant].name);
    Some(format!(
        "{old} cannot be measured: the others are compared with {new} instead"
    ))
}

/// Where the user named no batch size: those that models take. Returns what is to be said about it.
pub(in crate::runner) fn fit_batch_sizes(
    plan: &mut Plan,
    descriptions: &[Description],
) -> Option<String> {
    if plan.sweep_end != SweepEnd::Saturation {
        return None;
    }
    let read: Vec<&Description> = descriptions
        .iter()
        .filter(|description| description.is_ok())
        .collect();
    let only: Vec<Option<u64>> = read
        .iter()
        .map(|description| sizes::only(description))
        .collect();
    plan.batch_sizes = sizes::fitted(&plan.batch_sizes, &only);
    if let Some(tuning) = &mut plan.tuning {
        let default = sizes::only(&descriptions[plan.baseline]);
        fit_search(&mut tuning.space.batch_sizes, &plan.batch_sizes, default);
    }
    if only.contains(&None) || only.is_empty() {
        None
    } else {
        Some(only_words(&read))
    }
}

/// Has a search try the sizes that models take. The first one is the default, which the baseline
/// has to take.
fn fit_search(sizes: &mut Vec<u64>, taken: &[u64], default: Option<u64>) {
    sizes.retain(|size| taken.contains(size));
    let added = taken.iter().filter(|size| !sizes.contains(size));
    let added: Vec<u64> = added.copied().collect();
    sizes.extend(added);
    if let Some(own) = default {
        sizes.retain(|size| *size != own);
        sizes.insert(0, own);
    }
}

fn only_words(read: &[&Description]) -> String {
    let fixed_sizes: Vec<Option<u64>> = read
        .iter()
        .flat_map(|one| one.as_ref().map(|one| one.inputs.batch_axis.fixed_size))
        .collect();
    let fixed: BTreeSet<u64> = fixed_sizes.iter().copied().flatten().collect();
    let has_none = fixed_sizes.contains(&None);
    let sizes: Vec<String> = fixed.iter().map(u64::to_string).collect();
    match (sizes.len(), has_none) {
        (0, _) => no_batch_words(read),
        (1, false) => format!(
            "the batch is fixed at {} by the model: no other size is tried",
            sizes[0]
        ),
        _ => format!(
            "the batch is fixed by each model (at {}): no other size is tried",
            sizes.join(" or ")
        ),
    }
}

fn no_batch_words(read: &[&Description]) -> String {
    let reasons: BTreeSet<Option<String>> = read
        .iter()
        .map(|one| Some(one.as_ref().ok()?.inputs.batch_axis.missing()?.to_owned()))
        .collect();
    match (reasons.len(), reasons.into_iter().next().flatten()) {
        (1, Some(reason)) => {
            format!("there is no batch ({reason}): every inference is one prediction")
        }
        _ => "the model has no batch: every inference is one prediction".into(),
    }
}

pub(in crate::runner) fn variant_record(description: &Description) -> VariantRecord {
    let described = description.as_ref().ok();
    VariantRecord {
        sha256: described
            .map(|described| described.sha256.clone())
            .map(Plain::from),
        model: described.map(|described| described.model.clone()),
        inputs: described
            .map(|described| described.inputs.fed.clone())
            .unwrap_or_default(),
        shape_inputs: described.map(shape_inputs).unwrap_or_default(),
        probe: described.and_then(|described| described.probe.clone()),
        coupling: None,
        outcome: description
            .as_ref()
            .map_or_else(|failure| Outcome::Failed(failure.clone()), |_| Outcome::Ok),
    }
}

fn fed(inputs: &Observed<InputPlan>) -> Vec<FedInput> {
    match inputs {
        Ok(plan) => plan.fed.clone(),
        Err(_) => Vec::new(),
    }
}

fn shape_inputs(described: &Described) -> Vec<Vec<FedInput>> {
    if described.shapes.len() > 1 {
        described.shapes.iter().map(fed).collect()
    } else {
        Vec::new()
    }
}
