//! Which of the models in a folder are variants of one, by their inputs and outputs.

use std::collections::BTreeMap;
use std::path::Path;

use super::baseline;
use super::find::{By, Candidate};
use super::names::listed;
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
    if candidates.iter().all(|candidate| candidate.by == By::Path) {
        return candidates;
    }
    let families = families(&candidates);
    let Some(chosen) = families
        .iter()
        .max_by_key(|members| rank(members, &candidates))
    else {
        return candidates;
    };
    notes.extend(
        families
            .iter()
            .filter(|members| *members != chosen)
            .filter_map(|members| left_out(&found_in_folders(members, &candidates))),
    );
    let mut index = 0..;
    let mut kept = candidates;
    kept.retain(|Candidate { by, head, .. }| {
        let is_chosen = index.next().is_some_and(|index| chosen.contains(&index));
        head.is_none() || *by == By::Path || is_chosen
    });
    kept
}

fn found_in_folders<'a>(members: &[usize], candidates: &'a [Candidate]) -> Vec<&'a Path> {
    members
        .iter()
        .map(|&index| &candidates[index])
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
    let mut all = members.iter().map(|&index| &candidates[index]);
    let heads: Vec<&ModelSummary> = all.clone().filter_map(|one| one.head.as_ref()).collect();
    (
        all.any(|one| one.by == By::Path),
        members.len(),
        heads.iter().any(|head| baseline::is_full_precision(head)),
        heads.iter().map(|head| head.file_size_bytes).max(),
        std::cmp::Reverse(members.first().copied()),
    )
}

fn left_out(paths: &[&Path]) -> Option<String> {
    let first = paths.first()?;
    let (has, is, them) = match paths.len() {
        1 => ("has", "is", "it"),
        _ => ("have", "are", "them"),
    };
    let (names, words) = (
        listed(
            paths
                .iter()
                .map(|path| path.file_name().unwrap_or_default().display())
                .map(|name| format!("`{name}`")),
            LISTED,
        ),
        words(paths, first),
    );
    Some(format!(
        "{names} {has} other inputs or outputs than the models measured here, and {is} left out: measure {them} with \
         `onnxprof profile {words}`"
    ))
}

/// The paths as words of a command; of many, the first and what stands for the others.
fn words(paths: &[&Path], first: &Path) -> String {
    if paths.len() > LISTED {
        return quoted(first);
    }
    paths
        .iter()
        .map(|path| quoted(path))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A path as a word of a command.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c))
    {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
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
    let (one, other) = (&one.outputs, &other.outputs);
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| is_same(&one.value_type, &other.value_type))
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
    matches!(value_type, ValueType::Tensor { element_type, dims: Some(dims) }
        if element_type.is_float() && dims.len() == 2)
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
    dims.iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => Some(*size),
            Dim::Symbolic(_) | Dim::Unknown => None,
        })
        .collect()
}

fn is_alike(one: &ValueType, other: &ValueType) -> bool {
    match (one, other) {
        (
            ValueType::Tensor {
                element_type: one,
                dims,
            },
            ValueType::Tensor {
                element_type: other,
                dims: theirs,
            },
        ) => are_of_a_kind(*one, *other) && may_be_of_one_rank(dims, theirs),
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
        let (name, dims) = (name.into(), Some(dims.to_vec()));
        TensorInfo {
            name,
            value_type: ValueType::Tensor { element_type, dims },
        }
    }

    #[test]
    fn widths_of_numbers_may_differ_and_names_ranks_and_kinds_may_not() {
        let dims = [Dim::Unknown, Dim::Fixed(3)];
        let base = [info("a", ElementType::Float, &dims)];
        let named = [Dim::Symbolic("n".into()), Dim::Fixed(4)];
        assert!(are_alike(&base, &[info("a", ElementType::Float16, &named)]));
        for other in [
            info("b", ElementType::Float, &dims),
            info("a", ElementType::Int64, &dims),
            info("a", ElementType::Float, &dims[1..]),
        ] {
            assert!(!are_alike(&base, &[other]));
        }
        assert!(!are_alike(&base, &[]));
    }

    #[test]
    fn scores_are_the_same_as_a_matrix_and_as_maps_whatever_they_and_how_many_rows_are_called() {
        let matrix = |classes| {
            let dims = [Dim::Unknown, Dim::Fixed(classes)];
            info("chances", ElementType::Float, &dims).value_type
        };
        let rows = |rows| info("which", ElementType::Int64, &[rows]).value_type;
        let maps = ValueType::Other("seq(map(int64,tensor(float)))".into());
        for (one, other) in [
            (matrix(3), maps.clone()),
            (maps.clone(), matrix(3)),
            (maps.clone(), maps.clone()),
            (matrix(3), matrix(3)),
            (rows(Dim::Fixed(1)), rows(Dim::Unknown)),
        ] {
            assert!(is_same(&one, &other), "{one:?} {other:?}");
        }
        assert!(!is_same(&matrix(3), &matrix(4)) && !is_same(&rows(Dim::Unknown), &maps));
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
        let note = left_out(&[Path::new("my models/decoder.onnx")]).unwrap();
        assert!(
            note.starts_with("`decoder.onnx` has other inputs")
                && note.ends_with("`onnxprof profile 'my models/decoder.onnx'`"),
            "{note}"
        );
    }
}
