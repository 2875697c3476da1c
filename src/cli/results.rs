//! Further runs and results of gates, that the whole template is filled from beside the run.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{CliError, Result, runs};
use crate::analysis::{self, comparison};
use crate::files::{self, Kind};
use crate::record::RunRecord;
use crate::report::view::ComparisonView;
use crate::report::{Beside, Context, GateResult, Search};
use crate::text::Plain;

/// The file that is looked for in a run's folder.
pub(super) const CONTEXT: &str = "context.toml";

/// What was named beside a run, read.
#[derive(Debug, Default)]
pub(super) struct Results {
    runs: Vec<Further>,
    gates: Vec<GateResult>,
}

#[derive(Debug)]
struct Further {
    path: PathBuf,
    record: RunRecord,
}

impl Results {
    /// Reads folders of runs, their records, and files of `onnxprof gate --json`.
    pub(super) fn read(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let mut results = Results::default();
        for path in paths {
            if is_run(&path) {
                let record = runs::load(&path)?;
                results.runs.push(Further { path, record });
            } else {
                results.gates.push(gate(&path)?);
            }
        }
        Ok(results)
    }

    /// What fills the template of a run, beside it.
    pub(super) fn beside(self, context: Context, run: &Path, record: &RunRecord) -> Beside {
        let (searches, others): (Vec<Further>, Vec<Further>) = self
            .runs
            .into_iter()
            .partition(|further| further.record.tuning.is_some());
        Beside {
            context,
            comparisons: others
                .iter()
                .flat_map(|other| compared(other, run, record))
                .collect(),
            searches: searches.into_iter().map(search).collect(),
            gates: self.gates,
        }
    }
}

/// What `onnxprof gate --json` prints.
#[derive(Deserialize)]
struct Document {
    data: GateResult,
}

/// A file of any other name than that of a record is a result of a gate.
fn is_run(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_none_or(|name| name == "run.json")
}

/// Paths in a context file, as seen from it.
pub(super) fn named_in<'a>(
    context: &'a Context,
    file: &'a Path,
) -> impl Iterator<Item = PathBuf> + 'a {
    let folder = file.parent().unwrap_or(Path::new(""));
    context.results().iter().map(|path| folder.join(path))
}

fn gate(path: &Path) -> Result<GateResult> {
    let named = || format!("failed to read the result in `{}`", path.display());
    let hint = format!(
        "name the folder of a run, or a file that `onnxprof gate --json` wrote, here or as `results` in {CONTEXT}"
    );
    let text = files::text(path, Kind::RULES)
        .map_err(|error| CliError::of(error).with_hint(&hint).causing(named()))?;
    let document: Document = serde_json::from_str(&text)
        .map_err(|error| CliError::bad_input(error.to_string(), &hint).causing(named()))?;
    Ok(GateResult {
        path: Plain::from(path),
        ..document.data
    })
}

fn search(further: Further) -> Search {
    Search {
        findings: analysis::findings(&further.record),
        path: Plain::from(further.path.as_path()),
        record: further.record,
    }
}

/// The later run against the earlier one, in sentences, or why they cannot be compared.
fn compared(other: &Further, run: &Path, record: &RunRecord) -> Vec<String> {
    let is_earlier = other.record.run.started_at.exact() < record.run.started_at.exact();
    let name = Plain::from(other.path.as_path());
    let other = comparison::NamedRun::new(other.path.clone(), &other.record);
    let own = comparison::NamedRun::new(run.to_owned(), record);
    let runs = if is_earlier {
        [other, own]
    } else {
        [own, other]
    };
    match comparison::compare(&runs, None) {
        Ok(comparisons) => {
            let view = ComparisonView::new(&comparisons);
            view.headlines.into_iter().chain(view.warnings).collect()
        }
        Err(error) => vec![format!("not compared with {name}: {error}")],
    }
}
