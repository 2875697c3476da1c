//! Options that say what is fed to a model, for every command that feeds one.

use std::path::PathBuf;

use super::values;
use crate::plan::{Flag, InputRequest, ValueRange};
use crate::text::Plain;

/// Inputs that are fed to a model.
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
    pub dims: Vec<(Plain, u64)>,
    /// The dimension along which samples lie, by its name or as INPUT.AXIS, or `none`; by default
    /// it is found by running
    #[arg(long = Flag::BatchDim.word(), value_name = "NAME|INPUT.AXIS|none")]
    pub batch_dim: Option<Plain>,
    /// Range of the values made up for an input, both ends included
    #[arg(long = Flag::Range.word(), value_name = "NAME=LO..HI", value_parser = parse_range)]
    pub ranges: Vec<(Plain, ValueRange)>,
}

impl InputArgs {
    /// The request that the options spell, with the data that lies beside the models if they name
    /// none; of an option given twice for one name the last holds.
    #[must_use]
    pub fn request(&self, beside: &Option<PathBuf>, seed: u64) -> InputRequest {
        InputRequest {
            data: self.data.clone().or_else(|| beside.clone()),
            labels: self.labels.clone(),
            dims: self.dims.iter().cloned().collect(),
            batch_dim: self.batch_dim.clone(),
            ranges: self.ranges.iter().cloned().collect(),
            seed,
        }
    }
}

/// A dimension and its size.
pub fn parse_dim(word: &str) -> Result<(Plain, u64), String> {
    let (name, value) = split(word).ok_or("expected NAME=VALUE, such as sequence_length=128")?;
    match values::size(value) {
        Ok(size) => Ok((name.into(), size)),
        Err(mistake) => Err(format!("`{value}`: {mistake}")),
    }
}

fn parse_range(word: &str) -> Result<(Plain, ValueRange), String> {
    let (name, (low, high)) = split(word)
        .and_then(|(name, ends)| Some((name, ends.split_once("..")?)))
        .ok_or("expected NAME=LO..HI, such as input_ids=0..29999")?;
    let (low, high) = (number(low)?, number(high.trim_start_matches('='))?);
    if low > high {
        return Err(format!("{low} is greater than {high}"));
    }
    Ok((name.into(), ValueRange { low, high }))
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
    let (at, _) = word
        .rmatch_indices('=')
        .find(|&(at, _)| !word[..at].ends_with(".."))?;
    let (name, value) = (&word[..at], &word[at + 1..]);
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimension_is_a_name_and_a_whole_number() {
        for (word, name, size) in [
            ("sequence_length=128", "sequence_length", 128),
            ("x.1=0", "x.1", 0),
        ] {
            assert_eq!(parse_dim(word), Ok((name.into(), size)));
        }
        for (word, mistake) in [
            (
                "sequence",
                "expected NAME=VALUE, such as sequence_length=128",
            ),
            ("s=1.5", "`1.5`: it is not a whole number"),
            ("s=-1", "`-1`: it is not a whole number"),
        ] {
            assert_eq!(parse_dim(word), Err(mistake.into()));
        }
    }

    #[test]
    fn range_is_a_name_and_two_numbers() {
        for (word, low, high) in [("x=-1..1.5", -1.0, 1.5), ("x=0..=9", 0.0, 9.0)] {
            assert_eq!(
                parse_range(word),
                Ok(("x".into(), ValueRange { low, high }))
            );
        }
        for (word, mistake) in [
            ("x=9..0", "9 is greater than 0"),
            ("x=0..inf", "`inf` is no finite number"),
            ("x=5", "expected NAME=LO..HI, such as input_ids=0..29999"),
        ] {
            assert_eq!(parse_range(word), Err(mistake.into()));
        }
    }
}
