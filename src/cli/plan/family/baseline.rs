//! Which variant the others are compared with.

use std::path::{Path, PathBuf};

use crate::cli::CliError;
use crate::plan::Variant;
use crate::record::{ModelSummary, QuantizationFormat};
use crate::units::Bytes;

/// Words in a name by which people mark full precision.
const MARKS: [&str; 3] = ["fp32", "float32", "f32"];
/// Labels of models whose weights are in full precision.
const LABELS: [&str; 2] = ["fp32", "fp64"];
/// Weights whose sizes differ by less than this share are of one size: exporters fold a few
/// constants more or less.
const SAME_SIZE: f64 = 0.02;
/// Other files of the baseline's size that are named.
const MOST_RIVALS: usize = 4;

pub(super) struct Choice {
    pub index: usize,
    pub note: Option<String>,
}

/// The variant that is asked for, or else the one in full precision by its weights: the largest of
/// several, by its name where sizes are the same, then the one whose name the others' begin with,
/// and then the first. Where none is in full precision, the one with the widest weights.
pub(super) fn choose(
    variants: &[Variant],
    heads: &[Option<&ModelSummary>],
    asked: Option<&str>,
) -> Result<Choice, CliError> {
    if let Some(asked) = asked {
        return named(variants, asked).map(|index| Choice { index, note: None });
    }
    let picked = if variants.len() == 1 {
        None
    } else {
        by_weights(variants, heads)
    };
    Ok(match picked {
        Some((index, why)) => Choice {
            index,
            note: Some(format!("baseline: {}, {why}", file_name(variants, index))),
        },
        None => Choice {
            index: 0,
            note: None,
        },
    })
}

/// The baseline and why it is that one; `None` where no weights are known.
fn by_weights(variants: &[Variant], heads: &[Option<&ModelSummary>]) -> Option<(usize, String)> {
    let full: Vec<usize> = (0..variants.len())
        .filter(|&index| heads[index].is_some_and(is_full_precision))
        .collect();
    match full.as_slice() {
        [] => Some((
            widest(heads)?,
            "none is in full precision, and its weights are the widest".to_owned(),
        )),
        &[only] => Some((only, "the only file in full precision".to_owned())),
        several => Some(among(variants, heads, several)),
    }
}

fn file_name(variants: &[Variant], index: usize) -> String {
    let variant = &variants[index];
    let parts = variant.path.iter().count();
    let needed = (1..parts).find(|&parts| !is_end_shared(variants, index, parts));
    let name = end(&variant.path, needed.unwrap_or(parts))
        .display()
        .to_string();
    if name.starts_with(variant.name.exact()) {
        name
    } else {
        format!("{} ({name})", variant.name.exact())
    }
}

/// The last parts of a path.
fn end(path: &Path, parts: usize) -> PathBuf {
    path.iter()
        .skip(path.iter().count().saturating_sub(parts))
        .collect()
}

fn is_end_shared(variants: &[Variant], index: usize, parts: usize) -> bool {
    let own = end(&variants[index].path, parts);
    variants
        .iter()
        .enumerate()
        .any(|(other, variant)| other != index && end(&variant.path, parts) == own)
}

fn named(variants: &[Variant], asked: &str) -> Result<usize, CliError> {
    variants
        .iter()
        .position(|variant| is_called(variant, asked))
        .ok_or_else(|| unknown_name(variants, asked))
}

fn is_called(variant: &Variant, asked: &str) -> bool {
    variant.name == asked
        || variant.path.file_stem().is_some_and(|stem| stem == asked)
        || variant.path.as_os_str() == asked
}

fn unknown_name(variants: &[Variant], asked: &str) -> CliError {
    let names: Vec<&str> = variants
        .iter()
        .map(|variant| variant.name.exact())
        .collect();
    let hint = format!("name one of {} with `--baseline`", names.join(", "));
    CliError::usage(format!("no variant is called `{asked}`"), hint)
}

/// Whether a model's weights are in full precision and none of its nodes is quantized.
pub(super) fn is_full_precision(head: &ModelSummary) -> bool {
    let is_quantized = head
        .quantization
        .as_ref()
        .is_some_and(|quantization| quantization.format != QuantizationFormat::None);
    LABELS.contains(&head.precision.label.exact()) && !is_quantized
}

