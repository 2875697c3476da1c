//! Several runs, laid over each other.

use std::path::PathBuf;

use serde::Serialize;

use super::json::{self, Answer, JsonArgs};
use super::output::RunData;
use super::refusals::{AllowedRuns, select_error};
use super::runs::{self, folder};
use super::{CliError, Result};
use crate::analysis::comparison::{Comparisons, NamedRun, SelectError, compare};
use crate::record::RunRecord;
use crate::report::{self, Report};

/// Runs beyond which nobody can read lines that lie over each other.
const MOST_RUNS: usize = 10;

/// The report of runs over each other, the first of them what the others are compared with; `None`
/// where it was printed for programs.
pub(super) fn report(
    paths: &[&PathBuf],
    allowed: AllowedRuns,
    json: JsonArgs,
) -> Result<Option<Report>> {
    if paths.len() > MOST_RUNS {
        return Err(CliError::usage(
            format!(
                "{} runs were named, and a report lays at most {MOST_RUNS} over each other",
                paths.len()
            ),
            "name fewer; `onnxprof compare` takes any number",
        ));
    }
    let records = paths
        .iter()
        .map(|path| runs::load(path))
        .collect::<Result<Vec<_>>>()?;
    refuse_twice(paths, &records)?;
    let runs: Vec<NamedRun<'_>> = paths
        .iter()
        .zip(&records)
        .map(|(&path, record)| NamedRun::new(path.clone(), record))
        .collect();
    let comparisons = compare(&runs, None).map_err(not_comparable)?;
    allowed.check(&comparisons)?;
    let view = report::of_runs(&runs, &comparisons);
    if json.json {
        print_json(&runs, &comparisons, &view)?;
        return Ok(None);
    }
    Ok(Some(view))
}

/// A run over itself says nothing.
fn refuse_twice(paths: &[&PathBuf], records: &[RunRecord]) -> Result<()> {
    for (place, record) in records.iter().enumerate() {
        let Some(first) = records[..place].iter().position(|other| other == record) else {
            continue;
        };
        return Err(CliError::usage(
            format!(
                "`{}` and `{}` are one and the same run",
                paths[first].display(),
                paths[place].display()
            ),
            "name every run once",
        ));
    }
    Ok(())
}

fn not_comparable(error: SelectError) -> CliError {
    let is_unlike = matches!(error, SelectError::NothingInCommon { .. });
    let refused = select_error(error);
    if is_unlike {
        return refused.with_hint(
            "name runs of variants that are called alike; `onnxprof compare OLD NEW --variants A,B` compares two that are not",
        );
    }
    refused
}

/// What `--json` prints of several runs.
#[derive(Serialize)]
struct Data<'a> {
    /// The findings of each run by itself.
    runs: Vec<RunData<'a>>,
    /// Each run against the first one.
    comparison: &'a Comparisons,
}

fn print_json(runs: &[NamedRun<'_>], comparison: &Comparisons, view: &Report) -> Result<()> {
    let of_runs = runs.iter().map(|run| RunData {
        folder: folder(&run.path),
        findings: &run.findings,
    });
    let data = Data {
        runs: of_runs.collect(),
        comparison,
    };
    json::print("report", Some(&Answer::undecided(&view.verdict)), &data)
}
