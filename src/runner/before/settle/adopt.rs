//! Findings on one variant, as they are for the others.

use crate::inputs::{ClassNames, InputPlan};
use crate::protocol::{Described, Tried};
use crate::record::{BatchAxis, Dim, FedInput, FillKind, ModelSummary, SizeSource, ValueType};
use crate::runner::{Description, Job};

/// Has every variant fed with what was found on `variant`, and the plan measure the shapes that it
/// was found for.
pub(super) fn adopt(
    job: &mut Job,
    descriptions: &mut [Description],
    variant: usize,
    tried: &Tried,
) {
    job.plan.shapes.clone_from(&tried.shapes);
    for remark in &tried.probe.remarks {
        if !job.notes.iter().any(|note| remark == note) {
            job.notes.push(remark.exact().to_owned());
        }
    }
    let by_running = fixed_by_running(&descriptions[variant], tried);
    for (index, description) in descriptions.iter_mut().enumerate() {
        let Ok(described) = description else { continue };
        if index == variant {
            take(described, tried);
        } else if let Some(inputs) = &tried.inputs {
            let own = described.inputs.clone();
            let model = &described.model;
            let as_own = |plan: &InputPlan| fitted(plan, &own, model, by_running);
            described.shapes = tried
                .plans
                .iter()
                .map(|plan| plan.as_ref().map(as_own).map_err(Clone::clone))
                .collect();
            described.inputs = as_own(inputs);
            described.model.batch_axis = described.inputs.batch_axis.clone();
        }
        described.probe = (index == variant).then(|| tried.probe.clone());
    }
}

/// Takes over what was found on the variant itself.
fn take(described: &mut Described, tried: &Tried) {
    described.shapes.clone_from(&tried.plans);
    if let Some(inputs) = &tried.inputs {
        described.inputs.clone_from(inputs);
    }
    described
        .model
        .batch_axis
        .clone_from(&described.inputs.batch_axis);
}

/// The only batch size by what running showed, where the variant's file leaves it open: it holds
/// for the others too.
fn fixed_by_running(description: &Description, tried: &Tried) -> Option<u64> {
    let inputs = tried.inputs.as_ref()?;
    fixed_batch(inputs, &description.as_ref().ok()?.model)
        .is_none()
        .then_some(inputs.batch_axis.fixed_size)?
}

/// A plan as a variant takes it: with its own element types, and sizes where it fixes them.
fn fitted(
    plan: &InputPlan,
    own: &InputPlan,
    model: &ModelSummary,
    by_running: Option<u64>,
) -> InputPlan {
    let fed = own.fed.iter().map(
        |own| match plan.fed.iter().find(|fed| fed.name == own.name) {
            Some(fed) if fed.dims.len() == own.dims.len() => {
                fed_to(fed, own, &fixed(model, own.name.exact()))
            }
            _ => own.clone(),
        },
    );
    InputPlan {
        fed: fed.collect(),
        batch_axis: BatchAxis {
            fixed_size: fixed_batch(plan, model).or(by_running),
            ..plan.batch_axis.clone()
        },
        outputs: own.outputs.clone(),
        forms: own.forms.clone(),
        classes: classes(&own.classes, &plan.classes),
        ..plan.clone()
    }
}

/// The classes of a variant, with the words that another has where it has none: quantizers leave
/// metadata out.
fn classes(own: &ClassNames, other: &ClassNames) -> ClassNames {
    let told = if own.told.is_empty() {
        &other.told
    } else {
        &own.told
    };
    ClassNames {
        told: told.clone(),
        ..own.clone()
    }
}

/// Sizes that a model fixes, by axis of an input; absent where it leaves them open.
fn fixed(model: &ModelSummary, input: &str) -> Vec<Option<u64>> {
    let info = model.inputs.iter().find(|info| info.name == input);
    match info.map(|info| &info.value_type) {
        Some(ValueType::Tensor {
            dims: Some(dims), ..
        }) => dims.iter().map(fixed_size).collect(),
        _ => Vec::new(),
    }
}

fn fixed_size(dim: &Dim) -> Option<u64> {
    match dim {
        Dim::Fixed(size) => Some(*size),
        _ => None,
    }
}

fn fed_to(fed: &FedInput, own: &FedInput, fixed: &[Option<u64>]) -> FedInput {
    let mut fitted = FedInput {
        element_type: own.element_type,
        ..fed.clone()
    };
    for (axis, size) in fixed.iter().enumerate() {
        if let (Some(size), Some(Some(_))) = (size, fed.dims.get(axis)) {
            fitted.dims[axis] = Some(*size);
            if fed.dims[axis] != Some(*size) && axis < fitted.sources.len() {
                fitted.sources[axis] = SizeSource::Fixed;
            }
        }
    }
    // A range of numbers with a fraction says nothing about whole ones.
    if fed.element_type.is_float() != own.element_type.is_float() || fed.fill == FillKind::Data {
        fitted.fill = own.fill.clone();
        fitted.reason.clone_from(&own.reason);
    }
    fitted
}

fn fixed_batch(plan: &InputPlan, model: &ModelSummary) -> Option<u64> {
    plan.fed
        .iter()
        .filter_map(|fed| {
            let axis = *plan.batch_axis.axes.get(&fed.name)? as usize;
            let size = fixed(model, fed.name.exact())
                .get(axis)
                .copied()
                .flatten()?;
            Some(size / fed.rows_per_sample.get(&axis).copied().unwrap_or(1).max(1))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ElementType, ValueRange};

    fn fed(name: &str, element_type: ElementType, dims: &[Option<u64>]) -> FedInput {
        let fill = FillKind::Uniform(ValueRange {
            low: 0.0,
            high: 1.0,
        });
        FedInput {
            sources: vec![SizeSource::MadeUp; dims.len()],
            ..FedInput::new(name, element_type, dims.to_vec(), fill)
        }
    }

    #[test]
    fn a_variant_keeps_its_element_types_fixed_sizes_and_ranges_of_whole_numbers() {
        let found = fed("x", ElementType::Float, &[None, Some(224), Some(224)]);
        let own = fed("x", ElementType::Float16, &[None, Some(16), Some(32)]);
        let fitted = fed_to(&found, &own, &[None, None, Some(32)]);
        assert_eq!(fitted.element_type, ElementType::Float16);
        assert_eq!(fitted.dims, [None, Some(224), Some(32)]);
        assert_eq!(
            fitted.sources,
            [SizeSource::MadeUp, SizeSource::MadeUp, SizeSource::Fixed]
        );
        let whole = FedInput {
            fill: FillKind::Constant(3.0),
            ..fed("x", ElementType::Uint8, &[None])
        };
        assert_eq!(
            fed_to(&fed("x", ElementType::Float, &[None]), &whole, &[None]).fill,
            FillKind::Constant(3.0)
        );
    }

    #[test]
    fn a_variant_without_words_for_its_classes_has_those_that_are_told_of_another() {
        let names = |told: &[&str]| ClassNames {
            told: told.iter().map(|&word| word.to_owned()).collect(),
            ..ClassNames::default()
        };
        let own = ClassNames {
            sigmoids: vec!["y".to_owned()],
            ..names(&[])
        };
        let found = classes(&own, &names(&["cat", "dog"]));
        assert_eq!(
            (found.told, found.sigmoids),
            (names(&["cat", "dog"]).told, own.sigmoids)
        );
        assert_eq!(classes(&names(&["ant"]), &names(&["cat"])).told, ["ant"]);
    }
}
