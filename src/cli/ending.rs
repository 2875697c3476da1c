//! The end of a run: its summary and reports, its error, and its exit code.

use std::path::Path;
use std::time::Duration;

use super::job::Target;
use super::output::{Failures, Reports};
use super::progress::Console;
use super::{CliError, Result, exit, say};
use crate::analysis::{self, Decision};
use crate::record::{EndReason, Failure, FailureKind, Outcome, RunRecord};
use crate::report::view::number;
use crate::runner::{self, Job, Ran, RunError};
use crate::store::StoreError;
use crate::text::{Plain, distinct};

/// Prints the summary of a run, and then writes its reports.
pub(super) fn written(reports: &Reports, ran: &mut Ran) -> Failures {
    let mut failures = Failures::default();
    if nothing_measured(&ran.record).is_none() {
        let printed = reports.printed.clone();
        failures.note(printed.and_then(|text| say::result(text.as_bytes())));
    }
    failures.add(unwritten(ran));
    reports.write(&mut failures);
    failures
}

/// Why the record of a run is not on disk as a whole.
pub(super) fn unwritten(ran: &mut Ran) -> Option<CliError> {
    Some(store_error(ran.unwritten.take()?, ran.folder.path()))
}

/// The error of a run in which nothing was measured, or of what could not be written.
pub(super) fn finished(failures: Failures, record: &RunRecord) -> Result<()> {
    let result = failures.into_result();
    let Some(mut nothing) = nothing_measured(record) else {
        return result;
    };
    nothing
        .chain
        .extend(result.err().into_iter().flat_map(|error| error.chain));
    Err(nothing)
}

/// Exit code for the way a run ended. Something was measured, or the run was interrupted.
pub(super) fn exit_code(record: &RunRecord) -> u8 {
    let is_whole = record.is_complete()
        && !record
            .cells
            .iter()
            .map(|cell| &cell.outcome)
            .chain(record.accuracy.iter().map(|scored| &scored.outcome))
            .any(|outcome| matches!(outcome, Outcome::Failed(_)))
        && record.failed_launches(None).next().is_none();
    if is_whole { exit::DONE } else { exit::PARTIAL }
}

/// Exit code of a command that is asked for a decision: one that found none must not look like
/// success.
pub(super) fn decided(record: &RunRecord, decision: Decision) -> u8 {
    match exit_code(record) {
        exit::DONE => exit::of(decision),
        partial => partial,
    }
}

/// The error of a run that came to its end without a single measurement; its record says the same.
pub(super) fn nothing_measured(record: &RunRecord) -> Option<CliError> {
    let outcomes = || record.cells.iter().map(|cell| &cell.outcome);
    if !record.is_complete() || outcomes().any(Outcome::is_ok) {
        return None;
    }
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
    Some(
        failed(
            "nothing could be measured",
            distinct(outcomes().filter_map(Outcome::reason).map(Plain::exact)),
        )
        .advised(hint),
    )
}

/// An error of what was named, with these causes.
fn failed(message: &str, causes: Vec<&str>) -> CliError {
    let mut error = CliError::message(exit::BAD_INPUT, message);
    error.chain.extend(causes.into_iter().map(str::to_owned));
    error
}

/// The error of a run whose budget was spent before anything was timed, with what there was of it.
fn nothing_timed(record: &RunRecord) -> CliError {
    let mut spent = "the budget was spent before anything was timed".to_owned();
    if let Some(took) = record.untimed_inference_ns() {
        let took = number::time(took);
        spent += &format!(": one inference took {took} (n = 1)");
    }
    let enough = analysis::findings(record).decisions.answer.enough_budget_ns;
    let hint = match enough.map(|enough| Duration::from(enough).as_secs() + 1) {
        Some(seconds) => format!("about {seconds} s would do for a verdict: `--budget {seconds}s`"),
        None => "give it more with `--budget`".into(),
    };
    CliError::bad_input(spent, hint).causing("nothing could be measured")
}

/// Measures a job whose run goes to `target`.
pub(super) fn measured(job: Job, target: &Target, console: &mut Console) -> Result<Ran> {
    let result = runner::run(job, console);
    console.clear();
    result.map_err(|error| run_error(error, target))
}

/// The error of a run that could not be made, or not to its end.
pub(super) fn run_error(error: RunError, target: &Target) -> CliError {
    let is_recorded = matches!(
        error,
        RunError::Store(_) | RunError::System(_) | RunError::Changed(_)
    );
    if !is_recorded {
        target.clean_up();
    }
    let hint = match error {
        RunError::NoVariant { failures } => return no_variant(&failures),
        RunError::Runtime(Failure { message, hint, .. })
        | RunError::Labels(Failure { message, hint, .. }) => {
            return failed(message.exact(), Vec::new()).advised(hint.map(Plain::into_exact));
        }
        RunError::Interrupted => return CliError::new(exit::PARTIAL, error),
        RunError::Store(error) => return store_error(error, &target.path),
        RunError::System(_) => return CliError::bug(error),
        RunError::Changed(_) => "begin a new search: leave out `--resume`",
        RunError::Unlabelled => {
            "feed labelled data with `--data` and `--labels`, or leave the option out"
        }
        RunError::NoShare => "limit an error with `--slo 'mean_absolute_error<=VALUE'`",
        RunError::NoBatch { .. } => {
            return CliError::new(exit::USAGE, error)
                .with_hint("leave out `--batcher`, or name a `max-batch` that the model takes");
        }
        RunError::Files { .. } => "raise the limit with `ulimit -n 1024`",
    };
    CliError::of(error).with_hint(hint)
}

/// The error of a run that cannot be written down any further.
fn store_error(error: StoreError, folder: &Path) -> CliError {
    let kept = format!("what was measured before is kept in `{}`", folder.display());
    let hint = error.hint().map(|hint| format!("{hint}; {kept}"));
    CliError::of(error).with_hint(hint.unwrap_or(kept))
}

fn no_variant(failures: &[Failure]) -> CliError {
    let messages = distinct(failures.iter().map(|failure| failure.message.exact()));
    let mut error = match messages[..] {
        [only] => failed(only, Vec::new()),
        _ => failed("none of the models can be measured", messages),
    };
    if failures
        .iter()
        .all(|failure| failure.kind == FailureKind::Usage)
    {
        error.code = exit::USAGE;
    }
    let hint = failures.iter().find_map(|failure| failure.hint.clone());
    error.advised(hint.map(Plain::into_exact))
}
