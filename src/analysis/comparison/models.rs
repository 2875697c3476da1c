//! Whether two sessions run models of one kind: inputs, outputs and the task that they are scored
//! by.

use std::collections::BTreeMap;

use super::{Difference, Setting};
use crate::plan::{ElementType, Task};
use crate::record::{Dim, ModelSummary, RunRecord, TensorInfo, ValueType};
use crate::text::{Plain, joined};

/// A session of a run, as it was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The run.
    pub record: &'a RunRecord,
    /// Index into the sessions of its plan.
    pub session: usize,
}

/// Tensors that are named of a model that has others.
const MOST_NAMED: usize = 4;

/// Differences that make two models unlike, so that a ratio between them says nothing: inputs and
/// outputs that only one has, or that hold another kind of elements, another number of dimensions
/// or other fixed sizes; and the task that their outputs are scored by. Widths of elements are no
/// difference, since variants of a model have several. Files that could not be read, and scores
/// that there are not, differ in nothing.
#[must_use]
pub fn model_differences(baseline: Recorded<'_>, candidate: Recorded<'_>) -> Vec<Difference> {
    let [old, new] = [baseline, candidate].map(|one| &one.record.variant_of(one.session).model);
    let of_files = match (old, new) {
        (Some(old), Some(new)) => kind_differences(old, new),
        (None, _) | (_, None) => Vec::new(),
    };
    of_files
        .into_iter()
        .chain(unlike_task(baseline, candidate))
        .collect()
}

/// Of those differences the ones that two files tell: inputs and outputs.
#[must_use]
pub fn kind_differences(baseline: &ModelSummary, candidate: &ModelSummary) -> Vec<Difference> {
    unlike_tensors("inputs", &baseline.inputs, &candidate.inputs)
        .into_iter()
        .chain(unlike_tensors(
            "outputs",
            &baseline.outputs,
            &candidate.outputs,
        ))
        .collect()
}

fn unlike_tensors(
    what: &'static str,
    baseline: &[TensorInfo],
    candidate: &[TensorInfo],
) -> Option<Difference> {
    let (old, new) = (
        without_like(baseline, candidate),
        without_like(candidate, baseline),
    );
    if old.is_empty() && new.is_empty() {
        return None;
    }
    Some(Difference {
        what,
        baseline: named(&old),
        candidate: named(&new),
    })
}

/// Those of `tensors` of which the others have none of that name that is like it.
fn without_like<'t>(tensors: &'t [TensorInfo], others: &[TensorInfo]) -> Vec<&'t TensorInfo> {
    let others: BTreeMap<&str, &ValueType> = others
        .iter()
        .map(|other| (other.name.exact(), &other.value_type))
        .collect();
    tensors
        .iter()
        .filter(|own| {
            others
                .get(own.name.exact())
                .is_none_or(|other| !are_like(&own.value_type, other))
        })
        .collect()
}

fn are_like(one: &ValueType, other: &ValueType) -> bool {
    if let (Some(one), Some(other)) = (one.as_sequence(), other.as_sequence()) {
        return are_like(one, other);
    }
    match (one.as_tensor(), other.as_tensor()) {
        (Some((element, dims)), Some((other_element, other_dims))) => {
            Elements::of(element) == Elements::of(other_element)
                && have_like_sizes(dims, other_dims)
        }
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Kind of the elements, whatever their width.
#[derive(PartialEq)]
enum Elements {
    Floats,
    WholeNumbers,
    Others(ElementType),
}

impl Elements {
    fn of(element: ElementType) -> Self {
        if element.is_float() {
            Elements::Floats
        } else if element.is_integer() {
            Elements::WholeNumbers
        } else {
            Elements::Others(element)
        }
    }
}

/// Sizes that one side leaves open are like any.
fn have_like_sizes(one: Option<&[Dim]>, other: Option<&[Dim]>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return true;
    };
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| may_be(one, other))
}

fn may_be(one: &Dim, other: &Dim) -> bool {
    match (one, other) {
        (Dim::Fixed(one), Dim::Fixed(other)) => one == other,
        (Dim::Symbolic(_) | Dim::Unknown, _) | (_, Dim::Symbolic(_) | Dim::Unknown) => true,
    }
}

/// `None` where there are none, so that the other side alone has some.
fn named(tensors: &[&TensorInfo]) -> Option<Setting> {
    let more = tensors.len().saturating_sub(MOST_NAMED);
    let named = tensors
        .iter()
        .take(MOST_NAMED)
        .map(|tensor| format!("{} {}", tensor.name.exact(), type_words(&tensor.value_type)))
        .chain((more > 0).then(|| format!("{more} more")));
    (!tensors.is_empty()).then(|| Setting::Text(joined(named).into()))
}

