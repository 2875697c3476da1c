//! Which of the models in a folder are variants of one, by their inputs and outputs.

use std::collections::BTreeMap;
use std::path::Path;

use super::baseline;
use super::find::{By, Candidate};
use crate::plan::ElementType;
use crate::record::{Dim, ModelSummary, TensorInfo, ValueType};

const LISTED: usize = 6;

/// The models that belong together: those that a file named by its path belongs to, or else the family with most members, in
/// full precision, with the largest files, in this order. Says which others are left out.
///
/// Files named by their paths all stay, and so do those that cannot be read: what is wrong with them is told where they
/// are described.
pub(super) fn largest(candidates: Vec<Candidate>, notes: &mut Vec<String>) -> Vec<Candidate> {
    if candidates
        .iter()
        .all(|candidate| candidate.file.by == By::Path)
    {
        return candidates;
    }
    let families = families(&candidates);
    let Some(chosen) = families
        .iter()
        .max_by_key(|members| rank(members, &candidates))
    else {
        return candidates;
    };
    for members in families.iter().filter(|members| *members != chosen) {
        let others: Vec<&Path> = members
            .iter()
            .map(|&index| &candidates[index])
            .filter(|candidate| candidate.file.by == By::Folder)
            .map(|candidate| candidate.file.path.as_path())
            .collect();
        notes.extend(left_out(&others));
    }
    let stays = |(index, candidate): &(usize, Candidate)| {
        candidate.head.is_none() || candidate.file.by == By::Path || chosen.contains(index)
    };
    candidates
        .into_iter()
        .enumerate()
        .filter(stays)
        .map(|(_, one)| one)
        .collect()
}

/// Indices of the models that can be read, those that belong together in one list.
fn families(candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let mut families: Vec<(&ModelSummary, Vec<usize>)> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let Some(head) = &candidate.head else {
            continue;
        };
        match families
            .iter_mut()
            .find(|(first, _)| are_variants(first, head))
        {
            Some((_, members)) => members.push(index),
            None => families.push((head, vec![index])),
        }
    }
    families.into_iter().map(|(_, members)| members).collect()
}

/// What makes one family come before another; of equals, the one that is found first.
fn rank(members: &[usize], candidates: &[Candidate]) -> impl Ord + use<> {
    let of = || members.iter().map(|&index| &candidates[index]);
    let heads = || of().filter_map(|candidate| candidate.head.as_ref());
    let is_named = of().any(|candidate| candidate.file.by == By::Path);
    let bytes = heads().map(|head| head.file_size_bytes.0).max();
    let first = members.first().copied().unwrap_or(usize::MAX);
    (
        is_named,
        members.len(),
        heads().any(baseline::is_full_precision),
        bytes,
        std::cmp::Reverse(first),
    )
}

fn left_out(paths: &[&Path]) -> Option<String> {
    let first = paths.first()?;
    let names: Vec<String> = paths
        .iter()
        .take(LISTED)
        .map(|path| format!("`{}`", path.file_name().unwrap_or_default().display()))
        .collect();
    let more = paths.len().saturating_sub(LISTED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let (verb, them) = if paths.len() == 1 {
        ("has", "it")
    } else {
        ("have", "them")
    };
    let command = format!("onnxprof profile {}", words(paths, first));
    Some(format!(
        "{}{more} {verb} other inputs or outputs than the models measured here, and {} left out: measure {them} with \
         `{command}`",
        names.join(", "),
        if paths.len() == 1 { "is" } else { "are" },
    ))
}

/// The paths as words of a command; of many, the first and what stands for the others.
fn words(paths: &[&Path], first: &Path) -> String {
    let quoted = |path: &Path| {
        let text = path.display().to_string();
        let is_plain = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c));
        if is_plain {
            text
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    };
    if paths.len() > LISTED {
        return quoted(first);
    }
    paths
        .iter()
        .map(|path| quoted(path))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether two models may be variants of one: inputs of the same names, ranks and kinds of elements, and such outputs. The
/// width of numbers may differ, since that is what precisions differ in.
fn are_variants(one: &ModelSummary, other: &ModelSummary) -> bool {
    are_alike(&one.inputs, &other.inputs)
        && (are_alike(&one.outputs, &other.outputs) || are_same(one, other))
}

/// Whether lists are of the same names, in whatever order, and of the same kinds.
fn are_alike(one: &[TensorInfo], other: &[TensorInfo]) -> bool {
    let by_name = |list: &[TensorInfo]| -> BTreeMap<String, ValueType> {
        list.iter()
            .map(|info| (info.name.clone(), info.value_type.clone()))
            .collect()
    };
    let (one, other) = (by_name(one), by_name(other));
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|((name, kind), (their, theirs))| name == their && is_alike(kind, theirs))
}

/// Whether outputs that are called differently are the same ones all the same, place by place.
fn are_same(one: &ModelSummary, other: &ModelSummary) -> bool {
    let pairs = || one.outputs.iter().zip(&other.outputs);
    one.outputs.len() == other.outputs.len()
        && pairs().all(|(one, other)| is_same(&one.value_type, &other.value_type))
}

