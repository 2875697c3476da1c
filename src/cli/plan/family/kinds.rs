//! Which of the models in a folder are variants of one, by their inputs and outputs.

use std::collections::BTreeMap;
use std::path::Path;

use super::baseline;
use super::find::{By, Candidate};
use crate::plan::ElementType;
use crate::record::{Dim, ModelSummary, TensorInfo, ValueType};

const LISTED: usize = 6;

/// The models that belong together: those that a file named by its path belongs to, or else the
/// family with most members, in full precision, with the largest files, in this order. Says which
/// others are left out.
///
/// Files named by their paths all stay, and so do those that cannot be read: what is wrong with
/// them is told where they are described.
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
    let others = families.iter().filter(|members| *members != chosen);
    notes.extend(others.filter_map(|members| left_out(&found_in_folders(members, &candidates))));
    candidates
        .into_iter()
        .enumerate()
        .filter(|(index, candidate)| {
            candidate.head.is_none() || candidate.file.by == By::Path || chosen.contains(index)
        })
        .map(|(_, one)| one)
        .collect()
}

fn found_in_folders<'a>(members: &[usize], candidates: &'a [Candidate]) -> Vec<&'a Path> {
    members
        .iter()
        .map(|&index| &candidates[index].file)
        .filter(|file| file.by == By::Folder)
        .map(|file| file.path.as_path())
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

/// The order of families: named ones first, then by members, precision and size; of equals, the one
/// that is found first.
fn rank(members: &[usize], candidates: &[Candidate]) -> impl Ord + use<> {
    let heads: Vec<&ModelSummary> = members
        .iter()
        .filter_map(|&index| candidates[index].head.as_ref())
        .collect();
    let is_named = members
        .iter()
        .any(|&index| candidates[index].file.by == By::Path);
    let first = members.first().copied().unwrap_or(usize::MAX);
    (
        is_named,
        members.len(),
        heads.iter().any(|head| baseline::is_full_precision(head)),
        heads.iter().map(|head| head.file_size_bytes.0).max(),
        std::cmp::Reverse(first),
    )
}

fn left_out(paths: &[&Path]) -> Option<String> {
    let first = paths.first()?;
    let (has, is, them) = if paths.len() == 1 {
        ("has", "is", "it")
    } else {
        ("have", "are", "them")
    };
    let (names, words) = (names(paths), words(paths, first));
    Some(format!(
        "{names} {has} other inputs or outputs than the models measured here, and {is} left out: measure {them} with \
         `onnxprof profile {words}`"
    ))
}

fn names(paths: &[&Path]) -> String {
    let names: Vec<String> = paths
        .iter()
        .take(LISTED)
        .map(|path| format!("`{}`", path.file_name().unwrap_or_default().display()))
        .collect();
    let names = names.join(", ");
    match paths.len().saturating_sub(LISTED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// The paths as words of a command; of many, the first and what stands for the others.
fn words(paths: &[&Path], first: &Path) -> String {
    if paths.len() > LISTED {
        return quoted(first);
    }
    let words: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
    words.join(" ")
}

/// A path as a word of a command.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c));
    if is_plain {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Whether two models may be variants of one: inputs of the same names, ranks and kinds of
/// elements, and such outputs. The width of numbers may differ, since that is what precisions
/// differ in.
fn are_variants(one: &ModelSummary, other: &ModelSummary) -> bool {
    are_alike(&one.inputs, &other.inputs)
        && (are_alike(&one.outputs, &other.outputs) || are_same(one, other))
}

/// Whether lists are of the same names, in whatever order, and of the same kinds.
fn are_alike(one: &[TensorInfo], other: &[TensorInfo]) -> bool {
    let (one, other) = (by_name(one), by_name(other));
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|((name, kind), (their, theirs))| name == their && is_alike(kind, theirs))
}

fn by_name(list: &[TensorInfo]) -> BTreeMap<&str, &ValueType> {
    list.iter()
        .map(|info| (info.name.exact(), &info.value_type))
        .collect()
}

/// Whether outputs that are called differently are the same ones all the same, place by place.
fn are_same(one: &ModelSummary, other: &ModelSummary) -> bool {
    let mut pairs = one.outputs.iter().zip(&other.outputs);
    one.outputs.len() == other.outputs.len()
        && pairs.all(|(one, other)| is_same(&one.value_type, &other.value_type))
}

/// Whether two outputs are of the same kind and of sizes that do not contradict each other, or
/// scores of classes, as a matrix and as maps. How many rows a file declares has no say: converters
/// leave a size there that holds for one sample.
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
    dims.iter().map(fixed_size).collect()
}

fn fixed_size(dim: &Dim) -> Option<u64> {
    match dim {
        Dim::Fixed(size) => Some(*size),
        Dim::Symbolic(_) | Dim::Unknown => None,
    }
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
        ) => are_of_a_kind(*one, *other) && may_be_of_one_rank(dims_of_one, dims_of_other),
        (ValueType::Sequence(one), ValueType::Sequence(other))
        | (ValueType::Optional(one), ValueType::Optional(other)) => is_alike(one, other),
        (ValueType::Other(one), ValueType::Other(other)) => one == other,
        _ => false,
    }
}

fn may_be_of_one_rank(one: &Option<Vec<Dim>>, other: &Option<Vec<Dim>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.len() == other.len(),
        _ => true,
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
            name: name.to_owned().into(),
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
