//! A plan as the words that ask for it.
//!
//! What is the default of the command line is left out; the command line turns the words into the
//! same plan again. Read [`Command`] first.

mod of_plan;

use super::Flag;
use super::value::time;
use crate::units::Nanos;

/// Words of a command that measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    subcommand: &'static str,
    models: Vec<String>,
    options: Vec<Choice>,
    /// Models that come last.
    others: Vec<String>,
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
        self.others.push(path.to_owned());
        self
    }

    /// Its words, the program's name included.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["onnxprof".to_owned(), self.subcommand.to_owned()];
        words.extend(self.models.iter().cloned());
        words.extend(self.options.iter().flat_map(Choice::words));
        if self.others.iter().any(|model| model.starts_with('-')) {
            words.push("--".to_owned());
        }
        words.extend(self.others.iter().cloned());
        words
    }

    fn option(&mut self, flag: Flag, value: impl ToString) {
        self.options.push(Choice {
            flag,
            value: Some(value.to_string()),
        });
    }

    /// A flag with each value that there is.
    fn options(&mut self, flag: Flag, values: impl IntoIterator<Item: ToString>) {
        values
            .into_iter()
            .for_each(|value| self.option(flag, value));
    }

    fn switch(&mut self, flag: Flag) {
        self.options.push(Choice { flag, value: None });
    }

    fn idle_gaps(&mut self, gaps: &[Nanos]) {
        if !gaps.is_empty() {
            self.option(
                Flag::IdleGaps,
                gaps.iter().copied().map(time).collect::<Vec<_>>().join(","),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Command {
        Command {
            subcommand: "profile",
            models: Vec::new(),
            options: Vec::new(),
            others: Vec::new(),
        }
    }

    #[test]
    fn a_flag_takes_its_value_along() {
        let mut command = empty();
        command.option(Flag::Batch, "1,2");
        command.switch(Flag::RequireEp);
        command.option(Flag::Seed, 0);
        let words = |command: Command| command.words()[2..].join(" ");
        assert_eq!(
            words(command.clone().with(Flag::Batch, 4)),
            "--require-ep --seed 0 --batch 4"
        );
        assert_eq!(
            words(command.clone().without(Flag::RequireEp)),
            "--batch 1,2 --seed 0"
        );
        assert_eq!(
            words(command.with_switch(Flag::Cold)),
            "--batch 1,2 --require-ep --seed 0 --cold"
        );
    }

    #[test]
    fn words_that_begin_with_a_dash_are_not_taken_for_flags() {
        let mut command = empty();
        command.option(Flag::Data, "-x.npz");
        assert_eq!(
            command.with_model("-m.onnx").words()[2..],
            ["--data=-x.npz", "--", "-m.onnx"]
        );
    }
}
