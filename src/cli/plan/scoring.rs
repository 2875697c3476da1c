//! Options that say how outputs are scored, for every command that scores them.

use crate::plan::{Flag, ScoredSamples, Task};

#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Scoring")]
pub struct ScoringArgs {
    /// What the model predicts.
    #[arg(long = Flag::Task.word(), default_value = "auto")]
    pub task: TaskArg,
    /// Samples that outputs are scored on, the same for every variant: the first N, or `all`,
    /// however long that takes. [default: as many as fit 8% of the budget]
    #[arg(long = Flag::ScoreSamples.word(), value_name = "all|N", value_parser = parse_samples)]
    pub score_samples: Option<ScoredSamples>,
}

/// Kind of prediction that the model makes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum TaskArg {
    /// What the labels and the outputs say.
    Auto,
    /// One score per class.
    Classification,
    /// Numbers.
    Regression,
}

impl From<TaskArg> for Task {
    fn from(arg: TaskArg) -> Self {
        match arg {
            TaskArg::Auto => Task::Inferred,
            TaskArg::Classification => Task::Classification,
            TaskArg::Regression => Task::Regression,
        }
    }
}

fn parse_samples(word: &str) -> Result<ScoredSamples, String> {
    match word.parse() {
        Ok(count) if count > 0 => Ok(ScoredSamples::First(count)),
        _ if word == "all" => Ok(ScoredSamples::All),
        _ => Err("expected a number of samples, from 1 on, or `all`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_a_number_or_all() {
        assert_eq!(parse_samples("all"), Ok(ScoredSamples::All));
        assert_eq!(parse_samples("250"), Ok(ScoredSamples::First(250)));
        for word in ["0", "-1", "1.5", "some", ""] {
            assert!(parse_samples(word).is_err(), "{word}");
        }
    }
}
