//! Runs that are refused as sides of a comparison, unless they are asked for nevertheless.

use std::path::Path;

use super::{CliError, Result, exit};
use crate::analysis::comparison::{
    ComparedRun, Comparisons, Difference, Pair, Recorded, SelectError, kind_differences,
    model_differences,
};
use crate::onnx;
use crate::record::{Fitness, FitnessVerdict, RunRecord};
use crate::report::view::difference;
use crate::text::{Plain, distinct};

/// What is compared although it is refused by default.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Allowed {
    /// Compare although inputs, outputs or the task of the models differ, and say how.
    #[arg(long)]
    pub across_models: bool,

    /// Take the figures of a run although it is INVALID: the machine was not fit to measure on.
    #[arg(long)]
    pub accept_invalid: bool,
}

/// What is compared of several runs although it is refused by default.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct AllowedRuns {
    /// Compare although the runs were measured on different machines, and say how these differ.
    #[arg(long)]
    pub across_hosts: bool,

    #[command(flatten)]
    pub allowed: Allowed,
}

impl AllowedRuns {
    /// Refuses what a ratio says nothing about. Variants of one run took turns, under the same load
    /// whatever that was.
    pub fn check(self, comparisons: &Comparisons) -> Result<()> {
        let Some((first, others)) = comparisons.runs.split_first() else {
            return Ok(());
        };
        if !self.across_hosts {
            others
                .iter()
                .try_for_each(|other| same_machine(&first.path, other))?;
        }
        let (runs, pairs) = (&comparisons.runs, &comparisons.pairs);
        pairs
            .iter()
            .try_for_each(|pair| self.allowed.check_pair(pair, runs))?;
        if others.is_empty() {
            return Ok(());
        }
        runs.iter()
            .try_for_each(|run| self.allowed.check_machine(&run.path, run.fitness.as_ref()))
    }

    /// Whether anything is allowed that is refused by default.
    pub fn is_any(self) -> bool {
        self.across_hosts || self.allowed.across_models || self.allowed.accept_invalid
    }
}

impl Allowed {
    /// Refuses a run at `path` whose machine was not fit to measure on.
    pub fn check_machine(self, path: &Path, fitness: Option<&Fitness>) -> Result<()> {
        let unfit = fitness.filter(|fitness| fitness.verdict == FitnessVerdict::Invalid);
        let Some(fitness) = unfit.filter(|_| !self.accept_invalid) else {
            return Ok(());
        };
        let mut error = CliError::bad_input(
            format!(
                "the run in `{}` is {}",
                path.display(),
                FitnessVerdict::Invalid.word()
            ),
            "measure again when the machine is idle (`onnxprof doctor` says what it is busy with); `--accept-invalid` takes \
             the figures nevertheless",
        );
        let reasons = fitness.reasons.iter();
        error.chain.extend(
            reasons
                .filter(|reason| reason.severity == FitnessVerdict::Invalid)
                .map(|reason| reason.seen.exact().to_owned()),
        );
        Err(error)
    }

    /// Refuses two models of unlike kinds that are compared.
    pub fn check_pair(self, pair: &Pair, runs: &[ComparedRun]) -> Result<()> {
        let [baseline, candidate] = [&pair.baseline, &pair.candidate]
            .map(|party| format!("`{}` in `{}`", party.label, runs[party.run].path.display()));
        self.check_models(
            &format!("{baseline} and {candidate}"),
            &pair.model_differences,
        )
    }

    /// Refuses variants of one name in two runs that are models of unlike kinds.
    pub fn check_variants(self, run: &RunRecord, against: &RunRecord) -> Result<()> {
        for (session, name) in first_sessions(run) {
            let same_name = first_sessions(against).find(|(_, other)| *other == name);
            let Some((counterpart, _)) = same_name else {
                continue;
            };
            let differences = model_differences(
                Recorded {
                    record: against,
                    session: counterpart,
                },
                Recorded {
                    record: run,
                    session,
                },
            );
            self.check_models(&format!("`{}` in both runs", name.exact()), &differences)?;
        }
        Ok(())
    }

    /// Refuses two model files of unlike kinds; files that cannot be read are not judged here.
    pub fn check_files(self, old: &Path, new: &Path) -> Result<()> {
        let (Ok(older), Ok(newer)) = (onnx::read(old), onnx::read(new)) else {
            return Ok(());
        };
        let sides = format!("`{}` and `{}`", old.display(), new.display());
        let differences = kind_differences(&onnx::summary(&older), &onnx::summary(&newer));
        self.check_models(&sides, &differences)
    }

    fn check_models(self, sides: &str, differences: &[Difference]) -> Result<()> {
        if differences.is_empty() || self.across_models {
            return Ok(());
        }
        let mut error = CliError::bad_input(
            format!("{sides}: the models are of unlike kinds"),
            "compare versions of one model; `--across-models` compares these nevertheless",
        );
        error.chain.extend(differences.iter().map(difference));
        Err(error)
    }
}

/// The first session of each variant, and the variant's name.
fn first_sessions(run: &RunRecord) -> impl Iterator<Item = (usize, &Plain)> {
    let plan = &run.plan;
    distinct(plan.sessions.iter().map(|spec| spec.variant))
        .into_iter()
        .filter_map(|variant| {
            let mut sessions = plan.sessions.iter();
            let session = sessions.position(|spec| spec.variant == variant)?;
            Some((session, &plan.variants[variant].name))
        })
}

/// Refuses a run of another machine than that of the run at `first`.
fn same_machine(first: &Path, other: &ComparedRun) -> Result<()> {
    if other.host_differences.is_empty() {
        return Ok(());
    }
    let (first, path) = (first.display(), other.path.display());
    let mut error = CliError::bad_input(
        format!("`{first}` and `{path}` are of different machines"),
        "measure both on one machine; `--across-hosts` compares them nevertheless",
    );
    error
        .chain
        .extend(other.host_differences.iter().map(difference));
    Err(error)
}

/// A selection that was refused, with what to do.
pub(super) fn select_error(error: SelectError) -> CliError {
    let hint = match &error {
        SelectError::WhichVariants(_, names) if names.len() > 1 => format!(
            "name two of them with `--variants {},{}`, or a second run",
            names[0], names[1]
        ),
        SelectError::WhichVariants(..) => "name a second run to compare it with".into(),
        SelectError::TooManyRuns(_) => "name two runs, or leave out `--variants`".into(),
        SelectError::Itself(_) => "name two different variants".into(),
        SelectError::UnknownVariant { .. } => "name one of those with `--variants`".into(),
        SelectError::UnlikeSessions(..) => "measure both with the same session options".into(),
        SelectError::NothingInCommon {
            baseline_names,
            candidate_names,
            ..
        } => {
            let [old, new] = [baseline_names, candidate_names]
                .map(|names| names.first().map_or("", String::as_str));
            format!(
                "name one of each run with `--variants OLD,NEW`, such as `--variants {old},{new}`"
            )
        }
    };
    let is_of_input = matches!(
        error,
        SelectError::UnlikeSessions(..) | SelectError::NothingInCommon { .. }
    );
    let code = if is_of_input {
        exit::BAD_INPUT
    } else {
        exit::USAGE
    };
    CliError::new(code, error).with_hint(hint)
}
