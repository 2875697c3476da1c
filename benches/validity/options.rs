//! What is to be tried, and how often.

use std::path::PathBuf;
use std::str::FromStr;

use crate::support::BenchError;

/// The words of the command line.
pub struct Options {
    /// Names of the experiments; none: all that need no ONNX Runtime.
    names: Vec<String>,
    /// A tenth of everything.
    quick: bool,
    /// What all random numbers follow from.
    pub seed: u64,
    /// Comparisons with real models for each row.
    pub comparisons: usize,
    /// Seconds for each pair of real models; none: several.
    pub seconds: Option<usize>,
    /// Intra-op threads of real models; none: one and two.
    pub threads: Option<usize>,
    /// What else the machine does while real models are measured; none: both.
    pub machine: Option<Machine>,
    /// Gates of the same model.
    pub same: usize,
    /// Gates of a model that has more to do.
    pub planted: usize,
    /// The program that gates; none: that of this build.
    pub program: Option<PathBuf>,
}

/// What else the machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    Idle,
    /// Another process keeps one core busy.
    Busy,
}

impl FromStr for Machine {
    type Err = BenchError;

    fn from_str(word: &str) -> Result<Self, BenchError> {
        match word {
            "idle" => Ok(Self::Idle),
            "busy" => Ok(Self::Busy),
            other => Err(format!("`{other}` is neither `idle` nor `busy`").into()),
        }
    }
}

impl Options {
    /// From words; `known` are the experiments there are.
    pub fn read(words: impl Iterator<Item = String>, known: &[&str]) -> Result<Self, BenchError> {
        let mut options = Options {
            names: Vec::new(),
            quick: false,
            seed: 1,
            comparisons: 60,
            seconds: None,
            threads: None,
            machine: None,
            same: 100,
            planted: 40,
            program: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                // What `cargo bench` adds.
                "--bench" => {}
                "--quick" => options.quick = true,
                "--seed" => options.seed = value(words.next())?,
                "--comparisons" => options.comparisons = value(words.next())?,
                "--seconds" => options.seconds = Some(value(words.next())?),
                "--threads" => options.threads = Some(value(words.next())?),
                "--same" => options.same = value(words.next())?,
                "--planted" => options.planted = value(words.next())?,
                "--program" => options.program = Some(value(words.next())?),
                "--machine" => options.machine = Some(value(words.next())?),
                name if known.contains(&name) => options.names.push(word),
                other => return Err(format!("`{other}` is none of {}", known.join(", ")).into()),
            }
        }
        Ok(options)
    }

    /// Whether an experiment is to be run.
    pub fn wants(&self, name: &str) -> bool {
        if self.names.is_empty() {
            !name.starts_with("real")
        } else {
            self.names.iter().any(|asked| asked == name)
        }
    }

    /// How often something is tried whose full number is `full`.
    pub fn scaled(&self, full: usize) -> usize {
        if self.quick { full.div_ceil(10) } else { full }
    }
}

fn value<T: FromStr>(word: Option<String>) -> Result<T, BenchError> {
    word.and_then(|word| word.parse().ok())
        .ok_or_else(|| "a value must follow the option".into())
}
