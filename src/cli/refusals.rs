//! Runs that are refused as sides of a comparison, unless they are asked for nevertheless.

use std::path::Path;

use super::{CliError, Result};
use crate::analysis::comparison::{
    ComparedRun, Difference, Pair, Recorded, kind_differences, model_differences,
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
