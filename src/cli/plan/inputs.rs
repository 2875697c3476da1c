//! Options that say what is fed to a model, for every command that feeds one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::values;
use crate::cli::{CliError, exit};
use crate::inputs::InputError;
use crate::onnx::OnnxError;
use crate::plan::{Flag, InputRequest, ValueRange};
use crate::text::Plain;

/// What is fed to a model.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Inputs")]
pub struct InputArgs {
    /// Inputs from a file: .npz with arrays named by the model's inputs (and `labels`, `y` or
    /// `target`), .npy for a model with one input, or a folder with `test_data_set_N/input_M.pb`
    #[arg(long = Flag::Data.word(), value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Labels for --data, one for each sample, when they are neither in it nor beside it: .npy,
    /// .npz, .csv, .tsv, .txt or .json
    #[arg(long = Flag::Labels.word(), value_name = "FILE", requires = "data")]
    pub labels: Option<PathBuf>,
    /// Size of a dimension that the model leaves open, by its name or as INPUT.AXIS
    #[arg(long = Flag::Dim.word(), value_name = "NAME=VALUE", value_parser = parse_dim)]
    pub dims: Vec<(String, u64)>,
    /// The dimension along which samples lie, by its name or as INPUT.AXIS, or `none`; by default
    /// it is found by running
    #[arg(long = Flag::BatchDim.word(), value_name = "NAME|INPUT.AXIS|none")]
    pub batch_dim: Option<String>,
    /// Range of the values made up for an input, both ends included
    #[arg(long = Flag::Range.word(), value_name = "NAME=LO..HI", value_parser = parse_range)]
    pub ranges: Vec<(String, ValueRange)>,
}

impl InputArgs {
    /// The request that the options spell; of an option given twice for one name the last holds.
    #[must_use]
    pub fn request(&self, seed: u64) -> InputRequest {
        InputRequest {
            data: self.data.clone(),
            labels: self.labels.clone(),
            dims: named(&self.dims),
            batch_dim: self.batch_dim.clone().map(Plain::from),
            ranges: named(&self.ranges),
            seed,
        }
    }
}

fn named<T: Copy>(given: &[(String, T)]) -> BTreeMap<Plain, T> {
    given
        .iter()
        .map(|(name, value)| (name.as_str().into(), *value))
        .collect()
}

pub fn model_error(error: &OnnxError) -> CliError {
    CliError::new(exit::BAD_INPUT, error).with_hint(error.hint().map(str::to_owned))
}

pub fn input_error(error: &InputError) -> CliError {
    let code = if error.is_of_options() {
        exit::USAGE
    } else {
        exit::BAD_INPUT
    };
    CliError::new(code, error).with_hint(error.hint().map(str::to_owned))
}

fn parse_dim(word: &str) -> Result<(String, u64), String> {
    let (name, value) = split(word).ok_or("expected NAME=VALUE, such as sequence_length=128")?;
    let size = values::size(value).map_err(|mistake| format!("`{value}`: {mistake}"))?;
    Ok((name.to_owned(), size))
}

fn parse_range(word: &str) -> Result<(String, ValueRange), String> {
    let expected = "expected NAME=LO..HI, such as input_ids=0..29999";
    let (name, ends) = split(word).ok_or(expected)?;
    let (low, high) = ends.split_once("..").ok_or(expected)?;

    let range = ValueRange {
        low: number(low)?,
        high: number(high.trim_start_matches('='))?,
    };
    if range.low > range.high {
        return Err(format!("{} is greater than {}", range.low, range.high));
    }
    Ok((name.to_owned(), range))
}

fn number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("`{text}` is no finite number")),
    }
}

/// The name before the last `=`, which names of dimensions may contain, and what comes after it.
fn split(word: &str) -> Option<(&str, &str)> {
    // The `=` of Rust's `..=` is no separator.
    let at = word
        .rmatch_indices('=')
        .map(|(at, _)| at)
        .find(|&at| !word[..at].ends_with(".."))?;
    let (name, value) = (&word[..at], &word[at + 1..]);
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimension_is_a_name_and_a_whole_number() {
        assert_eq!(
            parse_dim("sequence_length=128"),
            Ok(("sequence_length".to_owned(), 128))
        );
        assert_eq!(parse_dim("x.1=0"), Ok(("x.1".to_owned(), 0)));
        assert_eq!(
            parse_dim("sequence").unwrap_err(),
            "expected NAME=VALUE, such as sequence_length=128"
        );
        assert_eq!(
            parse_dim("s=1.5").unwrap_err(),
            "`1.5`: it is not a whole number"
        );
        assert_eq!(
            parse_dim("s=-1").unwrap_err(),
            "`-1`: it is not a whole number"
        );
    }

    #[test]
    fn range_is_a_name_and_two_numbers() {
        let range = |low, high| ValueRange { low, high };
        assert_eq!(
            parse_range("x=-1..1.5"),
            Ok(("x".to_owned(), range(-1.0, 1.5)))
        );
        assert_eq!(
            parse_range("x=0..=9"),
            Ok(("x".to_owned(), range(0.0, 9.0)))
        );
        assert_eq!(parse_range("x=9..0").unwrap_err(), "9 is greater than 0");
        assert_eq!(
            parse_range("x=0..inf").unwrap_err(),
            "`inf` is no finite number"
        );
        assert_eq!(
            parse_range("x=5").unwrap_err(),
            "expected NAME=LO..HI, such as input_ids=0..29999"
        );
    }
}