fn type_words(value: &ValueType) -> String {
    match value {
        ValueType::Tensor { element_type, dims } => format!("{element_type}{}", dims_words(dims)),
        ValueType::Sequence(inner) => format!("sequence of {}", type_words(inner)),
        ValueType::Optional(inner) => format!("optional {}", type_words(inner)),
        ValueType::Other(words) => words.exact().to_owned(),
    }
}

fn dims_words(dims: &Option<Vec<Dim>>) -> String {
    let Some(dims) = dims else {
        return String::new();
    };
    let words = dims.iter().map(|dim| match dim {
        Dim::Fixed(size) => size.to_string(),
        Dim::Symbolic(name) => name.exact().to_owned(),
        Dim::Unknown => "?".to_owned(),
    });
    format!(" [{}]", joined(words))
}

/// By what both were scored by, or else by what both were asked to be scored as.
fn unlike_task(baseline: Recorded<'_>, candidate: Recorded<'_>) -> Option<Difference> {
    let scored = score(baseline).zip(score(candidate));
    let (old, new) = scored.or_else(|| task(baseline).zip(task(candidate)))?;
    (old != new).then(|| Difference {
        what: "task",
        baseline: Some(Setting::Text(Plain::from(old))),
        candidate: Some(Setting::Text(Plain::from(new))),
    })
}

fn score(one: Recorded<'_>) -> Option<&'static str> {
    let mut accuracy = one.record.accuracy.iter();
    let scored = accuracy.find(|scored| scored.session == one.session)?;
    Some(scored.scores.as_ref()?.leading().label())
}

fn task(one: Recorded<'_>) -> Option<&'static str> {
    match one.record.plan.task {
        Task::Inferred => None,
        Task::Classification => Some("classification"),
        Task::Regression => Some("regression"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, element_type: ElementType, dims: &[Dim]) -> TensorInfo {
        TensorInfo {
            name: name.into(),
            value_type: ValueType::Tensor {
                element_type,
                dims: Some(dims.to_vec()),
            },
        }
    }

    fn image(name: &str, batch: Dim, side: u64) -> TensorInfo {
        let dims = [batch, Dim::Fixed(3), Dim::Fixed(side), Dim::Fixed(side)];
        tensor(name, ElementType::Float, &dims)
    }

    #[test]
    fn variants_of_one_model_differ_in_nothing() {
        let open = image("x", Dim::Symbolic("batch".into()), 224);
        let half = TensorInfo {
            value_type: ValueType::Tensor {
                element_type: ElementType::Float16,
                dims: open.value_type.as_tensor().unwrap().1.map(<[Dim]>::to_vec),
            },
            ..open.clone()
        };
        let single = image("x", Dim::Fixed(1), 224);
        for (old, new) in [(&open, &half), (&open, &single), (&single, &single)] {
            let found = unlike_tensors(
                "inputs",
                std::slice::from_ref(old),
                std::slice::from_ref(new),
            );
            assert_eq!(found, None, "{old:?} {new:?}");
        }
    }

    #[test]
    fn other_names_sizes_and_kinds_of_elements_are_named_on_both_sides() {
        let own = image("data_0", Dim::Fixed(1), 224);
        let words = tensor("ids", ElementType::Int64, &[Dim::Fixed(1), Dim::Unknown]);
        for (old, new, told) in [
            (
                vec![own.clone()],
                vec![image("gpu_0/data_0", Dim::Fixed(1), 224)],
                "data_0 float [1, 3, 224, 224] -> gpu_0/data_0 float [1, 3, 224, 224]",
            ),
            (
                vec![own.clone()],
                vec![image("data_0", Dim::Fixed(1), 299)],
                "data_0 float [1, 3, 224, 224] -> data_0 float [1, 3, 299, 299]",
            ),
            (
                vec![words.clone()],
                vec![tensor(
                    "ids",
                    ElementType::Float,
                    &[Dim::Fixed(1), Dim::Unknown],
                )],
                "ids int64 [1, ?] -> ids float [1, ?]",
            ),
            (vec![own.clone(), words], vec![own], "ids int64 [1, ?] -> -"),
        ] {
            let found = unlike_tensors("inputs", &old, &new).unwrap();
            let shown = [&found.baseline, &found.candidate].map(|side| match side {
                Some(Setting::Text(text)) => text.exact().to_owned(),
                _ => "-".to_owned(),
            });
            assert_eq!(shown.join(" -> "), told);
        }
    }
}