/// One of several in full precision, and why that one: the others of its size are named.
fn among(variants: &[Variant], heads: &[Option<&ModelSummary>], full: &[usize]) -> (usize, String) {
    let largest = largest(heads, full);
    if let [only] = largest.as_slice() {
        return (*only, "the largest of those in full precision".to_owned());
    }
    let (index, why) = by_name(variants, &largest);
    let rivals: Vec<String> = largest
        .iter()
        .filter(|&&other| other != index)
        .map(|&other| file_name(variants, other))
        .collect();
    let rivals = listed(rivals);
    (
        index,
        format!("{why}; in full precision and of about that size too: {rivals}"),
    )
}

/// One of several of a size, and why that one.
fn by_name(variants: &[Variant], all: &[usize]) -> (usize, &'static str) {
    if let Some(&marked) = all.iter().find(|&&index| is_marked(&variants[index])) {
        return (marked, "by its name");
    }
    match plainest(variants, all) {
        Some(plainest) if is_alone(variants, all, plainest) => {
            (plainest, "with whose name the others' begin")
        }
        first => (first.unwrap_or(all[0]), "the first of several"),
    }
}

fn is_marked(variant: &Variant) -> bool {
    let name = variant.name.exact().to_lowercase();
    MARKS.iter().any(|mark| name.contains(mark))
}

fn listed(mut rivals: Vec<String>) -> String {
    let more = rivals.len().saturating_sub(MOST_RIVALS);
    rivals.truncate(MOST_RIVALS);
    let listed = rivals.join(", ");
    if more > 0 {
        format!("{listed} and {more} more")
    } else {
        listed
    }
}

/// Those with the most bytes of weights, or of trees, whose numbers are parts of operators, of
/// their files.
fn largest(heads: &[Option<&ModelSummary>], full: &[usize]) -> Vec<usize> {
    let are_trees = full
        .iter()
        .all(|&index| heads[index].is_some_and(has_numbers_in_operators));
    let size = if are_trees {
        bytes_of_file
    } else {
        bytes_of_weights
    };
    let sizes: Vec<u64> = full
        .iter()
        .map(|&index| heads[index].map_or(0, size))
        .collect();
    let most = sizes.iter().copied().max().unwrap_or(0);
    full.iter()
        .zip(sizes)
        .filter(|&(_, bytes)| bytes as f64 >= (1.0 - SAME_SIZE) * most as f64)
        .map(|(&index, _)| index)
        .collect()
}

fn bytes_of_file(head: &ModelSummary) -> u64 {
    head.file_size_bytes.0
}

fn bytes_of_weights(head: &ModelSummary) -> u64 {
    head.weights.iter().map(|row| row.bytes).sum::<Bytes>().0
}

fn has_numbers_in_operators(head: &ModelSummary) -> bool {
    head.weights.is_empty()
        && head
            .operators
            .keys()
            .any(|operator| operator.starts_with("ai.onnx.ml."))
}

/// The file whose name the others' begin with, as `model.onnx` before `model_optimized.onnx`.
fn plainest(variants: &[Variant], all: &[usize]) -> Option<usize> {
    all.iter().copied().find(|&index| {
        let begin = stem(&variants[index]);
        all.iter()
            .all(|&other| stem(&variants[other]).starts_with(&begin))
    })
}

/// Whether no other file has the name of this one, in another folder or with another extension.
fn is_alone(variants: &[Variant], all: &[usize], index: usize) -> bool {
    all.iter()
        .all(|&other| other == index || stem(&variants[other]) != stem(&variants[index]))
}

fn stem(variant: &Variant) -> String {
    variant
        .path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn widest(heads: &[Option<&ModelSummary>]) -> Option<usize> {
    let known = heads
        .iter()
        .enumerate()
        .filter_map(|(index, head)| Some((index, bits_per_weight((*head)?))));
    // Of equals the first: the last one that is greater than all before it.
    known
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(index, _)| index)
}