/// Whether two outputs are of the same kind and of sizes that do not contradict each other, or scores of classes, as a matrix
/// and as maps. How many rows a file declares has no say: converters leave a size there that holds for one sample.
fn is_same(one: &ValueType, other: &ValueType) -> bool {
    let (sizes, theirs) = (fixed(one), fixed(other));
    let agree = sizes
        .iter()
        .zip(&theirs)
        .skip(1)
        .all(|(one, other)| one.is_none() || other.is_none() || one == other);
    let are_scores = (is_matrix(one) && is_maps(other)) || (is_maps(one) && is_matrix(other));
    (is_alike(one, other) && agree) || are_scores
}

fn is_matrix(value_type: &ValueType) -> bool {
    let ValueType::Tensor { element_type, dims } = value_type else {
        return false;
    };
    element_type.is_float() && dims.as_ref().is_some_and(|dims| dims.len() == 2)
}

/// Whether an output is a map of classes and their scores for each sample.
fn is_maps(value_type: &ValueType) -> bool {
    matches!(value_type, ValueType::Other(words) if words.starts_with("seq(map("))
}

fn fixed(value_type: &ValueType) -> Vec<Option<u64>> {
    let ValueType::Tensor {
        dims: Some(dims), ..
    } = value_type
    else {
        return Vec::new();
    };
    let size = |dim: &Dim| {
        if let Dim::Fixed(size) = dim {
            Some(*size)
        } else {
            None
        }
    };
    dims.iter().map(size).collect()
}

fn is_alike(one: &ValueType, other: &ValueType) -> bool {
    match (one, other) {
        (
            ValueType::Tensor {
                element_type: one,
                dims: dims_of_one,
            },
            ValueType::Tensor {
                element_type: other,
                dims: dims_of_other,
            },
        ) => {
            let rank = |dims: &Option<Vec<Dim>>| dims.as_ref().map(Vec::len);
            let ranks = rank(dims_of_one).zip(rank(dims_of_other));
            are_of_a_kind(*one, *other) && ranks.is_none_or(|(one, other)| one == other)
        }
        (ValueType::Sequence(one), ValueType::Sequence(other))
        | (ValueType::Optional(one), ValueType::Optional(other)) => is_alike(one, other),
        (ValueType::Other(one), ValueType::Other(other)) => one == other,
        _ => false,
    }
}

/// Whether elements are the same but for their width.
fn are_of_a_kind(one: ElementType, other: ElementType) -> bool {
    one == other || (one.is_float() && other.is_float()) || (one.is_integer() && other.is_integer())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, element_type: ElementType, dims: &[Dim]) -> TensorInfo {
        TensorInfo {
            name: name.to_owned(),
            value_type: ValueType::Tensor {
                element_type,
                dims: Some(dims.to_vec()),
            },
        }
    }

    #[test]
    fn widths_of_numbers_may_differ_and_names_ranks_and_kinds_may_not() {
        let base = || info("a", ElementType::Float, &[Dim::Unknown, Dim::Fixed(3)]);
        let half = info(
            "a",
            ElementType::Float16,
            &[Dim::Symbolic("n".into()), Dim::Fixed(4)],
        );
        assert!(are_alike(&[base()], &[half]));
        for other in [
            info("b", ElementType::Float, &[Dim::Unknown, Dim::Fixed(3)]),
            info("a", ElementType::Int64, &[Dim::Unknown, Dim::Fixed(3)]),
            info("a", ElementType::Float, &[Dim::Fixed(3)]),
        ] {
            assert!(!are_alike(&[base()], &[other]));
        }
        assert!(!are_alike(&[base()], &[]));
    }

    #[test]
    fn scores_are_the_same_as_a_matrix_and_as_maps_whatever_they_and_how_many_rows_are_called() {
        let matrix = |classes| {
            info(
                "chances",
                ElementType::Float,
                &[Dim::Unknown, Dim::Fixed(classes)],
            )
            .value_type
        };
        let maps = ValueType::Other("seq(map(int64,tensor(float)))".into());
        assert!(is_same(&matrix(3), &maps) && is_same(&maps, &matrix(3)) && is_same(&maps, &maps));
        assert!(is_same(&matrix(3), &matrix(3)) && !is_same(&matrix(3), &matrix(4)));
        let rows = |rows| info("which", ElementType::Int64, &[rows]).value_type;
        assert!(
            is_same(&rows(Dim::Fixed(1)), &rows(Dim::Unknown))
                && !is_same(&rows(Dim::Unknown), &maps)
        );
    }

    #[test]
    fn order_of_inputs_says_nothing() {
        let (a, b) = (
            info("a", ElementType::Float, &[]),
            info("b", ElementType::Bool, &[]),
        );
        assert!(are_alike(&[a.clone(), b.clone()], &[b, a]));
    }

    #[test]
    fn command_that_measures_those_left_out_is_told() {
        let path = Path::new("my models/decoder.onnx");
        let note = left_out(&[path]).unwrap();
        assert!(note.contains("`decoder.onnx` has other inputs"), "{note}");
        assert!(
            note.ends_with("`onnxprof profile 'my models/decoder.onnx'`"),
            "{note}"
        );
    }
}
