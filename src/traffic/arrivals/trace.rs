//! Arrivals as they were recorded: CSV with a column of times, or JSON lines.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::{self, Kind};

/// Names under which a column or a field holds times, of which the first that is there is taken.
const TIMES: [&str; 5] = ["time", "timestamp", "seconds", "arrival", "t"];

/// Why a file is no trace of arrivals.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be read.
    #[error("`{}` cannot be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// A line is no time, or one that is not possible.
    #[error("`{}`, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Its times say nothing of distances.
    #[error("`{}` {reason}", path.display())]
    Whole {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as the end of a sentence.
        reason: &'static str,
    },
}

/// Whether a file is a trace of arrivals: seconds in ascending order, at least two of them apart.
///
/// # Errors
/// [`TraceError`] says what is wrong, and on which line.
pub fn check_trace(path: &Path) -> Result<(), TraceError> {
    distances(path).map(|_| ())
}

/// Distances of the requests of a trace with a mean of 1; the first one stands for the unknown one
/// from the last request to the next beginning, and is the mean.
pub(super) fn distances(path: &Path) -> Result<Vec<f64>, TraceError> {
    let times = times(path)?;
    let whole = |reason| TraceError::Whole {
        path: path.to_owned(),
        reason,
    };
    let (first, last) = match times[..] {
        [] => return Err(whole("is empty")),
        [_] => return Err(whole("has one time, which says nothing of distances")),
        [first, .., last] => (first, last),
    };
    let mean = (last - first) / (times.len() - 1) as f64;
    if mean <= 0.0 {
        return Err(whole("has all requests at the same time"));
    }
    let between = times.windows(2).map(|two| (two[1] - two[0]) / mean);
    Ok(std::iter::once(1.0).chain(between).collect())
}

/// The times of a trace, ascending, in seconds.
fn times(path: &Path) -> Result<Vec<f64>, TraceError> {
    let text = files::text(path, Kind::ARRIVALS).map_err(|error| TraceError::File {
        path: path.to_owned(),
        error,
    })?;
    let mut form = None;
    let mut times: Vec<f64> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |reason| TraceError::Line {
            path: path.to_owned(),
            line: at + 1,
            reason,
        };
        if line.trim().is_empty() {
            continue;
        }
        let known = match form {
            Some(known) => known,
            None => match Form::of(line) {
                Ok(found) => *form.insert(found),
                Err(heading) => {
                    form = Some(heading);
                    continue;
                }
            },
        };
        let time = known.time(line).map_err(wrong)?;
        check(time, times.last().copied()).map_err(wrong)?;
        times.push(time);
    }
    Ok(times)
}

fn check(time: f64, last: Option<f64>) -> Result<(), String> {
    if !time.is_finite() {
        return Err(format!("{time} is no time"));
    }
    if time < 0.0 {
        return Err(format!("{time} s lies before 0"));
    }
    match last {
        Some(last) if time < last => Err(format!(
            "{time} s comes after {last} s: times are to ascend"
        )),
        Some(_) | None => Ok(()),
    }
}

/// How a line holds its time.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// A number in a column, from 0.
    Csv { column: usize },
    /// A number, or an object with one.
    Json,
}

impl Form {
    /// The form of the file by its first line; of a heading, which holds no time, as the error.
    fn of(line: &str) -> Result<Form, Form> {
        if line.trim_start().starts_with('{') {
            return Ok(Form::Json);
        }
        let cells = || line.split(',').map(|cell| cell.trim().trim_matches('"'));
        if cells()
            .next()
            .is_some_and(|cell| cell.parse::<f64>().is_ok())
        {
            return Ok(Form::Csv { column: 0 });
        }
        let named = TIMES
            .iter()
            .find_map(|name| cells().position(|cell| cell.eq_ignore_ascii_case(name)));
        match named {
            Some(column) => Err(Form::Csv { column }),
            // Not a heading of ours: its line is told as wrong.
            None => Ok(Form::Csv { column: 0 }),
        }
    }

    fn time(self, line: &str) -> Result<f64, String> {
        match self {
            Form::Csv { column } => {
                let cell = line.split(',').nth(column).unwrap_or_default().trim();
                cell.parse().map_err(|_| {
                    format!("`{cell}` is no time in seconds; a heading names the column `time`")
                })
            }
            Form::Json => {
                let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
                let time = TIMES.iter().find_map(|name| value.get(name)?.as_f64());
                time.ok_or_else(|| "no field `time` with seconds".to_owned())
            }
        }
    }
}