fn bits_per_weight(head: &ModelSummary) -> f64 {
    let bytes: f64 = head.weights.iter().map(|row| row.bytes.as_f64()).sum();
    let elements: f64 = head
        .weights
        .iter()
        .map(|row| row.elements_count as f64)
        .sum();
    bytes * 8.0 / elements.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit;

    fn variants(names: &[&str]) -> Vec<Variant> {
        names
            .iter()
            .map(|&name| Variant {
                name: name.into(),
                path: format!("{name}.onnx").into(),
            })
            .collect()
    }

    fn heads(files: &[&str]) -> Vec<ModelSummary> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        files
            .iter()
            .map(|file| crate::onnx::summary(&crate::onnx::read(&folder.join(file)).unwrap()))
            .collect()
    }

    fn chosen(names: &[&str], files: &[&str]) -> (usize, Option<String>) {
        let heads = heads(files);
        let heads: Vec<Option<&ModelSummary>> = heads.iter().map(Some).collect();
        let choice = choose(&variants(names), &heads, None).unwrap();
        (choice.index, choice.note)
    }

    const DIGITS: [&str; 4] = [
        "digits/digits-fp16.onnx",
        "digits/digits-int8-dynamic.onnx",
        "digits/digits-int8-static.onnx",
        "digits/digits-fp32.onnx",
    ];

    #[test]
    fn the_baseline_is_in_full_precision_or_else_the_widest_then_by_its_name_and_then_the_first() {
        let (index, note) = chosen(&["fp32", "a", "b", "z"], &DIGITS);
        assert_eq!(
            (index, note.unwrap().as_str()),
            (3, "baseline: z.onnx, the only file in full precision")
        );
        let (index, note) = chosen(&["a", "b", "c"], &[DIGITS[1], DIGITS[0], DIGITS[2]]);
        assert_eq!(index, 1);
        assert!(note.unwrap().contains("none is in full precision"));
        let same = [DIGITS[3], DIGITS[3]];
        assert_eq!(chosen(&["new", "old-fp32"], &same).0, 1);
        assert_eq!(chosen(&["new", "old"], &same).0, 0);
        assert_eq!(chosen(&["model-opt", "model"], &same).0, 1);
        assert_eq!(
            chosen(&["fp32", "large"], &["fixtures/one-node.onnx", DIGITS[3]]).0,
            1
        );
    }

    #[test]
    fn files_of_the_baseline_s_size_are_named_and_those_of_one_name_by_their_folders() {
        let note = |names: &[&str], files: &[&str]| chosen(names, files).1.unwrap();
        assert_eq!(
            note(&["model", "model_fp16"], &[DIGITS[3], DIGITS[3]]),
            "baseline: model.onnx, with whose name the others' begin; in full precision and of about that size too: \
             model_fp16.onnx"
        );
        let six = ["n1", "n2", "n3", "n4", "n5", "n6"];
        let several = "baseline: n1.onnx, the first of several; in full precision and of about that size too: n2.onnx, n3.onnx, \
             n4.onnx, n5.onnx and 1 more";
        assert_eq!(note(&six, &[DIGITS[3]; 6]), several);
        let heads = heads(&[DIGITS[3]; 2]);
        let heads: Vec<Option<&ModelSummary>> = heads.iter().map(Some).collect();
        let variant = |name: &str, path: &str| Variant {
            name: name.into(),
            path: path.into(),
        };
        let of = |variants: &[Variant]| choose(variants, &heads, None).unwrap().note.unwrap();
        assert_eq!(
            of(&[
                variant("fp32", "export-fp32/model.onnx"),
                variant("int8", "export-int8/model.onnx")
            ]),
            "baseline: fp32 (export-fp32/model.onnx), by its name; in full precision and of about that size too: int8 \
             (export-int8/model.onnx)"
        );
        assert_eq!(
            of(&[
                variant("net_a", "repo/net_a/1/model.onnx"),
                variant("net_b", "repo/net_b/1/model.onnx")
            ]),
            "baseline: net_a/1/model.onnx, the first of several; in full precision and of about that size too: \
             net_b/1/model.onnx"
        );
    }

    #[test]
    fn trees_which_have_no_weights_are_told_apart_by_the_sizes_of_their_files() {
        let mut heads = heads(&["fixtures/sklearn-classifier.onnx"; 2]);
        heads.iter_mut().for_each(|head| head.weights.clear());
        heads[1].file_size_bytes.0 *= 2;
        let heads: Vec<Option<&ModelSummary>> = heads.iter().map(Some).collect();
        assert_eq!(largest(&heads, &[0, 1]), [1]);
    }

    #[test]
    fn one_that_is_asked_for_comes_first() {
        let none = [None, None];
        assert_eq!(
            choose(&variants(&["fp16", "fp32"]), &none, Some("fp16"))
                .unwrap()
                .index,
            0
        );
        assert_eq!(
            choose(&variants(&["fp16", "fp32"]), &none, Some("int4"))
                .err()
                .unwrap()
                .code,
            exit::USAGE
        );
    }
}
