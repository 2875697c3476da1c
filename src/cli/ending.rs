//! What the end of a run comes to: its exit code, its error, and what is written of it.

use std::path::Path;
use std::time::Duration;

use super::job::Target;
use super::output::{Failures, Reports};
use super::progress::Console;
use super::{CliError, exit, output};
use crate::analysis;
use crate::record::{EndReason, Failure, FailureKind, Outcome, RunRecord};
use crate::report::view::number;
use crate::runner::{self, Job, Ran, RunError};
use crate::store::StoreError;
use crate::text::Plain;

/// Prints the summary of a run, and then writes its reports; `unwritten` is why its record is not
/// on disk as a whole.
pub(super) fn written(
    reports: &Reports,
    record: &RunRecord,
    unwritten: Option<CliError>,
) -> Failures {
    let mut failures = Failures::default();
    if nothing_measured(record).is_none() {
        failures.note(reports.print_summary());
    }
    failures.note(unwritten.map_or(Ok(()), Err));
    reports.write(&mut failures);
    failures
}

/// The error of a run in which nothing was measured, or of what could not be written.
pub(super) fn finished(failures: Failures, record: &RunRecord) -> Result<(), CliError> {
    let Some(mut nothing) = nothing_measured(record) else {
        return failures.into_result();
    };
    nothing.chain.extend(
        failures
            .into_result()
            .err()
            .into_iter()
            .flat_map(|error| error.chain),
    );
    Err(nothing)
}

/// What the way a run ended means to a script. Something was measured, or the run was interrupted.
pub(super) fn exit_code(record: &RunRecord) -> u8 {
    let outcomes = record.cells.iter().map(|cell| &cell.outcome);
    let scored = record.accuracy.iter().map(|accuracy| &accuracy.outcome);
    let failed = outcomes
        .chain(scored)
        .any(|outcome| matches!(outcome, Outcome::Failed(_)));
    let failed = failed || record.failed_launches(None).next().is_some();
    if failed || !record.is_complete() {
        exit::PARTIAL
    } else {
        exit::DONE
    }
}

/// The error of a run that came to its end without a single measurement; its record says the same.
pub(super) fn nothing_measured(record: &RunRecord) -> Option<CliError> {
    if !record.is_complete() || record.cells.iter().any(|cell| cell.outcome.is_ok()) {
        return None;
    }
    let outcomes = || record.cells.iter().map(|cell| &cell.outcome);
    let has_failed = outcomes().any(|outcome| matches!(outcome, Outcome::Failed(_)));
    if record.run.ended_by == Some(EndReason::BudgetSpent) && !has_failed {
        return Some(nothing_timed(record));
    }
    let hint = outcomes().find_map(|outcome| match outcome {
        Outcome::Failed(failure) => failure.hint.clone().map(Plain::into_exact),
        Outcome::Skipped { .. } => {
            Some("leave out `--batch`, or name batch sizes that the model takes".into())
        }
        Outcome::Ok => None,
    });
    let reasons = distinct(outcomes().filter_map(Outcome::reason).map(Plain::exact));
    let chain = std::iter::once("nothing could be measured".to_owned())
        .chain(reasons)
        .collect();
    Some(CliError {
        code: exit::BAD_INPUT,
        chain,
        hint,
    })
}

/// The error of a run whose budget was spent before anything was timed, with what there was of it.
fn nothing_timed(record: &RunRecord) -> CliError {
    let mut spent = "the budget was spent before anything was timed".to_owned();
    if let Some(took) = record.untimed_inference_ns() {
        spent.push_str(&format!(
            ": one inference took {} (n = 1)",
            number::time(took)
        ));
    }
    let enough = analysis::findings(record).answer.enough_budget_ns;
    let hint = match enough.map(|enough| Duration::from(enough).as_secs() + 1) {
        Some(seconds) => format!("about {seconds} s would do for a verdict: `--budget {seconds}s`"),
        None => "give it more with `--budget`".into(),
    };
    CliError::bad_input(spent, hint).causing("nothing could be measured".to_owned())
}

/// Measures a job whose run goes to `target`.
pub(super) fn measured(job: Job, target: &Target, console: &mut Console) -> Result<Ran, CliError> {
    let result = runner::run(job, console);
    console.clear();
    result.map_err(|error| run_error(&error, target))
}

/// The error of a run that could not be made, or not to its end.
pub(super) fn run_error(error: &RunError, target: &Target) -> CliError {
    let is_recorded = matches!(
        error,
        RunError::Store(_) | RunError::System(_) | RunError::Changed(_)
    );
    if !is_recorded {
        target.clean_up();
    }
    match error {
        RunError::NoVariant { failures } => no_variant(failures),
        RunError::Runtime(failure) | RunError::Labels(failure) => {
            let chain = vec![failure.message.exact().to_owned()];
            CliError {
                code: exit::BAD_INPUT,
                chain,
                hint: failure.hint.clone().map(Plain::into_exact),
            }
        }
        RunError::Changed(_) => CliError::new(exit::BAD_INPUT, error)
            .with_hint("begin a new search: leave out `--resume`".to_owned()),
        RunError::Unlabelled => CliError::new(exit::BAD_INPUT, error).with_hint(
            "feed labelled data with `--data` and `--labels`, or leave the option out".to_owned(),
        ),
        RunError::NoShare => CliError::new(exit::BAD_INPUT, error)
            .with_hint("limit an error with `--slo 'mean_absolute_error<=VALUE'`".to_owned()),
        RunError::Interrupted => CliError::new(exit::PARTIAL, error),
        RunError::Files { .. } => CliError::new(exit::BAD_INPUT, error)
            .with_hint("raise the limit with `ulimit -n 1024`".to_owned()),
        RunError::Store(error) => store_error(error, &target.path),
        RunError::System(_) => CliError::bug(error),
    }
}

/// The error of a run that cannot be written down any further.
pub(super) fn store_error(error: &StoreError, folder: &Path) -> CliError {
    let error = output::store_error(error);
    let kept = format!("what was measured before is kept in `{}`", folder.display());
    let hint = error
        .hint
        .as_ref()
        .map_or_else(|| kept.clone(), |hint| format!("{hint}; {kept}"));
    error.with_hint(hint)
}

fn no_variant(failures: &[Failure]) -> CliError {
    let messages = distinct(failures.iter().map(|failure| failure.message.exact()));
    let chain = match messages.as_slice() {
        [only] => vec![only.clone()],
        _ => std::iter::once("none of the models can be measured".to_owned())
            .chain(messages)
            .collect(),
    };
    let hint = failures
        .iter()
        .find_map(|failure| failure.hint.clone())
        .map(Plain::into_exact);
    let is_usage = failures
        .iter()
        .all(|failure| failure.kind == FailureKind::Usage);
    CliError {
        code: if is_usage {
            exit::USAGE
        } else {
            exit::BAD_INPUT
        },
        chain,
        hint,
    }
}

fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.iter().any(|known| known == text) {
            distinct.push(text.to_owned());
        }
    }
    distinct
}
