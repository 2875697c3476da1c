//! Which variant the others are compared with.

use super::super::{CliError, exit};
use crate::plan::Variant;
use crate::record::{ModelSummary, QuantizationFormat};

/// Words in a name by which people mark full precision.
const MARKS: [&str; 3] = ["fp32", "float32", "f32"];
/// Labels of models whose weights are in full precision.
const LABELS: [&str; 2] = ["fp32", "fp64"];
/// Weights whose sizes differ by less than this share are of one size: exporters fold a few constants more or less.
const SAME_SIZE: f64 = 0.02;

/// The variant, and what is to be said about it.
pub(super) struct Choice {
    pub index: usize,
    pub note: Option<String>,
}

/// The variant that is asked for, or else the one in full precision by its weights: the largest of several, by its name
/// where sizes are the same, and then the first. Where none is in full precision, the one with the widest weights.
///
/// # Errors
/// None is called so.
pub(super) fn choose(
    variants: &[Variant],
    heads: &[Option<&ModelSummary>],
    asked: Option<&str>,
) -> Result<Choice, CliError> {
    if let Some(asked) = asked {
        return named(variants, asked).map(|index| Choice { index, note: None });
    }
    let full: Vec<usize> = (0..variants.len()).filter(|&index| heads[index].is_some_and(is_full_precision)).collect();
    let (index, why) = match full.as_slice() {
        _ if variants.len() == 1 => return Ok(Choice { index: 0, note: None }),
        [] => match widest(heads) {
            Some(index) => (index, "none is in full precision, and its weights are the widest"),
            None => return Ok(Choice { index: 0, note: None }),
        },
        &[only] => (only, "the only file in full precision"),
        several => among(variants, heads, several),
    };
    Ok(Choice { index, note: Some(format!("baseline: {}, {why}", file_name(&variants[index]))) })
}

fn file_name(variant: &Variant) -> String {
    let name = variant.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with(&variant.name) { name } else { format!("{} ({name})", variant.name) }
}

fn named(variants: &[Variant], asked: &str) -> Result<usize, CliError> {
    let stem = |variant: &Variant| variant.path.file_stem().is_some_and(|stem| stem == asked);
    let is_it = |variant: &Variant| variant.name == asked || stem(variant) || variant.path.as_os_str() == asked;
    variants.iter().position(is_it).ok_or_else(|| {
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        CliError::message(exit::USAGE, format!("no variant is called `{asked}`"))
            .with_hint(format!("name one of {} with `--baseline`", names.join(", ")))
    })
}

/// Whether a model's weights are in full precision and none of its nodes is quantized.
pub(super) fn is_full_precision(head: &ModelSummary) -> bool {
    let is_quantized =
        head.quantization.as_ref().is_some_and(|quantization| quantization.format != QuantizationFormat::None);
    LABELS.contains(&head.precision.label.as_str()) && !is_quantized
}

/// One of several in full precision, and why that one.
fn among(variants: &[Variant], heads: &[Option<&ModelSummary>], full: &[usize]) -> (usize, &'static str) {
    let bytes = |index: usize| heads[index].map_or(0, |head| head.weights.iter().map(|row| row.bytes.0).sum::<u64>());
    let most = full.iter().map(|&index| bytes(index)).max().unwrap_or(0);
    let is_largest = |index: &usize| bytes(*index) as f64 >= (1.0 - SAME_SIZE) * most as f64;
    let largest: Vec<usize> = full.iter().copied().filter(is_largest).collect();
    let is_marked = |index: &&usize| {
        let name = variants[**index].name.to_lowercase();
        MARKS.iter().any(|mark| name.contains(mark))
    };
    match (largest.as_slice(), largest.iter().find(is_marked)) {
        ([only], _) => (*only, "the largest of those in full precision"),
        (_, Some(&marked)) => (marked, "by its name, of several in full precision"),
        (all, None) => (plainest(variants, all), "the first of several in full precision"),
    }
}

/// The file whose name the others' begin with, as `model.onnx` before `model_optimized.onnx`; else the first.
fn plainest(variants: &[Variant], all: &[usize]) -> usize {
    let stem = |index: usize| variants[index].path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let begins_all = |&&index: &&usize| all.iter().all(|&other| stem(other).starts_with(&stem(index)));
    all.iter().find(begins_all).or(all.first()).copied().unwrap_or(0)
}

/// The model with the most bits to a weight.
fn widest(heads: &[Option<&ModelSummary>]) -> Option<usize> {
    let bits = |head: &ModelSummary| {
        let bytes: u64 = head.weights.iter().map(|row| row.bytes.0).sum();
        let elements: u64 = head.weights.iter().map(|row| row.elements_count).sum();
        bytes as f64 * 8.0 / elements.max(1) as f64
    };
    let known = heads.iter().enumerate().filter_map(|(index, head)| Some((index, bits((*head)?))));
    // Of equals the first: the last one that is greater than all before it.
    known.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants(names: &[&str]) -> Vec<Variant> {
        names.iter().map(|&name| Variant { name: name.into(), path: format!("{name}.onnx").into() }).collect()
    }

    /// Summaries of the models for tests of those names.
    fn heads(files: &[&str]) -> Vec<ModelSummary> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        files.iter().map(|file| crate::onnx::summary(&crate::onnx::read(&folder.join(file)).unwrap())).collect()
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
    fn the_baseline_is_in_full_precision_whatever_it_is_called() {
        let (index, note) = chosen(&["fp32", "a", "b", "z"], &DIGITS);
        assert_eq!((index, note.unwrap().as_str()), (3, "baseline: z.onnx, the only file in full precision"));
    }

    #[test]
    fn without_full_precision_the_widest_is_the_baseline() {
        let (index, note) = chosen(&["a", "b", "c"], &[DIGITS[1], DIGITS[0], DIGITS[2]]);
        assert_eq!(index, 1);
        assert!(note.unwrap().contains("none is in full precision"));
    }

    #[test]
    fn of_several_in_full_precision_the_name_decides_and_then_the_first() {
        let same = [DIGITS[3], DIGITS[3]];
        assert_eq!(chosen(&["new", "old-fp32"], &same).0, 1);
        assert_eq!(chosen(&["new", "old"], &same).0, 0);
        assert_eq!(chosen(&["model-opt", "model"], &same).0, 1);
        assert_eq!(chosen(&["fp32", "large"], &["fixtures/one-node.onnx", DIGITS[3]]).0, 1);
    }

    #[test]
    fn one_that_is_asked_for_comes_first() {
        let none = [None, None];
        assert_eq!(choose(&variants(&["fp16", "fp32"]), &none, Some("fp16")).unwrap().index, 0);
        assert_eq!(choose(&variants(&["fp16", "fp32"]), &none, Some("int4")).err().unwrap().code, exit::USAGE);
    }
}
