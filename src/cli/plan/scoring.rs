//! Options that say how outputs are scored, for every command that scores them.

use crate::plan::{Flag, ScoredSamples, Task, Tolerance};

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Scoring")]
pub struct ScoringArgs {
    /// What the model predicts.
    #[arg(long = Flag::Task.word(), default_value = "auto")]
    pub task: TaskArg,
    /// Samples that outputs are scored on, the same for every variant: the first N, or `all`,
    /// however long that takes. [default: as many as fit 8% of the budget]
    #[arg(long = Flag::ScoreSamples.word(), value_name = "all|N", value_parser = parse_samples)]
    pub score_samples: Option<ScoredSamples>,
    /// How far an output may lie from the baseline's where there are no labels: up to SHIP a
    /// variant may be shipped, beyond REFUSE it must not be; may be given several times. Both are
    /// shares of equal classes, cosines, or relative errors, as the output's kind has it.
    /// [default: classes 0.99:0.9, embeddings 0.99:0.9, other numbers 0.01:0.1]
    #[arg(long = Flag::Tolerance.word(), value_name = "OUTPUT=SHIP[:REFUSE]", value_parser = parse_tolerance)]
    pub tolerance: Vec<Tolerance>,
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

fn parse_tolerance(text: &str) -> Result<Tolerance, String> {
    // Names of outputs may hold `=` and `:`.
    let (output, bounds) = text
        .rsplit_once('=')
        .filter(|(output, _)| !output.is_empty())
        .ok_or("write it as OUTPUT=SHIP or OUTPUT=SHIP:REFUSE, such as `embedding=0.98:0.9`")?;
    let (ship, refuse) = match bounds.split_once(':') {
        Some((ship, refuse)) => (ship, Some(refuse)),
        None => (bounds, None),
    };
    Ok(Tolerance {
        output: output.into(),
        ship: parse_bound(ship)?,
        refuse: refuse.map(parse_bound).transpose()?,
    })
}

fn parse_bound(word: &str) -> Result<f64, String> {
    match word.parse::<f64>() {
        Ok(bound) if bound.is_finite() && bound >= 0.0 => Ok(bound),
        _ => Err(format!("`{word}` is no number from 0 on")),
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
    fn tolerance_is_an_output_with_one_bound_or_two() {
        let of = |output: &str, ship, refuse| Tolerance {
            output: output.into(),
            ship,
            refuse,
        };
        for (text, tolerance) in [
            ("embedding=0.98", of("embedding", 0.98, None)),
            ("a=b:0=0.02:0.1", of("a=b:0", 0.02, Some(0.1))),
        ] {
            assert_eq!(parse_tolerance(text), Ok(tolerance), "{text}");
        }
        for text in ["", "y", "=1", "y=", "y=1:", "y=nan", "y=-1", "y=0.9:x"] {
            assert!(parse_tolerance(text).is_err(), "{text}");
        }
    }

    #[test]
    fn samples_are_a_number_or_all() {
        assert_eq!(parse_samples("all"), Ok(ScoredSamples::All));
        assert_eq!(parse_samples("250"), Ok(ScoredSamples::First(250)));
        for word in ["0", "-1", "1.5", "some", ""] {
            assert!(parse_samples(word).is_err(), "{word}");
        }
    }
}
