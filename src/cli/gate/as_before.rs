//! Two versions of a variant's file, measured as a run did it.

use std::path::PathBuf;

use super::measuring::{Measuring, TARGET};
use super::subject::Loaded;
use super::versions::{Measured, Versions, run};
use crate::analysis::gate::Rule;
use crate::cli::job::{Asked, Beginning};
use crate::cli::plan::{self, Runtimes};
use crate::cli::progress::Console;
use crate::cli::{CliError, Result, resume};
use crate::plan::{Plan, RuntimeChoice, SessionSpec, SweepEnd};
use crate::record::RunRecord;
use crate::text::distinct;
use crate::units::Nanos;

/// Two versions of a variant's file, to be measured as a run did it.
pub(super) struct AsBefore<'a> {
    pub run: &'a Loaded,
    pub variant: usize,
    pub versions: Versions,
    /// What rules call the newer version.
    pub name: String,
    /// Runs that share the budget.
    pub count: usize,
    pub measuring: &'a Measuring,
}

impl AsBefore<'_> {
    pub(super) fn measured(&self, rules: &[Rule], console: &mut Console) -> Result<Measured> {
        let beginning = Beginning::now();
        let plan = self.plan()?;
        require_no_libraries(&plan)?;
        let runtimes = self.runtimes(&plan, console)?;
        console.introduce(&plan, &beginning.host);
        let folder = self.measuring.folder(&self.name, self.count);
        let path = beginning.folder(&folder, &self.name);
        let asked = Asked {
            name: self.name.clone(),
            plan,
            runtimes,
            notes: Vec::new(),
        };
        let (job, target) = beginning.job_at(path, asked)?;
        run(job, &target, rules, console)
    }

    /// The run's plan, for these two files.
    fn plan(&self) -> Result<Plan> {
        let RunRecord { plan, run, .. } = &self.run.record;
        if plan.tuning.is_some() {
            return Err(CliError::bad_input(
                "the run is a search, whose configurations are not measured again",
                "name the two model files",
            ));
        }
        let home = |path: &PathBuf| run.working_dir.join(path);
        let mut plan = Plan {
            variants: self.versions.variants(&self.name),
            baseline: 0,
            sessions: self.sessions(plan),
            sweep_end: SweepEnd::Listed,
            idle_gaps_ns: Vec::new(),
            latency_limit_ns: None,
            ..plan.clone()
        };
        plan.inputs.data = plan.inputs.data.as_ref().map(home);
        plan.inputs.labels = plan.inputs.labels.as_ref().map(home);
        let schedule = &mut plan.schedule;
        schedule.budget_ns = Some(Nanos::from(self.measuring.share(self.count)));
        schedule.rounds_count = None;
        schedule.alternations_count = None;
        schedule.target_half_width_ratio = TARGET;
        Ok(plan)
    }

    /// The runtimes of the plan: those that are named again, or else the user's own.
    fn runtimes(&self, plan: &Plan, console: &mut Console) -> Result<Runtimes> {
        let words = &self.measuring.runtime;
        let named = match words.is_empty() {
            true => None,
            false => Some(plan::runtimes(words, console)?),
        };
        let mut found = Vec::new();
        for choice in distinct(plan.sessions.iter().map(|spec| &spec.runtime)) {
            let again = named.iter().flat_map(|named| &named.found);
            let again = again.clone().find(|found| found.choice == *choice).cloned();
            found.push(match (again, choice) {
                (Some(again), _) => again,
                (None, RuntimeChoice::Library(path)) if named.is_none() => {
                    resume::own(path).map_err(|_| not_own(choice))?
                }
                (
                    None,
                    RuntimeChoice::Library(_) | RuntimeChoice::Script(_) | RuntimeChoice::Server(_),
                ) => {
                    return Err(not_own(choice));
                }
            });
        }
        Ok(Runtimes {
            found,
            installing: named.map(|named| named.installing).unwrap_or_default(),
        })
    }

    /// Each session of the variant once for each version.
    fn sessions(&self, plan: &Plan) -> Vec<SessionSpec> {
        let own = plan
            .sessions
            .iter()
            .filter(|spec| spec.variant == self.variant);
        [0, 1]
            .into_iter()
            .flat_map(|variant| {
                own.clone().map(move |spec| SessionSpec {
                    variant,
                    ..spec.clone()
                })
            })
            .collect()
    }
}

/// Libraries run code when they are opened, and a record may have come from anywhere.
fn not_own(choice: &RuntimeChoice) -> CliError {
    CliError::bad_input(
        format!(
            "the run measured with `{}`, which is none of your own libraries",
            choice.path().display()
        ),
        format!(
            "if you trust it, name it again with `--runtime {}`",
            choice.word()
        ),
    )
}

/// Libraries beside the runtime, and options that may name some, are not taken from a record.
fn require_no_libraries(plan: &Plan) -> Result<()> {
    let has_any = plan.sessions.iter().any(|spec| {
        !spec.options.custom_ops.is_empty()
            || !spec.options.session_config.is_empty()
            || !spec.provider.options.is_empty()
            || spec.provider.library.is_some()
    });
    if has_any {
        return Err(CliError::bad_input(
            "the run has libraries or options that may name some, and opening a library runs it",
            "name the two model files, with the options that you trust",
        ));
    }
    Ok(())
}
