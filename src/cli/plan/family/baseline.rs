//! Which variant the others are compared with.

use std::path::{Path, PathBuf};

use super::names::{self, listed};
use crate::cli::{CliError, Result};
use crate::plan::Variant;
use crate::record::{ModelSummary, QuantizationFormat, WeightBytes};
use crate::text::joined;
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

/// A model to choose from, and what it says of itself as far as it can be read.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    pub variant: &'a Variant,
    pub head: Option<&'a ModelSummary>,
}

pub(super) struct Choice {
    pub index: usize,
    pub note: Option<String>,
}

/// The variant that is asked for, or else the one in full precision by its weights: the largest of
/// several, by its name where sizes are the same, then the one whose name the others' begin with,
/// and then the first. Where none is in full precision, the one with the widest weights.
pub(super) fn choose(all: &[Model<'_>], asked: Option<&str>) -> Result<Choice> {
    if let Some(asked) = asked {
        return Ok(Choice {
            index: named(all, asked)?,
            note: None,
        });
    }
    Ok(match by_weights(all) {
        Some((index, why)) if all.len() > 1 => Choice {
            index,
            note: Some(format!("baseline: {}, {why}", file_name(all, index))),
        },
        _ => Choice {
            index: 0,
            note: None,
        },
    })
}

/// The baseline and why it is that one; `None` where no weights are known.
fn by_weights(all: &[Model<'_>]) -> Option<(usize, String)> {
    let full: Vec<usize> = (0..all.len())
        .filter(|&index| all[index].head.is_some_and(is_full_precision))
        .collect();
    Some(match full[..] {
        [] => (
            widest(all)?,
            "none is in full precision, and its weights are the widest".to_owned(),
        ),
        [only] => (only, "the only file in full precision".to_owned()),
        _ => among(all, &full),
    })
}

/// As much of the end of its path as no other file has.
fn file_name(all: &[Model<'_>], index: usize) -> String {
    let Variant { name, path } = all[index].variant;
    let own = (1..path.iter().count())
        .rev()
        .map(|skipped| end(path, skipped))
        .find(|end| is_own(all, index, end))
        .unwrap_or_else(|| end(path, 0))
        .display()
        .to_string();
    let name = name.exact();
    if own.starts_with(name) {
        own
    } else {
        format!("{name} ({own})")
    }
}

/// A path without its first parts.
fn end(path: &Path, skipped: usize) -> PathBuf {
    path.iter().skip(skipped).collect()
}

fn is_own(all: &[Model<'_>], index: usize, end: &Path) -> bool {
    all.iter()
        .enumerate()
        .all(|(other, model)| other == index || !model.variant.path.ends_with(end))
}

fn named(all: &[Model<'_>], asked: &str) -> Result<usize> {
    all.iter()
        .position(|model| is_called(model.variant, asked))
        .ok_or_else(|| {
            let names = joined(all.iter().map(|model| model.variant.name.exact()));
            CliError::usage(
                format!("no variant is called `{asked}`"),
                format!("name one of {names} with `--baseline`"),
            )
        })
}

fn is_called(variant: &Variant, asked: &str) -> bool {
    variant.name == asked
        || variant.path.file_stem().is_some_and(|stem| stem == asked)
        || variant.path.as_os_str() == asked
}

/// Whether a model's weights are in full precision and none of its nodes is quantized.
pub(super) fn is_full_precision(head: &ModelSummary) -> bool {
    LABELS.contains(&head.precision.label.exact())
        && head
            .quantization
            .as_ref()
            .is_none_or(|found| found.format == QuantizationFormat::None)
}

/// One of several in full precision, and why that one: the others of its size are named.
fn among(all: &[Model<'_>], full: &[usize]) -> (usize, String) {
    let largest = largest(all, full);
    if let [only] = largest[..] {
        return (only, "the largest of those in full precision".to_owned());
    }
    let (index, why) = by_name(all, &largest);
    let rivals = listed(
        largest
            .iter()
            .filter(|&&other| other != index)
            .map(|&other| file_name(all, other)),
        MOST_RIVALS,
    );
    (
        index,
        format!("{why}; in full precision and of about that size too: {rivals}"),
    )
}

/// One of several of a size, and why that one.
fn by_name(all: &[Model<'_>], same: &[usize]) -> (usize, &'static str) {
    if let Some(&marked) = same.iter().find(|&&index| is_marked(all[index].variant)) {
        return (marked, "by its name");
    }
    let stems: Vec<String> = same
        .iter()
        .map(|&index| names::stem(&all[index].variant.path))
        .collect();
    let plainest = stems
        .iter()
        .position(|plain| stems.iter().all(|stem| stem.starts_with(plain)));
    let why = match plainest {
        Some(place) if stems.iter().filter(|stem| **stem == stems[place]).count() == 1 => {
            "with whose name the others' begin"
        }
        _ => "the first of several",
    };
    (same[plainest.unwrap_or(0)], why)
}

fn is_marked(variant: &Variant) -> bool {
    let name = variant.name.exact().to_lowercase();
    MARKS.iter().any(|mark| name.contains(mark))
}

/// Those with the most bytes of weights, or of trees, whose numbers are parts of operators, of
/// their files.
fn largest(all: &[Model<'_>], full: &[usize]) -> Vec<usize> {
    let heads = || {
        full.iter()
            .filter_map(|&index| Some((index, all[index].head?)))
    };
    let size = if heads().all(|(_, head)| has_numbers_in_operators(head)) {
        bytes_of_file
    } else {
        bytes_of_weights
    };
    let most = heads().map(|(_, head)| size(head)).fold(0.0, f64::max);
    heads()
        .filter(|(_, head)| size(head) >= (1.0 - SAME_SIZE) * most)
        .map(|(index, _)| index)
        .collect()
}

fn bytes_of_file(head: &ModelSummary) -> f64 {
    head.file_size_bytes.as_f64()
}

fn bytes_of_weights(head: &ModelSummary) -> f64 {
    head.weights
        .iter()
        .map(|row| row.bytes)
        .sum::<Bytes>()
        .as_f64()
}

fn has_numbers_in_operators(head: &ModelSummary) -> bool {
    head.weights.is_empty()
        && head
            .operators
            .keys()
            .any(|operator| operator.starts_with("ai.onnx.ml."))
}

fn widest(all: &[Model<'_>]) -> Option<usize> {
    let known = all
        .iter()
        .enumerate()
        .filter_map(|(index, model)| Some((index, bits_per_weight(model.head?))));
    // Of equals the first: the last one that is greater than all before it.
    known
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(index, _)| index)
}

fn bits_per_weight(head: &ModelSummary) -> f64 {
    let sum = |of: fn(&WeightBytes) -> f64| head.weights.iter().map(of).sum::<f64>();
    sum(|row| row.bytes.as_f64()) * 8.0 / sum(|row| row.elements_count as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit;

    fn variants(paths: &str) -> Vec<Variant> {
        paths
            .split(' ')
            .map(|word| word.split_once('=').unwrap_or((word, word)))
            .map(|(name, path)| Variant {
                name: name.into(),
                path: format!("{path}.onnx").into(),
            })
            .collect()
    }

    fn heads(files: &[&str]) -> Vec<ModelSummary> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        files
            .iter()
            .map(|file| crate::onnx::read(&folder.join(file)).unwrap())
            .map(|model| crate::onnx::summary(&model))
            .collect()
    }

    /// Names, or names and paths, of models that are these files.
    fn chosen(names: &str, files: &[&str]) -> (usize, String) {
        let (variants, heads) = (variants(names), heads(files));
        let models: Vec<_> = variants
            .iter()
            .zip(&heads)
            .map(|(variant, head)| Model {
                variant,
                head: Some(head),
            })
            .collect();
        let Choice { index, note } = choose(&models, None).unwrap();
        (index, note.unwrap())
    }

    const DIGITS: [&str; 4] = [
        "digits/digits-fp16.onnx",
        "digits/digits-int8-dynamic.onnx",
        "digits/digits-int8-static.onnx",
        "digits/digits-fp32.onnx",
    ];

    #[test]
    fn the_baseline_is_in_full_precision_or_else_the_widest_then_by_its_name_and_then_the_first() {
        let only = "baseline: z.onnx, the only file in full precision";
        assert_eq!(chosen("fp32 a b z", &DIGITS), (3, only.into()));
        let (index, note) = chosen("a b c", &[DIGITS[1], DIGITS[0], DIGITS[2]]);
        assert_eq!(index, 1);
        assert!(note.contains("none is in full precision"));
        let same = [DIGITS[3], DIGITS[3]];
        for (names, files, expected) in [
            ("new old-fp32", same, 1),
            ("new old", same, 0),
            ("model-opt model", same, 1),
            ("fp32 large", ["fixtures/one-node.onnx", DIGITS[3]], 1),
        ] {
            assert_eq!(chosen(names, &files).0, expected, "{names}");
        }
    }

    #[test]
    fn files_of_the_baseline_s_size_are_named_and_those_of_one_name_by_their_folders() {
        for (names, expected) in [
            (
                "model model_fp16",
                "baseline: model.onnx, with whose name the others' begin; in full precision and of about that size too: \
                 model_fp16.onnx",
            ),
            (
                "n1 n2 n3 n4 n5 n6",
                "baseline: n1.onnx, the first of several; in full precision and of about that size too: n2.onnx, n3.onnx, \
                 n4.onnx, n5.onnx and 1 more",
            ),
            (
                "fp32=export-fp32/model int8=export-int8/model",
                "baseline: fp32 (export-fp32/model.onnx), by its name; in full precision and of about that size too: int8 \
                 (export-int8/model.onnx)",
            ),
            (
                "net_a=repo/net_a/1/model net_b=repo/net_b/1/model",
                "baseline: net_a/1/model.onnx, the first of several; in full precision and of about that size too: \
                 net_b/1/model.onnx",
            ),
        ] {
            let files = vec![DIGITS[3]; names.split(' ').count()];
            assert_eq!(chosen(names, &files).1, expected);
        }
    }

    #[test]
    fn trees_which_have_no_weights_are_told_apart_by_the_sizes_of_their_files() {
        let mut heads = heads(&["fixtures/sklearn-classifier.onnx"; 2]);
        heads.iter_mut().for_each(|head| head.weights.clear());
        heads[1].file_size_bytes.0 *= 2;
        let variant = &variants("trees")[0];
        let models = [0, 1].map(|index| Model {
            variant,
            head: Some(&heads[index]),
        });
        assert_eq!(largest(&models, &[0, 1]), [1]);
    }

    #[test]
    fn one_that_is_asked_for_comes_first() {
        let variants = variants("fp16 fp32");
        let models = [0, 1].map(|index| Model {
            variant: &variants[index],
            head: None,
        });
        assert_eq!(choose(&models, Some("fp16")).unwrap().index, 0);
        assert_eq!(
            choose(&models, Some("int4")).err().unwrap().code,
            exit::USAGE
        );
    }
}
