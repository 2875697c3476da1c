//! A plan as the words that ask for it.
//!
//! Defaults of the command line are left out; the command line turns the words into the same plan
//! again. Read [`Command`] first.

mod of_plan;
mod paths;

use super::Flag;
use super::value::{list, time};
use crate::units::Nanos;

/// Words of a command that measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    subcommand: &'static str,
    models: Vec<String>,
    options: Vec<Choice>,
    /// Models that come last.
    others: Vec<String>,
    /// Path of the baseline, which is its name also where there are more models.
    baseline: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    flag: Flag,
    value: Option<String>,
}

impl Choice {
    /// As one word where the value could be taken for something else.
    fn words(&self) -> Vec<String> {
        let flag = self.flag.to_string();
        match &self.value {
            None => vec![flag],
            Some(value) if self.flag == Flag::IdleGaps || value.starts_with('-') => {
                vec![format!("{flag}={value}")]
            }
            Some(value) => vec![flag, value.clone()],
        }
    }
}

impl Command {
    /// The same command with a value for a flag, in the place of those that it has.
    #[must_use]
    pub fn with(self, flag: Flag, value: impl ToString) -> Self {
        let mut command = self.without(flag);
        command.option(flag, value);
        command
    }

    /// The same command with a flag that needs no value.
    #[must_use]
    pub fn with_switch(self, flag: Flag) -> Self {
        let mut command = self.without(flag);
        command.switch(flag);
        command
    }

    /// The same command without a flag.
    #[must_use]
    pub fn without(mut self, flag: Flag) -> Self {
        self.options.retain(|choice| choice.flag != flag);
        self
    }

    /// The same command with idle gaps, in the place of those that it has.
    #[must_use]
    pub fn with_idle_gaps(self, gaps: &[Nanos]) -> Self {
        let mut command = self.without(Flag::IdleGaps);
        command.idle_gaps(gaps);
        command
    }

    /// The same command with one more model.
    #[must_use]
    pub fn with_model(mut self, path: &str) -> Self {
        for choice in &mut self.options {
            if choice.flag == Flag::Baseline {
                choice.value.clone_from(&self.baseline);
            }
        }
        self.others.push(path.to_owned());
        self
    }

    /// Its words, the program's name included.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["onnxprof".to_owned(), self.subcommand.to_owned()];
        words.extend_from_slice(&self.models);
        words.extend(self.options.iter().flat_map(Choice::words));
        if self.others.iter().any(|model| model.starts_with('-')) {
            words.push("--".to_owned());
        }
        words.extend_from_slice(&self.others);
        words
    }

    fn option(&mut self, flag: Flag, value: impl ToString) {
        self.options(flag, [value]);
    }

    /// A flag with each value that there is.
    fn options(&mut self, flag: Flag, values: impl IntoIterator<Item: ToString>) {
        self.options.extend(
            values
                .into_iter()
                .map(|value| Some(value.to_string()))
                .map(|value| Choice { flag, value }),
        );
    }

    fn switch(&mut self, flag: Flag) {
        self.options.push(Choice { flag, value: None });
    }

    fn idle_gaps(&mut self, gaps: &[Nanos]) {
        self.joined(Flag::IdleGaps, gaps.iter().copied().map(time));
    }

    /// A flag with all values in one, if there are any.
    fn joined(&mut self, flag: Flag, values: impl IntoIterator<Item: ToString>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_some() {
            self.option(flag, list(values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(options: &[(Flag, Option<&str>)]) -> Command {
        Command {
            subcommand: "profile",
            models: Vec::new(),
            options: options
                .iter()
                .map(|&(flag, value)| Choice {
                    flag,
                    value: value.map(str::to_owned),
                })
                .collect(),
            others: Vec::new(),
            baseline: None,
        }
    }

    #[test]
    fn a_flag_takes_its_value_along() {
        let command = with(&[
            (Flag::Batch, Some("1,2")),
            (Flag::RequireEp, None),
            (Flag::Seed, Some("0")),
        ]);
        for (changed, words) in [
            (
                command.clone().with(Flag::Batch, 4),
                "--require-ep --seed 0 --batch 4",
            ),
            (
                command.clone().without(Flag::RequireEp),
                "--batch 1,2 --seed 0",
            ),
            (
                command.with_switch(Flag::Cold),
                "--batch 1,2 --require-ep --seed 0 --cold",
            ),
        ] {
            assert_eq!(changed.words()[2..].join(" "), words);
        }
    }

    #[test]
    fn words_that_begin_with_a_dash_are_not_taken_for_flags() {
        let command = with(&[(Flag::Data, Some("-x.npz"))]).with_model("-m.onnx");
        assert_eq!(command.words()[2..].join(" "), "--data=-x.npz -- -m.onnx");
    }
}
