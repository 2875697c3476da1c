//! Two versions of a model, measured in turns for the rules of a gate.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::measuring::{Measuring, TARGET};
use super::subject::Loaded;
use crate::analysis::gate::{Against, Rule, Terms, Unfit};
use crate::analysis::{self, gate};
use crate::check::Budget;
use crate::cli::job::{Asked, Beginning, Target};
use crate::cli::output::{Failures, Printed, Reports};
use crate::cli::plan::{self, Family, InputArgs};
use crate::cli::progress::Console;
use crate::cli::{Result, ending};
use crate::plan::{CellKey, Variant};
use crate::record::RunRecord;
use crate::report::Color;
use crate::runner::{Course, Extent, Goal, Job, Ran};

/// Name of the older version.
const OLD: &str = "old";
/// Name of the newer version, where no rule names it.
const NEW: &str = "new";

/// Two versions of a model, by their files.
pub(super) struct Versions {
    pub old: PathBuf,
    pub new: PathBuf,
}

impl Versions {
    /// What rules call the newer one: the name of a variant of theirs that its file's name is or ends
    /// with.
    pub fn new_name(&self, rules: &[Rule]) -> String {
        let stem = self.new.file_stem().unwrap_or_default().to_string_lossy();
        rules
            .iter()
            .filter_map(|rule| rule.selectors.variant.as_ref())
            .map(|variant| variant.value.as_str())
            .find(|name| *name != OLD && is_named(&stem, name))
            .unwrap_or(NEW)
            .to_owned()
    }

    pub fn variants(&self, new: &str) -> Vec<Variant> {
        [(OLD, &self.old), (new, &self.new)]
            .map(|(name, path)| Variant {
                name: name.into(),
                path: path.clone(),
            })
            .to_vec()
    }
}

/// Whether a file's name is that name, or ends with it as a word: `digits-int8` is `int8`.
fn is_named(stem: &str, name: &str) -> bool {
    stem.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_', '.']))
}

/// A run that measured two versions, in its folder.
pub(super) struct Measured {
    pub loaded: Loaded,
    pub failures: Failures,
}

/// Measures two versions as options say.
pub(super) fn measured(
    versions: &Versions,
    measuring: &Measuring,
    rules: &[Rule],
    console: &mut Console,
) -> Result<Measured> {
    let beginning = Beginning::now();
    let asked = measuring.asked(rules)?;
    let family = family(versions, rules, &asked.inputs)?;
    let runtimes = plan::runtimes(&asked.session.runtime, console)?;
    let mut plan = plan::profile::plan(&asked, &family, &runtimes.found, &beginning.host)?;
    plan.schedule.target_half_width_ratio = TARGET;
    console.introduce(&plan, &beginning.host);
    let notes = plan::notes_on(&plan, &beginning.host);
    let path = beginning.folder(&measuring.out, &family.name);
    let asked = Asked::of(family, plan, runtimes, notes);
    let (job, target) = beginning.job_at(path, asked)?;
    run(job, &target, rules, console)
}

/// As variants of which the older one is the baseline, however the files are called.
fn family(versions: &Versions, rules: &[Rule], inputs: &InputArgs) -> Result<Family> {
    let Versions { old, new } = versions;
    // What makes a file the baseline is that it is the older one.
    let family = plan::family(&[old.clone(), new.clone()], old.to_str(), inputs)?;
    Ok(Family {
        name: new
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        variants: versions.variants(&versions.new_name(rules)),
        ..family
    })
}

/// Measures until every rule is decided.
pub(super) fn run(
    mut job: Job,
    target: &Target,
    rules: &[Rule],
    console: &mut Console,
) -> Result<Measured> {
    job.extent = if rules.iter().any(takes_outputs) {
        Extent::Scored
    } else {
        Extent::Rounds
    };
    job.course = Course::Until(Box::new(Decided {
        rules: rules.to_vec(),
    }));
    let ran = ending::measured(job, target, console)?;
    let measured = written(ran)?;
    console.release();
    Ok(measured)
}

/// Whether outputs are scored for a rule.
fn takes_outputs(rule: &Rule) -> bool {
    gate::is_of_outputs(rule.check.metric) || rule.check.budget == Budget::Judgement
}

/// Writes the reports of a run into its folder.
fn written(mut ran: Ran) -> Result<Measured> {
    if let Some(error) = ending::nothing_measured(&ran.record) {
        return Err(error);
    }
    let mut failures = Failures::default();
    failures.add(ending::unwritten(&mut ran));
    Reports::render(&ran, Printed::Summary(Color::Never.into()), None).write(&mut failures);
    let Ran { folder, record, .. } = ran;
    Ok(Measured {
        loaded: Loaded::of(folder.path().to_owned(), record),
        failures,
    })
}

/// The rules that a run of two versions is made for.
#[derive(Debug)]
struct Decided {
    rules: Vec<Rule>,
}

impl Goal for Decided {
    fn undecided(&self, record: &RunRecord) -> BTreeSet<CellKey> {
        let findings = analysis::findings(record);
        let run = gate::Run {
            record,
            findings: &findings,
        };
        let terms = Terms {
            against: Against::OlderVersion,
            unfit: Unfit::Counts,
        };
        // A mistake in the rules is told when the run has ended.
        gate::undecided(&self.rules, run, terms).unwrap_or_else(|_| record.plan.cells().collect())
    }
}
